//! Examples of a task that quote a text which was removed from the project.

use std::collections::HashSet;

use super::item::ItemKey;

/// A task's TOML without the examples that are one of these texts. None where there is no such example, or no TOML.
pub fn toml_without_examples(toml: &str, texts: &HashSet<ItemKey>) -> Option<String> {
    let mut task: toml::Table = toml::from_str(toml).ok()?;
    let mut found = false;
    for label in task.get_mut("label")?.as_array_mut()? {
        let Some(examples) = label.get_mut("examples").and_then(|list| list.as_array_mut()) else { continue };
        let before = examples.len();
        examples.retain(|example| example.as_str().is_none_or(|text| !texts.contains(&ItemKey::of(text))));
        found |= examples.len() < before;
    }
    if found { toml::to_string(&task).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_examples_that_are_a_removed_text_go() {
        let toml = "question = \"?\"\n[[label]]\nname = \"a\"\nexamples = [\"One  text\", \"another\"]\n[[label]]\nname = \"b\"\n";
        let gone = HashSet::from([ItemKey::of("One text")]);
        let left = toml_without_examples(toml, &gone).unwrap();
        assert!(!left.contains("One") && left.contains("another") && left.contains("name = \"b\""), "{left}");
        assert_eq!(toml_without_examples(&left, &gone), None);
    }
}
