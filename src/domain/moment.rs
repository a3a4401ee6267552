//! Formats times, which the file stores as milliseconds since 1970, for people and for other programs. All are UTC.

use jiff::Timestamp;

/// `2026-08-07T14:05:09.123Z`, for other programs. `None` if the number is out of range.
pub fn exact(ms: i64) -> Option<String> {
    Timestamp::from_millisecond(ms).ok().map(|time| time.to_string())
}

/// `2026-08-07 14:05:09`; empty if the number is out of range.
pub fn utc(ms: i64) -> String {
    written(ms, "%Y-%m-%d %H:%M:%S")
}

/// `2026-08-07`; empty if the number is out of range.
pub fn day(ms: i64) -> String {
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
        assert_eq!(exact(1_000_000_000_120).unwrap(), "2001-09-09T01:46:40.12Z");
        assert_eq!(exact(i64::MAX), None);
        assert_eq!(utc(i64::MAX), "");
    }
}
