//! One table of another program's database, or what one SELECT gives, as rows of JSON. The file is only read, and trusted in nothing: its schema is looked at before
//! it is asked, it runs no code of its own, reaches no other file, and has a limit of time.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::db::header::{APPLICATION_ID, has_journal};
use super::db::open::read_only_uri;
use crate::domain::fault::{Fault, Result};
use crate::domain::row_stream::{Keys, RowStream, Rows, null, number, text};
use crate::domain::sanitize::sanitize;

/// As long may the database work for one row: a view can be made that never ends.
const PATIENCE: Duration = Duration::from_secs(60);
/// Steps of SQLite between two looks at the clock.
const STEPS: i32 = 100_000;
/// Bytes of one value.
const LONGEST: i32 = 64 << 20;
/// The most tables that a message lists.
const MOST_LISTED: usize = 20;

/// What is read of a database.
#[derive(Clone, Debug)]
pub enum Asked {
    /// The only table.
    OnlyTable,
    Table(String),
    /// One SELECT.
    Query(String),
}

/// Whether a file that begins so is a database of another program.
pub fn is_foreign_database(head: &[u8]) -> bool {
    head.starts_with(b"SQLite format 3\0") && head.get(68..72) != Some(&APPLICATION_ID.to_be_bytes()[..])
}

/// The rows, and what they are called.
///
/// # Errors
/// A usage fault for a file that cannot be read, a table that there is not, several where none was named, and a query that is none.
pub fn foreign_rows(path: &Path, asked: Asked, attempted: &str) -> Result<(String, RowStream)> {
    let path = path.to_owned();
    RowStream::begin(attempted.to_owned(), move |rows| read(&path, &asked, PATIENCE, rows))
}

fn read(path: &Path, asked: &Asked, patience: Duration, rows: &mut Rows) -> Result<()> {
    let conn = connect(path, rows)?;
    // From the last row on.
    let since = std::sync::Arc::new(std::sync::Mutex::new(Instant::now()));
    let clock = std::sync::Arc::clone(&since);
    let too_long = move || clock.lock().map_or(true, |since| since.elapsed() > patience);
    conn.progress_handler(STEPS, Some(too_long)).map_err(|e| failed(rows, &e))?;
    let (sql, called) = match asked {
        Asked::Query(sql) => {
            (sql.trim().trim_end_matches(';').to_owned(), "rows of a query to SQLite".to_owned())
        }
        Asked::OnlyTable => select(&only_table(&conn, rows)?),
        Asked::Table(name) => select(&table(&conn, name, rows)?),
    };
    if let Asked::Query(_) = asked {
        check_query(&sql, rows)?;
    }
    let mut statement = conn.prepare(&sql).map_err(|e| failed(rows, &e))?;
    if !statement.readonly() {
        return Err(not_a_query(rows));
    }
    rows.called(called)?;
    let keys = Keys::of(statement.column_names());
    let mut found = statement.query(()).map_err(|e| failed(rows, &e))?;
    while let Some(row) = found.next().map_err(|e| failed(rows, &e))? {
        rows.row(&keys, |at, out| match row.get_ref(at) {
            Ok(ValueRef::Integer(whole)) => out.extend_from_slice(whole.to_string().as_bytes()),
            Ok(ValueRef::Real(value)) => number(out, value),
            Ok(ValueRef::Text(bytes)) => match std::str::from_utf8(bytes) {
                Ok(value) => text(out, value),
                Err(_) => broken_text(out, bytes),
            },
            Ok(ValueRef::Blob(bytes)) => match std::str::from_utf8(bytes) {
                Ok(value) => text(out, value),
                Err(_) => null(out),
            },
            Ok(ValueRef::Null) | Err(_) => null(out),
        })?;
        if let Ok(mut since) = since.lock() {
            *since = Instant::now();
        }
    }
    Ok(())
}

fn connect(path: &Path, rows: &Rows) -> Result<Connection> {
    let attempt = |e: rusqlite::Error| failed(rows, &e);
    let mut uri = read_only_uri(path);
    if has_journal(path) {
        // An interrupted write is not looked through.
        uri = uri.replace("&immutable=1", "");
    }
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(uri, flags).map_err(attempt)?;
    conn.pragma_update(None, "trusted_schema", false).map_err(attempt)?;
    conn.pragma_update(None, "cell_size_check", true).map_err(attempt)?;
    conn.pragma_update(None, "mmap_size", 0).map_err(attempt)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).map_err(attempt)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).map_err(attempt)?;
    for (limit, most) in [
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_LENGTH, LONGEST),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 200),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 50),
        (Limit::SQLITE_LIMIT_VDBE_OP, 250_000),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000),
    ] {
        conn.set_limit(limit, most).map_err(attempt)?;
    }
    conn.busy_timeout(Duration::from_secs(10)).map_err(attempt)?;
    Ok(conn)
}

