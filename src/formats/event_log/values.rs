//! What the values of a log's lines may be: how long, how large, which words.

use crate::domain::event::LARGEST_LAMPORT;

/// The longest note, task or text, in bytes.
const LONGEST_TEXT: usize = 4 << 20;
/// The longest name, label, reason.
const LONGEST_NAME: usize = 1_000;
/// Numbers that count things: JSON readers keep them exact up to here, and no log gets there.
const LARGEST: i64 = LARGEST_LAMPORT - 1;
/// The end of the year 9999.
const LAST_MS: i64 = 253_402_300_799_999;

pub(super) type Checked = Result<(), String>;

pub(super) fn one_of(field: &str, value: Option<&str>, allowed: &[&str]) -> Checked {
    match value {
        Some(value) if !allowed.contains(&value) => Err(format!("{field} is {}", allowed.join(", "))),
        _ => Ok(()),
    }
}

pub(super) fn short(text: &str) -> Checked {
    if text.len() <= LONGEST_NAME { Ok(()) } else { Err("a name in it is longer than 1,000 bytes".into()) }
}

pub(super) fn long(text: &str) -> Checked {
    if text.len() <= LONGEST_TEXT { Ok(()) } else { Err("a text in it is longer than 4 MiB".into()) }
}

pub(super) fn counts(field: &str, value: i64) -> Checked {
    if (0..=LARGEST).contains(&value) { Ok(()) } else { Err(format!("{field} is not a count")) }
}

pub(super) fn order(lamport: i64) -> Checked {
    if (1..LARGEST_LAMPORT).contains(&lamport) {
        Ok(())
    } else {
        Err("the Lamport number is not one that a project reaches".into())
    }
}

pub(super) fn time(field: &str, ms: Option<i64>) -> Checked {
    match ms {
        Some(ms) if !(0..=LAST_MS).contains(&ms) => Err(format!("{field} is not a time")),
        _ => Ok(()),
    }
}
