//! Formats times, which the file stores as milliseconds since 1970, for people and for other programs. All are UTC.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

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

/// The time that a file means: `2026-08-07`, `2026-08-07 14:05:09`, the same with an offset or a Z, or seconds or milliseconds since 1970. Without an
/// offset it is taken as UTC. `None` if it is none of these, or before 1970.
pub fn read(written: &str) -> Option<i64> {
    /// From here on a number counts milliseconds: as seconds it would lie in the year 5138.
    const FIRST_MS: i64 = 100_000_000_000;
    let written = written.trim();
    let of_civil = |time: DateTime| Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond());
    let ms = if let Ok(number) = written.strip_suffix(".0").unwrap_or(written).parse::<i64>() {
        Some(if number < FIRST_MS { number.checked_mul(1_000)? } else { number })
    } else if let Ok(time) = written.parse::<Timestamp>() {
        Some(time.as_millisecond())
    } else if let Ok(time) = written.parse::<DateTime>() {
        of_civil(time)
    } else {
        written.parse::<Date>().ok().and_then(|day| of_civil(day.at(0, 0, 0, 0)))
    };
    ms.filter(|ms| *ms >= 0 && Timestamp::from_millisecond(*ms).is_ok())
}

fn written(ms: i64, format: &str) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| String::new(), |t| t.strftime(format).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_files_write_it_and_what_is_none_is_refused() {
        let want = 1_786_111_509_000;
        for written in [
            "2026-08-07T14:05:09Z",
            "2026-08-07 14:05:09",
            "2026-08-07T16:05:09+02:00",
            "1786111509",
            "1786111509.0",
            " 1786111509000 ",
        ] {
            assert_eq!(read(written), Some(want), "{written}");
        }
        assert_eq!(read("2026-08-07"), Some(1_786_060_800_000));
        for none in ["", "yesterday", "07.08.2026", "-5", "1e400", "99999999999999999999", "1969-01-01"] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn a_time_is_utc_and_what_is_none_is_empty() {
        assert_eq!(utc(1_000_000_000_999), "2001-09-09 01:46:40");
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(exact(1_000_000_000_120).unwrap(), "2001-09-09T01:46:40.12Z");
        assert_eq!(exact(i64::MAX), None);
        assert_eq!(utc(i64::MAX), "");
    }
}
