//! What a table is, by its first bytes.

/// A kind of table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) enum Kind {
    Excel(Book),
    Parquet,
    /// A stream of messages, or a file of them with its index at the end.
    Arrow,
}

/// A kind of workbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) enum Book {
    Xlsx,
    /// The same archive, whose parts are binary.
    Xlsb,
    /// A compound file: of an old Excel, or one with a password.
    Xls,
    Ods,
}

impl Kind {
    /// What a file is that begins so; none if it is no such table.
    pub(in crate::formats) fn of(head: &[u8]) -> Option<Self> {
        let holds = |name: &[u8]| head.windows(name.len()).any(|part| part == name);
        match head {
            [b'P', b'A', b'R', b'1', ..] => Some(Self::Parquet),
            [b'A', b'R', b'R', b'O', b'W', b'1', ..] => Some(Self::Arrow),
            // A message of a stream: a mark, its length, and an offset into it.
            [0xFF, 0xFF, 0xFF, 0xFF, length @ ..] if is_schema(length) => Some(Self::Arrow),
            [b'P', b'K', 3, 4, ..] if holds(b"xl/workbook.bin") => Some(Self::Excel(Book::Xlsb)),
            [b'P', b'K', 3, 4, ..] if holds(b"xl/") => Some(Self::Excel(Book::Xlsx)),
            [b'P', b'K', 3, 4, ..] if holds(b"opendocument.spreadsheet") => Some(Self::Excel(Book::Ods)),
            [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, ..] => Some(Self::Excel(Book::Xls)),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Excel(_) => "a workbook",
            Self::Parquet => "a Parquet file",
            Self::Arrow => "an Arrow file",
        }
    }

    pub(super) fn option(self) -> &'static str {
        match self {
            Self::Excel(_) => "excel",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
        }
    }
}

/// The first message of a stream of Arrow is its schema, of a few kilobytes.
fn is_schema(after_mark: &[u8]) -> bool {
    let word = |at: usize| after_mark.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
    word(0).is_some_and(|length| (16..1 << 24).contains(&length))
        && word(4).is_some_and(|root| (4..256).contains(&root))
}
