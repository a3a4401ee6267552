//! Tests of imports: rows that fold into items, and loads that end early.

use super::*;
use crate::domain::split::SplitShares;
use crate::store::db::open::NewProject;
use crate::store::pool::text_row::TextRow;

fn store(dir: &tempfile::TempDir) -> Store {
    let new = NewProject { seed: 1, shares: SplitShares::default() };
    Store::create(&dir.path().join("x.hardcase"), new).unwrap()
}

fn fields(store: &Store) -> Vec<(i64, String)> {
    let mut rows = Vec::new();
    for source in store.sources().unwrap() {
        let push = |item: ItemId, fields: &str| {
            rows.push((item.0, fields.to_owned()));
            Ok(())
        };
        store.for_each_row(source.id, push).unwrap();
    }
    rows
}

#[test]
fn a_text_folds_into_its_item_whether_its_key_is_listed_yet_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(&dir);
    let mut load = store.begin_source("a", "{}", LoadOptions::default()).unwrap();
    store
        .add_rows(&mut load, [TextRow::new(1, "one"), TextRow::new(2, "two"), TextRow::new(3, " one")])
        .unwrap();
    store.list_keys(&mut load).unwrap();
    store
        .add_rows(&mut load, [TextRow::new(4, "two"), TextRow::new(5, "three"), TextRow::new(6, "one ")])
        .unwrap();
    let loaded = store.finish_source(load, 0, 0).unwrap();
    assert_eq!(loaded, Loaded { rows: 6, items: 3, ..Loaded::default() });
    let mut load = store.begin_source("b", "{}", LoadOptions::default()).unwrap();
    store.add_rows(&mut load, [TextRow::new(1, "three"), TextRow::new(2, "four")]).unwrap();
    assert_eq!(store.finish_source(load, 0, 0).unwrap(), Loaded { rows: 2, items: 1, ..Loaded::default() });
    let want = [
        (1, "[null]"),
        (2, "[null]"),
        (1, "[\" one\"]"),
        (2, "[null]"),
        (3, "[null]"),
        (1, "[\"one \"]"),
        (3, "[null]"),
        (4, "[null]"),
    ];
    assert_eq!(fields(&store), want.map(|(item, f)| (item, f.to_owned())));
    assert_eq!(store.integrity_check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_load_that_is_cleared_leaves_the_keys_of_ready_items_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(&dir);
    let mut load = store.begin_source("a", "{}", LoadOptions::default()).unwrap();
    store.add_rows(&mut load, [TextRow::new(1, "one"), TextRow::new(2, "two")]).unwrap();
    store.finish_source(load, 0, 0).unwrap();
    let mut load = store.begin_source("b", "{}", LoadOptions::default()).unwrap();
    store.add_rows(&mut load, [TextRow::new(1, "one"), TextRow::new(2, "three")]).unwrap();
    store.list_keys(&mut load).unwrap();
    store.add_rows(&mut load, [TextRow::new(3, "four")]).unwrap();
    drop(load);
    assert_eq!(store.integrity_check().unwrap(), Vec::<String>::new(), "half loaded is not damaged");
    assert_eq!(store.clear_abandoned_sources().unwrap(), 1);
    assert_eq!(store.integrity_check().unwrap(), Vec::<String>::new());
    assert_eq!(store.all::<i64>("SELECT item FROM item_key ORDER BY item", "").unwrap(), [1, 2]);
    assert_eq!(store.all::<i64>("SELECT id FROM item", "").unwrap(), [1, 2]);
}

#[test]
fn a_key_that_is_missing_or_stands_alone_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(&dir);
    let mut load = store.begin_source("a", "{}", LoadOptions::default()).unwrap();
    store.add_rows(&mut load, [TextRow::new(1, "one"), TextRow::new(2, "two")]).unwrap();
    store.finish_source(load, 0, 0).unwrap();
    store.write("", |tx| tx.execute("UPDATE item_key SET item = 9 WHERE item = 1", ())).unwrap();
    let want = ["1 texts are not listed under their keys", "1 keys are listed without their texts"];
    assert_eq!(store.integrity_check().unwrap(), want);
}
