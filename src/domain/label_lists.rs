//! Cells that hold several labels at once: a list of JSON, or names of other cells with a sign between them.

use std::collections::BTreeSet;

/// The signs that other programs write between labels.
const BETWEEN: [char; 6] = ['#', ';', '|', ',', '/', '+'];

/// The labels in a cell that holds several; none if it holds one. `known` are all cells: a name with a sign in it is several labels only if each
/// part is a label elsewhere.
pub fn several_in(cell: &str, known: &BTreeSet<&str>) -> Option<Vec<String>> {
    if let Ok(listed) = serde_json::from_str::<Vec<serde_json::Value>>(cell) {
        let plain =
            |value: serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        return (listed.len() > 1).then(|| listed.into_iter().map(plain).collect());
    }
    BETWEEN.iter().find_map(|sign| {
        let parts: Vec<&str> = cell.split(*sign).map(str::trim).collect();
        let are_known = parts.len() > 1 && parts.iter().all(|part| known.contains(part));
        are_known.then(|| parts.into_iter().map(str::to_owned).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_labels_are_told_from_a_name_with_a_sign_in_it() {
        let known = BTreeSet::from(["billing", "refund", "billing#refund", "n/a", "R+D"]);
        assert_eq!(several_in("billing#refund", &known).unwrap(), ["billing", "refund"]);
        assert_eq!(several_in("refund; billing", &known).unwrap(), ["refund", "billing"]);
        assert_eq!(several_in(r#"["billing", "refund"]"#, &known).unwrap(), ["billing", "refund"]);
        assert_eq!(several_in("[1, 2]", &known).unwrap(), ["1", "2"]);
        for one in ["n/a", "R+D", "billing", "[\"billing\"]", "", "#"] {
            assert_eq!(several_in(one, &known), None, "{one}");
        }
    }
}
