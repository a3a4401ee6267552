//! What a line means: a label by key, name or the beginning of its name, or one of the words. A label comes first, as its key does on the Case screen.

use crate::domain::answer::SaidLabels;
use crate::domain::ids::CaseId;
use crate::domain::task::Task;

/// A beginning of a name has at least so many characters: one is a key, or a slip.
const BEGINNING: usize = 2;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// What is answered, by the labels' names.
    Labels(SaidLabels),
    Undo,
    Redo,
    Skip,
    Flag,
    Note(String),
    /// How sure, 1 to 3.
    Sure(u8),
    Similar,
    Guideline,
    AllLabels,
    Again,
    Earlier,
    Later,
    Case(CaseId),
    NextRound,
    Help,
    Quit,
    Nothing,
    /// None of these; with what to say.
    Unknown(String),
}

/// The meaning of a line without blanks around it.
pub(super) fn words_of(line: &str, task: &Task) -> Word {
    if line.is_empty() {
        return Word::Nothing;
    }
    if let Ok(label) = task.find_label(line) {
        return Word::Labels((&label.name).into());
    }
    if task.kind.is_several()
        && let Some(word) = several(line, task)
    {
        return word;
    }
    let (first, rest) =
        line.split_once(char::is_whitespace).map_or((line, ""), |(first, rest)| (first, rest.trim()));
    match (first, first.to_lowercase().as_str(), rest) {
        ("U", _, "") | (_, "redo", "") => Word::Redo,
        (_, "u" | "undo", "") => Word::Undo,
        (_, "s" | "skip", "") => Word::Skip,
        (_, "f" | "flag", "") => Word::Flag,
        (_, "n" | "note", "") => Word::Unknown("Type the note behind the word: note TEXT".into()),
        (_, "n" | "note", text) => Word::Note(text.to_owned()),
        (_, "unsure", "") => Word::Sure(1),
        (_, "fairly", "" | "sure") => Word::Sure(2),
        (_, "sure", "") => Word::Sure(3),
        (_, "similar", "") => Word::Similar,
        (_, "g" | "guideline", "") => Word::Guideline,
        (_, "labels", "") => Word::AllLabels,
        (_, "again", "") => Word::Again,
        (_, "back", "") => Word::Earlier,
        (_, "forward", "") => Word::Later,
        (_, "next", "") => Word::NextRound,
        (_, "?" | "h" | "help", "") => Word::Help,
        (_, "q" | "quit" | "exit", "") => Word::Quit,
        (_, "case", number) if number.parse::<i64>().is_ok() => {
            Word::Case(CaseId(number.parse().unwrap_or_default()))
        }
        _ => beginning(line, task),
    }
}

/// All labels of a line with commas between them, or that it is none of them; nothing where the line is a word of another kind.
fn several(line: &str, task: &Task) -> Option<Word> {
    if line.eq_ignore_ascii_case("none") {
        return Some(Word::Labels(SaidLabels::default()));
    }
    let parts: Vec<&str> = line.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    // A note may hold commas.
    if parts.len() < 2 || parts[0].split_whitespace().next().is_some_and(|word| ["n", "note"].contains(&word))
    {
        return None;
    }
    let mut names = Vec::new();
    for part in parts {
        match task
            .find_label(part)
            .map_or_else(|_| beginning(part, task), |label| Word::Labels((&label.name).into()))
        {
            Word::Labels(found) => names.extend(found.0),
            unknown => return Some(unknown),
        }
    }
    Some(Word::Labels(names.into()))
}

/// A label by the beginning of its name, if that is the beginning of only one.
fn beginning(line: &str, task: &Task) -> Word {
    let typed = line.to_lowercase();
    let fits: Vec<&str> = (task.labels.iter().map(|label| label.name.as_str()))
        .filter(|name| typed.chars().count() >= BEGINNING && name.to_lowercase().starts_with(&typed))
        .collect();
    match &fits[..] {
        [name] => Word::Labels((*name).into()),
        [] => Word::Unknown(format!(
            "'{line}' is no label and no word. Nothing was saved; type ? for what you can type."
        )),
        several => Word::Unknown(format!(
            "'{line}' may be {}. Nothing was saved; type more of the name.",
            several.join(", ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_comes_before_a_word_and_a_beginning_must_be_of_one_label_only() {
        let toml = "question='?'\n[[label]]\nname='card lost'\nkey='1'\n[[label]]\nname='card stolen'\nkey='2'\n[[label]]\nname='skip'\nkey='b'\n";
        let task = Task::from_toml(toml, "t").unwrap();
        let word = |line| words_of(line, &task);
        let label = |name: &str| Word::Labels(name.into());
        assert_eq!(word("1"), label("card lost"));
        assert_eq!(word("Card Stolen"), label("card stolen"));
        assert_eq!(word("card s"), label("card stolen"));
        assert_eq!(word("skip"), label("skip"), "the label; the word has its key s");
        assert_eq!(
            (word("s"), word("u"), word("U"), word("b")),
            (Word::Skip, Word::Undo, Word::Redo, label("skip"))
        );
        assert_eq!(word("note 1"), Word::Note("1".into()));
        assert_eq!(word("case 12"), Word::Case(CaseId(12)));
        assert_eq!((word(""), word("exit"), word("fairly sure")), (Word::Nothing, Word::Quit, Word::Sure(2)));
        for (line, says) in [
            ("card", "may be card lost, card stolen"),
            ("c", "no label"),
            ("12", "no label"),
            ("undo it", "no label"),
        ] {
            assert!(matches!(word(line), Word::Unknown(said) if said.contains(says)), "{line}");
        }
    }

    #[test]
    fn of_several_labels_a_line_names_all_that_are_right_or_none() {
        let toml = "question='?'\nkind='several'\n[[label]]\nname='card lost'\nkey='1'\n[[label]]\nname='card stolen'\nkey='2'\n";
        let task = Task::from_toml(toml, "t").unwrap();
        let word = |line| words_of(line, &task);
        let labels = |names: &[&str]| Word::Labels(SaidLabels(names.iter().map(|&n| n.to_owned()).collect()));
        assert_eq!(word("1"), labels(&["card lost"]));
        assert_eq!(word("2, card lost"), labels(&["card stolen", "card lost"]));
        assert_eq!(word("card s,1"), labels(&["card stolen", "card lost"]));
        assert_eq!((word("none"), word("None")), (labels(&[]), labels(&[])));
        assert_eq!(word("note 1, 2"), Word::Note("1, 2".into()));
        assert!(
            matches!(word("1, card"), Word::Unknown(said) if said.contains("may be")),
            "nothing is saved"
        );
        assert!(matches!(word("1, 7"), Word::Unknown(said) if said.contains("'7' is no label")));
    }
}
