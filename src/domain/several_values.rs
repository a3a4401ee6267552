//! Whether the values of a column are several labels of one text: JSON lists, or names between separators.

use std::collections::BTreeMap;

use super::task_kind::SEPARATORS;

/// The labels in the values of a column where these look like several labels of a text, each with how many rows have it, the most frequent first.
///
/// A list in JSON is one. A separator is taken for one where at least half of the names around it stand in another value, too: in `Other, please say` none
/// does.
pub fn several_in(values: &[(String, u64)]) -> Option<Vec<(String, u64)>> {
    let lists: Vec<Option<Vec<String>>> = values.iter().map(|(value, _)| json_list(value)).collect();
    if lists.iter().any(Option::is_some) {
        let own =
            |(value, _): &(String, u64)| Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        let parts = values
            .iter()
            .zip(lists)
            .map(|(value, list)| list.unwrap_or_else(|| own(value).into_iter().collect()));
        return Some(counted(parts, values));
    }
    SEPARATORS.into_iter().find_map(|separator| {
        let parts: Vec<Vec<String>> = values.iter().map(|(value, _)| between(value, separator)).collect();
        let mut met: BTreeMap<&str, usize> = BTreeMap::new();
        parts.iter().flatten().for_each(|part| *met.entry(part).or_default() += 1);
        let mut listed: Vec<&str> =
            parts.iter().filter(|parts| parts.len() > 1).flatten().map(String::as_str).collect();
        listed.sort_unstable();
        listed.dedup();
        let elsewhere = listed.iter().filter(|part| met[*part] > 1).count();
        (!listed.is_empty() && 2 * elsewhere >= listed.len())
            .then(|| counted(parts.clone().into_iter(), values))
    })
}

/// The names in a JSON list; none in what is no list of names or numbers.
fn json_list(value: &str) -> Option<Vec<String>> {
    let value = value.trim();
    if !value.starts_with('[') {
        return None;
    }
    let list: Vec<serde_json::Value> = serde_json::from_str(value).ok()?;
    list.into_iter()
        .map(|part| match part {
            serde_json::Value::String(text) => Some(text.trim().to_owned()),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
        .collect()
}

fn between(value: &str, separator: char) -> Vec<String> {
    value.split(separator).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn counted(parts: impl Iterator<Item = Vec<String>>, values: &[(String, u64)]) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for (mut parts, (_, n)) in parts.zip(values) {
        parts.sort();
        parts.dedup();
        for part in parts {
            *counts.entry(part).or_default() += n;
        }
    }
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(values: &[(&str, u64)]) -> Option<Vec<(String, u64)>> {
        let values: Vec<(String, u64)> = values.iter().map(|(value, n)| ((*value).to_owned(), *n)).collect();
        several_in(&values)
    }

    fn named(of: &[(&str, u64)]) -> Option<Vec<(String, u64)>> {
        Some(of.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect())
    }

    #[test]
    fn lists_and_separators_are_several_labels_with_the_rows_of_each() {
        let of = [("billing", 5), ("refund", 3)];
        for separator in ["#", "|", "; ", ", "] {
            let both = format!("billing{separator}refund");
            assert_eq!(labels(&[("billing", 3), (&both, 2), ("refund", 1)]), named(&of), "{separator}");
        }
        let lists = [("[\"billing\"]", 3), ("[\"billing\",\"refund\"]", 2), ("[]", 4), ("[\"refund\"]", 1)];
        assert_eq!(labels(&lists), named(&of), "an empty list is none of them");
    }

    #[test]
    fn a_name_with_a_comma_in_it_is_one_label() {
        assert_eq!(labels(&[("complaint", 3), ("Other, please say", 2)]), None);
        assert_eq!(labels(&[("spam", 3), ("ham", 2)]), None);
        assert_eq!(labels(&[("1", 3), ("2", 2), ("3", 2)]), None);
        assert_eq!(labels(&[("[redacted", 3), ("b", 2)]), None);
    }
}
