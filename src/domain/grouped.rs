//! Formats numbers for people.

/// A number with its noun: `1 text`, `3 texts`.
pub fn counted(n: usize, one: &str, more: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { more })
}

/// A number with thousands separators: `10,485,760`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A size as people say it, in powers of a thousand.
pub fn size(bytes: u64) -> String {
    match bytes {
        b if b < 1_000_000 => format!("{} kB", b.div_ceil(1_000)),
        b if b < 1_000_000_000 => format!("{:.1} MB", b as f64 / 1e6),
        b => format!("{:.1} GB", b as f64 / 1e9),
    }
}

/// How probable a model finds what it says, from its probability: `87 %`. A model is never certain, so never `100 %`.
pub fn probable(p: f64) -> String {
    if p >= 0.995 { "over 99 %".into() } else { format!("{:.0} %", 100.0 * p) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_model_is_certain() {
        assert_eq!([0.5, 0.994, 0.9951, 1.0].map(probable), ["50 %", "99 %", "over 99 %", "over 99 %"]);
    }

    #[test]
    fn sizes_are_said_as_people_say_them() {
        assert_eq!([0, 1, 24_600_000, 2_000_000_000].map(size), ["0 kB", "1 kB", "24.6 MB", "2.0 GB"]);
    }
}
