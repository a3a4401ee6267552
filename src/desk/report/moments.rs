//! Times of the file as the report writes them: UTC, to the second.

use jiff::Timestamp;

/// `2026-08-07 14:05:09`; empty for what is no time.
pub(super) fn utc(ms: i64) -> String {
    written(ms, "%Y-%m-%d %H:%M:%S")
}

/// `2026-08-07`; empty for what is no time.
pub(super) fn day(ms: i64) -> String {
    written(ms, "%Y-%m-%d")
}

fn written(ms: i64, format: &str) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| String::new(), |t| t.strftime(format).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_utc_and_what_is_none_is_empty() {
        assert_eq!(utc(1_000_000_000_999), "2001-09-09 01:46:40");
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(utc(i64::MAX), "");
    }
}
