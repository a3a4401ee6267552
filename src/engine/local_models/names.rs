//! From what a person types to a model file: a path, or a name of the list.

use similar::TextDiff;

use super::files::Found;
use crate::domain::fault::{Fault, Result};

/// Names that are proposed, or listed where one could mean several.
const MOST_NAMES: usize = 5;
/// How alike a name must be to be proposed, from 0 to 1.
const ALIKE: f32 = 0.55;

/// The one model that `typed` can mean: by a whole name, whatever its case; without the ending of a file; without the tag, or the keeper, where
/// only one is left.
///
/// # Errors
/// No model or several: one sentence with the names that come near.
pub(super) fn named<'f>(all: &'f [Found], typed: &str) -> Result<&'f Found> {
    let attempted = format!("use the model {typed}");
    let plain = typed.strip_suffix(".gguf").unwrap_or(typed).to_lowercase();
    let latest = format!("{plain}:latest");
    let rules: [&dyn Fn(&str) -> bool; 5] = [
        &|name| name == typed,
        &|name| name.to_lowercase() == plain,
        &|name| name.to_lowercase() == latest,
        &|name| name.rsplit_once('@').is_some_and(|(name, _)| name.to_lowercase() == plain),
        &|name| name.rsplit_once(':').is_some_and(|(name, _)| name.to_lowercase() == plain),
    ];
    for rule in rules {
        let meant: Vec<&Found> = all.iter().filter(|found| found.names().any(rule)).collect();
        match meant[..] {
            [] => {}
            [one] => return Ok(one),
            _ => {
                let names = listed(meant.iter().map(|found| found.name.as_str()));
                return Err(Fault::usage(
                    attempted,
                    format!("{} models of this machine are called so", meant.len()),
                )
                .hint(format!("Give the whole name: {names}")));
            }
        }
    }
    let fault = Fault::usage(attempted, "there is no such file, and no model on this machine is called so");
    let near = near(all, &plain);
    Err(fault.hint(match near.is_empty() {
        true => "`hardcase models` lists those that there are; any other needs the path of its GGUF file"
            .to_owned(),
        false => format!("Do you mean {}? `hardcase models` lists all", listed(near.into_iter())),
    }))
}

/// Names that are like the typed one, the most alike first.
fn near<'f>(all: &'f [Found], typed: &str) -> Vec<&'f str> {
    let mut near: Vec<(f32, &str)> = all
        .iter()
        .map(|found| {
            let name = found.name.to_lowercase();
            let within = !typed.is_empty() && (name.contains(typed) || typed.contains(&name));
            // Without its tag or keeper, too: people forget both.
            let plain = name.split([':', '@']).next().unwrap_or_default();
            let ratio = |name: &str| TextDiff::from_chars(typed, name).ratio();
            let alike = ratio(&name).max(ratio(plain));
            (if within { 1.0 + alike } else { alike }, found.name.as_str())
        })
        .filter(|(alike, _)| *alike >= ALIKE)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    near.into_iter().map(|(_, name)| name).take(MOST_NAMES).collect()
}

/// `a`, `a or b`, `a, b or c`; not more than a line takes.
fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut names: Vec<&str> = names.collect();
    if names.len() > MOST_NAMES {
        names.truncate(MOST_NAMES);
        return format!("{} or another", names.join(", "));
    }
    match &names[..] {
        [before @ .., last] if !before.is_empty() => format!("{} or {last}", before.join(", ")),
        names => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Found> {
        let of = |name: &str, also: &[&str]| Found {
            name: name.into(),
            also: also.iter().map(|name| (*name).to_owned()).collect(),
            keeper: None,
            parts: vec![name.into()],
            missing: 0,
        };
        vec![
            of("llama3.2:3b", &["llama3.2:latest"]),
            of("llama3.2:1b", &[]),
            of("qwen3:0.6b", &[]),
            of("qwen3:4b", &[]),
            of("Phi-4-mini-Q4_K_M", &[]),
            of("gemma@jan", &[]),
            of("gemma@lm-studio", &[]),
        ]
    }

    #[test]
    fn a_name_is_taken_as_a_person_types_it() {
        let all = all();
        for (typed, meant) in [
            ("llama3.2:3b", "llama3.2:3b"),
            ("llama3.2:latest", "llama3.2:3b"),
            ("llama3.2", "llama3.2:3b"),
            ("LLAMA3.2:1B", "llama3.2:1b"),
            ("phi-4-mini-q4_k_m", "Phi-4-mini-Q4_K_M"),
            ("Phi-4-mini-Q4_K_M.gguf", "Phi-4-mini-Q4_K_M"),
            ("gemma@jan", "gemma@jan"),
        ] {
            assert_eq!(named(&all, typed).unwrap().name, meant, "{typed}");
        }
    }

    #[test]
    fn a_name_that_means_several_or_none_is_refused_in_a_sentence_with_names() {
        let all = all();
        let said = |typed: &str| named(&all, typed).unwrap_err().to_string();
        assert_eq!(
            said("qwen3"),
            "cannot use the model qwen3: 2 models of this machine are called so. Give the whole name: qwen3:0.6b or qwen3:4b"
        );
        assert!(
            said("gemma").ends_with("Give the whole name: gemma@jan or gemma@lm-studio"),
            "{}",
            said("gemma")
        );
        assert_eq!(
            said("qwen3:06b"),
            "cannot use the model qwen3:06b: there is no such file, and no model on this machine is called so. Do you mean qwen3:0.6b or \
             qwen3:4b? `hardcase models` lists all"
        );
        assert!(said("zzz").contains("`hardcase models` lists those that there are"), "{}", said("zzz"));
        assert!(said("").contains("no model"), "{}", said(""));
    }
}