/// A SELECT, and nothing before it.
fn check_query(sql: &str, rows: &Rows) -> Result<()> {
    let word: String = sql.chars().take_while(|c| c.is_ascii_alphabetic()).collect();
    match word.to_ascii_uppercase().as_str() {
        "SELECT" | "WITH" | "VALUES" => Ok(()),
        _ => Err(not_a_query(rows)),
    }
}

fn not_a_query(rows: &Rows) -> Fault {
    rows.fault("--query is not one SELECT").hint("A query only reads: SELECT … FROM …")
}

fn select(table: &str) -> (String, String) {
    (format!("SELECT * FROM \"{}\"", table.replace('"', "\"\"")), format!("SQLite table '{}'", short(table)))
}

/// The tables and views of people, without what SQLite and its extensions keep in tables.
fn tables(conn: &Connection, rows: &Rows) -> Result<Vec<(String, bool)>> {
    let sql = "SELECT name, type = 'view' FROM pragma_table_list
               WHERE schema = 'main' AND type IN ('table', 'view', 'virtual') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    let mut statement = conn.prepare(sql).map_err(|e| failed(rows, &e))?;
    let found = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)));
    found.and_then(Iterator::collect).map_err(|e| failed(rows, &e))
}

fn only_table(conn: &Connection, rows: &Rows) -> Result<String> {
    let all = tables(conn, rows)?;
    let real: Vec<&String> = all.iter().filter(|(_, is_view)| !is_view).map(|(name, _)| name).collect();
    match real.as_slice() {
        [only] => Ok((*only).clone()),
        [] => Err(rows.fault("it is an SQLite database without a table")),
        several => Err(rows.fault(format!("it is an SQLite database with {} tables", several.len())).hint(
            format!("Name one with --table, or ask with --query 'SELECT …'; they are {}", listed(&all)),
        )),
    }
}

fn table(conn: &Connection, asked: &str, rows: &Rows) -> Result<String> {
    let all = tables(conn, rows)?;
    let same = all.iter().find(|(name, _)| name == asked);
    let nearly = || all.iter().find(|(name, _)| name.to_lowercase() == asked.to_lowercase());
    match same.or_else(nearly) {
        Some((name, _)) => Ok(name.clone()),
        None => Err(rows
            .fault(format!("the database has no table '{}'", short(asked)))
            .hint(format!("Its tables are {}", listed(&all)))),
    }
}

fn listed(tables: &[(String, bool)]) -> String {
    let mut names: Vec<String> =
        tables.iter().take(MOST_LISTED).map(|(name, _)| format!("'{}'", short(name))).collect();
    if tables.len() > MOST_LISTED {
        names.push(format!("and {} more", tables.len() - MOST_LISTED));
    }
    names.join(", ")
}

fn short(name: &str) -> String {
    let one_line = name.replace(['\n', '\r', '\t'], " ");
    let cut: String = one_line.chars().take(40).collect();
    sanitize(&cut)
}

fn failed(rows: &Rows, error: &rusqlite::Error) -> Fault {
    use rusqlite::ErrorCode::{CannotOpen, DatabaseCorrupt, NotADatabase, OperationInterrupted};
    let message = short(&error.to_string());
    match error.sqlite_error_code() {
        Some(OperationInterrupted) => rows
            .fault("the database worked for a minute without giving a row")
            .hint("Ask for less with --query, or export the table as CSV"),
        Some(DatabaseCorrupt | NotADatabase) => {
            rows.fault("it is a damaged SQLite database").hint("Get the file again")
        }
        Some(CannotOpen) => rows
            .fault("another program is writing to the database, or was interrupted while it wrote")
            .hint("Close that program, or take a copy of the file that it made itself"),
        _ => rows.fault(format!("SQLite says: {message}")).hint("Check --table or --query"),
    }
}

