//! One sheet of a workbook: of Excel, old and new, and of OpenDocument. Values are those that are saved with the formulas; what Excel shows as a whole number is
//! one, and a date is ISO text.

use std::fs::File;
use std::io::{BufReader, Read, Seek};

use calamine::{
    Cell, Data, DataRef, ExcelDateTime, Ods, OdsError, Reader as _, Sheet, SheetType, SheetVisible, Xls,
    XlsError, Xlsb, Xlsx,
};

use super::super::columns;
use super::super::delimited::is_header;
use super::super::excerpt::excerpt;
use super::book_limits;
use super::kind::Book;
use crate::domain::fault::{Fault, Result};
use crate::domain::row_stream::{Keys, Rows, null, number, text};

/// Rows by which it is judged whether the first one names the columns.
const JUDGED: usize = 200;
/// What a sheet can have.
const MOST_COLUMNS: usize = 16_384;
/// Bytes of an old workbook, which is held in memory.
const MOST_OLD: u64 = 256 << 20;

const SAVE: &str = "Save the sheet as CSV (UTF-8), or as .xlsx, and take that";

/// Gives the rows of a sheet: the one that is named, else the first that is shown.
pub(super) fn read(
    book: Book,
    mut file: File,
    sheet: Option<&str>,
    header: Option<bool>,
    rows: &mut Rows,
) -> Result<()> {
    match book {
        Book::Xls => read_old(file, sheet, header, rows),
        Book::Xlsx => {
            book_limits::check(&mut file, rows)?;
            let mut book = Xlsx::new(BufReader::new(file)).map_err(|e| broken(rows, &e))?;
            let name = choose(book.sheets_metadata(), sheet, rows)?;
            let mut cells = book.worksheet_cells_reader(&name).map_err(|e| broken(rows, &e))?;
            streamed(|| cells.next_cell(), header, rows)
        }
        Book::Xlsb => {
            book_limits::check(&mut file, rows)?;
            let mut book = Xlsb::new(BufReader::new(file)).map_err(|e| broken(rows, &e))?;
            let name = choose(book.sheets_metadata(), sheet, rows)?;
            let mut cells = book.worksheet_cells_reader(&name).map_err(|e| broken(rows, &e))?;
            streamed(|| cells.next_cell(), header, rows)
        }
        Book::Ods => {
            book_limits::check(&mut file, rows)?;
            let book = Ods::new(BufReader::new(file));
            let mut book = book.map_err(|e| match e {
                OdsError::Password => with_password(rows),
                other => broken(rows, &other),
            })?;
            let name = choose(book.sheets_metadata(), sheet, rows)?;
            let range = book.worksheet_range(&name).map_err(|e| broken(rows, &e))?;
            all(range.rows(), header, rows)
        }
    }
}

/// Gives rows whose cells come one after the other.
fn streamed<'c, E: std::fmt::Display>(
    mut next: impl FnMut() -> std::result::Result<Option<Cell<DataRef<'c>>>, E>,
    header: Option<bool>,
    rows: &mut Rows,
) -> Result<()> {
    let mut table = Table::new(header, rows);
    let (mut at, mut row) = (0, Vec::new());
    while let Some(cell) = next().map_err(|e| broken(table.rows, &e))? {
        let (line, column) = cell.get_position();
        if line != at {
            table.take(std::mem::take(&mut row))?;
            at = line;
        }
        let column = column as usize;
        let value = Data::from(cell.get_value().clone());
        if value == Data::Empty {
            continue;
        }
        if column >= MOST_COLUMNS {
            return Err(table.rows.fault("it is a damaged workbook: a cell lies beyond the last column"));
        }
        if row.len() <= column {
            row.resize(column + 1, Data::Empty);
        }
        row[column] = value;
    }
    table.take(row)?;
    table.finish()
}

