//! Every sealed table is listed, and every way of writing a row seals it.

use super::*;
use crate::store::db::functions;
use crate::store::db::version::VERSIONS;

#[test]
fn every_sealed_table_is_listed_with_all_its_columns() {
    let conn = Connection::open_in_memory().unwrap();
    functions::install(&conn).unwrap();
    VERSIONS.iter().for_each(|version| conn.execute_batch(version.script).unwrap());
    let seals: Vec<(String, String)> = conn
        .prepare(
            "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) c
             WHERE m.type = 'table' AND c.hidden > 0 ORDER BY m.rowid, c.cid",
        )
        .unwrap()
        .query_map((), |r| Ok((r.get(0)?, r.get(1)?)))
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap();
    let listed = ROW_SEALED.iter().map(|sealed| (sealed.table.to_owned(), sealed.seal.to_owned()));
    assert_eq!(seals, listed.collect::<Vec<_>>());
    for sealed in ROW_SEALED {
        let columns: Vec<String> = conn
            .prepare("SELECT name FROM pragma_table_info(?1)")
            .unwrap()
            .query_map([sealed.table], |r| r.get(0))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        let covered: std::collections::BTreeSet<&str> =
            RowSealed::of(sealed.table).flat_map(|sealed| sealed.columns.split(", ")).collect();
        assert_eq!(covered, columns.iter().map(String::as_str).collect(), "{}", sealed.table);
        let sql: String = conn
            .query_row("SELECT sql FROM sqlite_schema WHERE name = ?1", [sealed.table], |r| r.get(0))
            .unwrap();
        let one_line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(one_line.contains(&format!("(check_of({}))", sealed.columns)), "{sql}");
    }
}

#[test]
fn a_seal_is_that_of_the_whole_row_with_its_number_whoever_wrote_it() {
    let conn = Connection::open_in_memory().unwrap();
    conn.pragma_update(None, "trusted_schema", false).unwrap();
    install(&conn).unwrap();
    conn.execute_batch(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, x TEXT, seal INTEGER GENERATED ALWAYS AS (check_of(id, x)) STORED) STRICT;
         INSERT INTO a (x) VALUES ('one'), (NULL);
         INSERT INTO a VALUES (1, 'two') ON CONFLICT DO UPDATE SET x = excluded.x;
         INSERT OR REPLACE INTO a VALUES (2, 'three'); UPDATE a SET id = 7 WHERE id = 2;",
    )
    .unwrap();
    let broken = || -> i64 {
        conn.query_row("SELECT count(*) FROM a WHERE seal IS NOT check_of(id, x)", (), |r| r.get(0)).unwrap()
    };
    assert_eq!(broken(), 0);
    let distinct: i64 = conn.query_row("SELECT count(DISTINCT seal) FROM a", (), |r| r.get(0)).unwrap();
    assert_eq!(distinct, 2);
    let by_hand = check_of([ValueRef::Integer(7), ValueRef::Text(b"three")].into_iter());
    assert_eq!(
        conn.query_row("SELECT seal FROM a WHERE id = 7", (), |r| r.get::<_, i64>(0)).unwrap(),
        by_hand
    );
}
