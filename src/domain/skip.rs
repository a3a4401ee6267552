//! Where a test goes when this machine lacks what it needs: test data, a tool, a right. Tests alone use it.
//!
//! One function decides, so that no test passes without having run where everything is meant to be there. `tests/loop` compiles this file too.

use std::fmt::Display;
use std::path::PathBuf;

/// With this set to `1`, a test that cannot run fails.
const REQUIRE_ALL: &str = "HARDCASE_REQUIRE_ALL";
/// Names the folder of the test data, with `data/` and `models/` in it.
const TEST_DATA: &str = "HARDCASE_TEST_DATA";
const BESIDE_THE_REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared");

/// Says why the test that calls this proves nothing here, or fails it where every test must run. The caller returns.
#[track_caller]
pub fn skip(why: impl Display) {
    let all_must_run = std::env::var_os(REQUIRE_ALL).is_some_and(|set| set == "1");
    assert!(!all_must_run, "this test cannot run here, and with {REQUIRE_ALL}=1 every test has to: {why}");
    eprintln!("skipped: {why}");
}

/// A file of the test data, or none (see [`skip`]) where it is missing.
#[track_caller]
pub fn test_data(path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(TEST_DATA).map_or_else(|| BESIDE_THE_REPOSITORY.into(), PathBuf::from);
    let path = folder.join(path);
    if path.exists() {
        return Some(path);
    }
    skip(format_args!("there is no {}; {TEST_DATA} names the folder of the test data", path.display()));
    None
}