fn read_old(mut file: File, sheet: Option<&str>, header: Option<bool>, rows: &mut Rows) -> Result<()> {
    let mut bytes = Vec::new();
    let read = (&mut file).take(MOST_OLD + 1).read_to_end(&mut bytes);
    read.map_err(|e| broken(rows, &e))?;
    if bytes.len() as u64 > MOST_OLD {
        return Err(rows.fault("it is an old Excel workbook (.xls) of more than 256 MB").hint(SAVE));
    }
    // The names of what a compound file holds are in UTF-16.
    let holds = |name: &str| {
        let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        bytes.windows(name.len()).any(|part| part == name)
    };
    if holds("EncryptedPackage") {
        return Err(with_password(rows));
    }
    if !holds("Workbook") && !holds("Book") {
        let what = if holds("WordDocument") {
            "a Word document (.doc)"
        } else {
            "an old Office file without a sheet"
        };
        return Err(rows
            .fault(format!("it is {what}"))
            .hint("Extract its text to a file of one text per line first"));
    }
    drop(bytes);
    file.rewind().map_err(|e| broken(rows, &e))?;
    let mut book = Xls::new(BufReader::new(file)).map_err(|e| match e {
        XlsError::Password => with_password(rows),
        other => broken(rows, &other),
    })?;
    let name = choose(book.sheets_metadata(), sheet, rows)?;
    let range = book.worksheet_range(&name).map_err(|e| broken(rows, &e))?;
    all(range.rows(), header, rows)
}

fn all<'a>(of: impl Iterator<Item = &'a [Data]>, header: Option<bool>, rows: &mut Rows) -> Result<()> {
    let mut table = Table::new(header, rows);
    for row in of {
        table.take(row.to_vec())?;
    }
    table.finish()
}

fn with_password(rows: &Rows) -> Fault {
    rows.fault("it is a workbook with a password")
        .hint("Save it without one, or save its sheet as CSV (UTF-8)")
}

fn broken(rows: &Rows, error: &dyn std::fmt::Display) -> Fault {
    let why: String = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    rows.fault(format!("it is a damaged workbook: {}", excerpt(&why))).hint(SAVE)
}

/// The sheet that is meant, and what it is called from now on.
fn choose(sheets: &[Sheet], asked: Option<&str>, rows: &mut Rows) -> Result<String> {
    let tables: Vec<&Sheet> = sheets.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet).collect();
    let names = || {
        let names: Vec<String> =
            tables.iter().take(20).map(|sheet| format!("'{}'", excerpt(&sheet.name))).collect();
        names.join(", ")
    };
    let chosen = match asked {
        None => tables.iter().find(|sheet| sheet.visible == SheetVisible::Visible).or(tables.first()),
        Some(asked) => {
            let same = |sheet: &&&Sheet| sheet.name == asked;
            let nearly = |sheet: &&&Sheet| sheet.name.trim().to_lowercase() == asked.trim().to_lowercase();
            let by_number = || asked.parse::<usize>().ok()?.checked_sub(1).and_then(|at| tables.get(at));
            tables.iter().find(same).or_else(|| tables.iter().find(nearly)).or_else(by_number)
        }
    };
    let Some(chosen) = chosen else {
        return Err(match asked {
            Some(asked) if !tables.is_empty() => rows
                .fault(format!("the workbook has no sheet '{}'", excerpt(asked)))
                .hint(format!("Its sheets are {}", names())),
            _ => rows.fault("it is a workbook without a sheet"),
        });
    };
    let shown = excerpt(&chosen.name);
    rows.called(match (asked, tables.len()) {
        (None, several) if several > 1 => {
            format!("sheet '{shown}' of a workbook with {several} (--sheet NAME reads another)")
        }
        _ => format!("sheet '{shown}' of a workbook"),
    })?;
    Ok(chosen.name.clone())
}