/// A text that is no UTF-8 goes on as it is: the reader of the rows says which row it is.
fn broken_text(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    for &b in bytes {
        match b {
            b'"' | b'\\' => out.extend([b'\\', b]),
            0..=0x1F => out.extend(format!("\\u{b:04x}").into_bytes()),
            _ => out.push(b),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn made(script: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        Connection::open(&path).unwrap().execute_batch(script).unwrap();
        (dir, path)
    }

    fn lines(path: &Path, asked: Asked) -> Result<String> {
        let (name, mut stream) = foreign_rows(path, asked, "import x.db")?;
        let mut out = Vec::new();
        stream.read_to_end(&mut out).map_err(|e| Fault::new("read", e.to_string()))?;
        Ok(format!("{name}\n{}", String::from_utf8_lossy(&out)))
    }

    fn why(path: &Path, asked: Asked) -> String {
        lines(path, asked).unwrap_err().to_string()
    }

    const TWO: &str = "CREATE TABLE post (id INTEGER PRIMARY KEY, \"text\" TEXT, score REAL, raw BLOB);
        INSERT INTO post VALUES (1, 'a ''b''', 0.5, x'FF00'), (2, NULL, 3.0, CAST('c' AS BLOB));
        CREATE TABLE author (name); CREATE VIEW short AS SELECT id, text FROM post;";

    #[test]
    fn a_table_a_view_and_a_query_give_their_rows() {
        let (_dir, path) = made(TWO);
        let rows = "{\"id\":1,\"text\":\"a 'b'\",\"score\":0.5,\"raw\":null}\n{\"id\":2,\"text\":null,\"score\":3,\"raw\":\"c\"}\n";
        assert_eq!(
            lines(&path, Asked::Table("POST".into())).unwrap(),
            format!("SQLite table 'post'\n{rows}")
        );
        assert!(
            lines(&path, Asked::Table("short".into())).unwrap().contains("{\"id\":1,\"text\":\"a 'b'\"}")
        );
        let query = "SELECT id, id, text FROM post WHERE id = 1; ";
        let said = lines(&path, Asked::Query(query.into())).unwrap();
        assert!(said.contains("{\"id\":1,\"id_2\":1,\"text\":"), "{said}");
        let only = made("CREATE TABLE a (t); INSERT INTO a VALUES ('x')");
        assert_eq!(lines(&only.1, Asked::OnlyTable).unwrap(), "SQLite table 'a'\n{\"t\":\"x\"}\n");
    }

    #[test]
    fn what_is_not_clear_is_asked_for_and_nothing_but_a_select_is_run() {
        let (_dir, path) = made(TWO);
        let said = why(&path, Asked::OnlyTable);
        assert!(said.contains("2 tables") && said.contains("'author', 'post', 'short'"), "{said}");
        assert!(why(&path, Asked::Table("none".into())).contains("Its tables are 'author'"));
        for query in [
            "DELETE FROM post",
            "ATTACH 'other.db' AS o",
            "PRAGMA writable_schema = 1",
            "SELECT 1; DROP TABLE post",
            "WITH x AS (SELECT 1) INSERT INTO post (id) SELECT * FROM x",
            "",
        ] {
            let said = why(&path, Asked::Query(query.into()));
            assert!(said.starts_with("cannot import x.db: "), "{query}: {said}");
        }
        let before = std::fs::read(&path).unwrap();
        assert!(why(&path, Asked::Query("SELECT load_extension('x')".into())).contains("SQLite says"));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_view_that_never_ends_is_given_up() {
        let (_dir, path) = made(
            "CREATE TABLE t (x); CREATE VIEW v AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0;",
        );
        let begun = RowStream::begin("import x.db".into(), move |rows| {
            read(&path, &Asked::Table("v".into()), Duration::ZERO, rows)
        });
        let ended = begun.and_then(|(_, mut rows)| {
            rows.read_to_end(&mut Vec::new()).map_err(|e| Fault::new("read", e.to_string()))
        });
        assert!(ended.unwrap_err().to_string().contains("without giving a row"));
    }

    #[test]
    fn a_text_that_is_not_utf_8_comes_as_it_is() {
        let (_dir, path) = made("CREATE TABLE t (x TEXT); INSERT INTO t VALUES (CAST(x'61FF22' AS TEXT))");
        let (_, mut stream) = foreign_rows(&path, Asked::OnlyTable, "import x.db").unwrap();
        let mut out = Vec::new();
        stream.read_to_end(&mut out).unwrap();
        assert_eq!(out, b"{\"x\":\"a\xFF\\\"\"}\n");
    }
}