/// Rows of cells on their way out. The first ones wait until it is known whether there is a header.
struct Table<'a> {
    rows: &'a mut Rows,
    header: Option<bool>,
    waiting: Vec<Vec<Data>>,
    /// The names of the columns and their keys, once they are known.
    known: Option<(Vec<String>, Keys)>,
}

impl<'a> Table<'a> {
    fn new(header: Option<bool>, rows: &'a mut Rows) -> Self {
        Self { rows, header, waiting: Vec::new(), known: None }
    }

    fn take(&mut self, mut row: Vec<Data>) -> Result<()> {
        while row.last().is_some_and(is_blank) {
            row.pop();
        }
        if row.iter().all(is_blank) {
            return Ok(());
        }
        if self.known.is_some() {
            return self.give(&row);
        }
        self.waiting.push(row);
        if self.waiting.len() < JUDGED { Ok(()) } else { self.begin() }
    }

    fn begin(&mut self) -> Result<()> {
        let mut waiting = std::mem::take(&mut self.waiting);
        let Some(width) = waiting.iter().map(Vec::len).max() else { return Ok(()) };
        let as_text = |row: &Vec<Data>| -> Vec<String> {
            (0..width).map(|at| row.get(at).map(shown).unwrap_or_default()).collect()
        };
        let texts: Vec<Vec<String>> = waiting.iter().map(as_text).collect();
        let names = match self.header.unwrap_or_else(|| is_header(&texts[0], &texts[1..])) {
            true => {
                waiting.remove(0);
                columns::names(Some(&texts[0]), width)
            }
            false => columns::names(None, width),
        };
        let keys = Keys::of(&names);
        self.known = Some((names, keys));
        waiting.iter().try_for_each(|row| self.give(row))
    }

    fn give(&mut self, row: &[Data]) -> Result<()> {
        let Some((names, keys)) = &mut self.known else { return Ok(()) };
        if row.len() > names.len() {
            // Cells to the right of the columns that were known so far.
            names.extend((names.len()..row.len()).map(|at| (at + 1).to_string()));
            *keys = Keys::of(&*names);
        }
        self.rows.row(keys, |at, out| match row.get(at) {
            Some(value) => push(out, value),
            None => null(out),
        })
    }

    fn finish(mut self) -> Result<()> {
        if self.known.is_none() { self.begin() } else { Ok(()) }
    }
}

fn is_blank(value: &Data) -> bool {
    match value {
        Data::Empty | Data::Error(_) => true,
        Data::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

fn push(out: &mut Vec<u8>, value: &Data) {
    match value {
        // `#N/A` and the like stand for no value.
        Data::Empty | Data::Error(_) => null(out),
        Data::Bool(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
        Data::Int(whole) => out.extend_from_slice(whole.to_string().as_bytes()),
        Data::Float(value) => number(out, *value),
        other => text(out, &shown(other)),
    }
}

/// A cell as a text.
fn shown(value: &Data) -> String {
    match value {
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::DateTime(moment) => moment_text(moment),
        Data::Empty | Data::Error(_) => String::new(),
        other => {
            let mut out = Vec::new();
            push(&mut out, other);
            String::from_utf8_lossy(&out).into_owned()
        }
    }
}

/// `2026-03-01`, `2026-03-01T10:02:00`, `10:02:00` for a time alone, `49:30:00` for a duration.
fn moment_text(moment: &ExcelDateTime) -> String {
    let value = moment.as_f64();
    if moment.is_duration() {
        let seconds = (value * 86_400.0).round().abs() as u64;
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
    let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
    let time = match milli {
        0 => format!("{hour:02}:{minute:02}:{second:02}"),
        milli => format!("{hour:02}:{minute:02}:{second:02}.{milli:03}"),
    };
    match value {
        time_alone if (0.0..1.0).contains(&time_alone) => time,
        whole if whole.fract() == 0.0 => format!("{year:04}-{month:02}-{day:02}"),
        _ => format!("{year:04}-{month:02}-{day:02}T{time}"),
    }
}
