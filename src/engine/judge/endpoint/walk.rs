//! The labels' probabilities from lists of likely next tokens, by their text alone: a server's tokens have no numbers here.
//!
//! Each listed token is credited to the labels whose name begins with it, white space before the name aside. One that leads to several is
//! looked behind, where it has more than a hundredth of what is credited. Whatever leads to no label does not count, as in the judge's own
//! [`Answers`](crate::engine::judge::Answers): the labels' probabilities sum to 1.

use super::answer::Listed;
use crate::domain::fault::Result;

/// A token that leads to several labels is looked behind where its share of what is credited is larger than this; else they share it.
const LOOKED_BEHIND: f64 = 0.01;
/// What is not listed may be as likely as the least that is, or as what is left of 1; servers round, so not less than this is left.
const LEFT: f64 = 1e-6;

const LINE_BREAKS: [char; 2] = ['\n', '\r'];

/// Asks for the likeliest tokens after some words of an answer, which may be these labels'.
pub(super) type Look<'l> = dyn FnMut(&str, &[usize]) -> Result<Vec<Listed>> + 'l;

/// What came of the looks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Walked {
    /// Each label's probability; they sum to 1.
    pub p: Vec<f64>,
    /// Whether no token that was listed first led to a label, so that all are the same.
    pub unlisted: bool,
}

/// Walks from the cue to the labels.
///
/// # Errors
/// Those of `look`.
pub(super) fn walk(labels: &[String], look: &mut Look<'_>) -> Result<Walked> {
    let all: Vec<usize> = (0..labels.len()).collect();
    let mut walk = Walk { labels, look, p: vec![0.0; labels.len()] };
    let unlisted = !walk.spread("", &all, 1.0)?;
    Ok(Walked { p: walk.p, unlisted })
}

struct Walk<'w, 'l> {
    labels: &'w [String],
    look: &'w mut Look<'l>,
    p: Vec<f64>,
}

/// A token on the way to labels.
struct Step {
    said: String,
    to: Vec<usize>,
    p: f64,
}

impl Walk<'_, '_> {
    /// Spreads `share` over the labels that an answer beginning with `said` may still be. Whether any token led to one.
    fn spread(&mut self, said: &str, among: &[usize], share: f64) -> Result<bool> {
        let listed = (self.look)(said, among)?;
        let spelled = said.trim_start();
        let mut steps = self.steps(said, &listed, 1.0, among);
        let credited: f64 = steps.iter().map(|step| step.p).sum();
        if said.is_empty() {
            // White space of its own before a name is no choice between names: what follows it counts like what follows the cue.
            let spaces = listed.iter().filter(|token| is_space(&token.text));
            for space in spaces.filter(|space| space.p > LOOKED_BEHIND * (credited + space.p)) {
                let behind = (self.look)(&space.text, among)?;
                steps.extend(self.steps(&space.text, &behind, space.p, among));
            }
        }
        // A name that is said in full is the answer unless it goes on to be another.
        let is_whole = |label: &usize| !spelled.is_empty() && self.labels[*label] == spelled;
        let whole = among.iter().copied().find(is_whole);
        let credited: f64 = steps.iter().map(|step| step.p).sum();
        if whole.is_none() && credited <= 0.0 {
            self.share(share, among);
            return Ok(false);
        }
        let least = listed.iter().map(|token| token.p).fold(1.0, f64::min);
        let left = 1.0 - listed.iter().map(|token| token.p).sum::<f64>();
        let floor = least.min(left.max(LEFT));
        let is_unlisted =
            |label: &usize| Some(*label) != whole && steps.iter().all(|step| !step.to.contains(label));
        let unlisted: Vec<usize> = among.iter().copied().filter(is_unlisted).collect();
        let ended = whole.map_or(0.0, |_| (1.0 - credited).max(0.0));
        let unit = share / (credited + ended + floor * unlisted.len() as f64);
        if let Some(whole) = whole {
            self.p[whole] += ended * unit;
        }
        unlisted.iter().for_each(|&label| self.p[label] += floor * unit);
        for step in steps {
            let share = step.p * unit;
            if step.to.len() > 1 && share > LOOKED_BEHIND {
                self.spread(&step.said, &step.to, share)?;
            } else {
                self.share(share, &step.to);
            }
        }
        Ok(true)
    }

    /// Those of the listed tokens that lead from `said` to labels, which itself has the probability `before`.
    fn steps(&self, said: &str, listed: &[Listed], before: f64, among: &[usize]) -> Vec<Step> {
        let step = |token: &Listed| Step {
            said: format!("{said}{}", token.text),
            to: leads(self.labels, said, &token.text, among),
            p: before * token.p,
        };
        listed.iter().map(step).filter(|step| !step.to.is_empty()).collect()
    }

    fn share(&mut self, share: f64, among: &[usize]) {
        among.iter().for_each(|&label| self.p[label] += share / among.len() as f64);
    }
}

/// The labels whose names go on with a token after what is said.
fn leads(labels: &[String], said: &str, token: &str, among: &[usize]) -> Vec<usize> {
    let spelled = said.trim_start();
    let next = if spelled.is_empty() { token.trim_start() } else { token };
    // An answer stands on the cue's line.
    if next.is_empty() || token[..token.len() - next.len()].contains(LINE_BREAKS) {
        return Vec::new();
    }
    let goes_on = |label: &&usize| labels[**label].strip_prefix(spelled).is_some_and(|r| r.starts_with(next));
    among.iter().filter(goes_on).copied().collect()
}

fn is_space(token: &str) -> bool {
    !token.is_empty() && token.trim_start().is_empty() && !token.contains(LINE_BREAKS)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    /// Walks over lists by what was said before them; with what was asked.
    fn walked(labels: &[&str], lists: &[(&str, &[(&str, f64)])]) -> (Walked, Vec<String>) {
        let labels: Vec<String> = labels.iter().map(|&l| l.to_owned()).collect();
        let lists: HashMap<&str, &[(&str, f64)]> = lists.iter().copied().collect();
        let mut asked = Vec::new();
        let walked = walk(&labels, &mut |said, _| {
            asked.push(said.to_owned());
            Ok(lists[said].iter().map(|&(text, p)| Listed { text: text.into(), p }).collect())
        });
        (walked.unwrap(), asked)
    }

    #[track_caller]
    fn are(p: &[f64], expected: &[f64]) {
        for (p, e) in p.iter().zip(expected) {
            assert!((p - e).abs() < 1e-9, "{p} is not {e}");
        }
    }

    #[test]
    fn labels_that_differ_at_once_take_one_look() {
        let tokens = [(" spam", 0.5), ("sp", 0.1), ("\n", 0.2), (" h", 0.15), (" the", 0.04), ("", 0.01)];
        let (walked, asked) = walked(&["spam", "ham"], &[("", &tokens)]);
        are(&walked.p, &[0.8, 0.2]);
        assert_eq!((walked.unlisted, asked), (false, vec![String::new()]));
    }

    #[test]
    fn labels_that_begin_alike_are_looked_behind() {
        let first = [(" c", 0.6), (" dog", 0.3), (" ca", 0.001)];
        let behind = [("at", 0.5), ("ar", 0.25), ("ow", 0.1)];
        let (walked, asked) = walked(&["cat", "car", "dog"], &[("", &first), (" c", &behind)]);
        let sum = 0.901;
        let cat = (0.6 * 2.0 / 3.0 + 0.0005) / sum;
        are(&walked.p, &[cat, (0.6 / 3.0 + 0.0005) / sum, 0.3 / sum]);
        assert_eq!(asked, ["", " c"], "what is next to nothing is shared, not looked behind");
    }

    #[test]
    fn a_name_that_begins_another_is_the_answer_unless_it_goes_on() {
        let (walked, _) = walked(
            &["dog", "dog house", "cat"],
            &[("", &[(" dog", 0.8), (" cat", 0.2)]), (" dog", &[(" ho", 0.25), ("\n", 0.6), (" and", 0.1)])],
        );
        are(&walked.p, &[0.8 * 0.75, 0.8 * 0.25, 0.2]);
    }

    #[test]
    fn a_space_of_its_own_is_looked_behind_and_a_line_break_is_no_way() {
        let (walked, asked) = walked(
            &["1", "2"],
            &[("", &[(" ", 0.9), ("\n", 0.1)]), (" ", &[("1", 0.6), ("2", 0.2), (" ", 0.2)])],
        );
        are(&walked.p, &[0.75, 0.25]);
        assert_eq!(asked, ["", " "]);
        let first = [(" a", 0.2), (" b", 0.1), (" ", 0.5)];
        let (nowhere, _) = self::walked(&["ab", "ba"], &[("", &first), (" ", &[("x", 1.0)])]);
        are(&nowhere.p, &[2.0 / 3.0, 1.0 / 3.0]);
        let (beside, _) = self::walked(&["ab", "ba"], &[("", &first), (" ", &[("b", 0.4), ("x", 0.6)])]);
        are(&beside.p, &[0.4, 0.6]);
    }

    #[test]
    fn a_label_that_is_not_listed_gets_no_more_than_the_least_that_is() {
        let (walked, _) = walked(&["a", "b", "c"], &[("", &[("a", 0.6), ("x", 0.1), ("b", 0.2)])]);
        are(&walked.p, &[0.6 / 0.9, 0.2 / 0.9, 0.1 / 0.9]);
        let (walked, _) = self::walked(&["a", "b"], &[("", &[("a", 0.9), ("x", 0.08)])]);
        are(&walked.p, &[0.9 / 0.92, 0.02 / 0.92]);
    }

    #[test]
    fn where_no_token_leads_to_a_label_all_are_alike_and_that_is_said() {
        let tokens: &[(&str, f64)] = &[(" The", 0.9), ("\nspam", 0.1)];
        for list in [tokens, &[], &[(" ", 0.9)]] {
            let (walked, _) = walked(&["spam", "ham", "eggs", "tea"], &[("", list), (" ", &[("The", 0.9)])]);
            are(&walked.p, &[0.25; 4]);
            assert!(walked.unlisted);
        }
    }

    proptest! {
        #[test]
        fn probabilities_of_any_labels_and_lists_sum_to_one(
            labels in proptest::collection::btree_set("[ab]{1,4}", 1..8),
            tokens in proptest::collection::vec(("[ ab\n]{0,3}", 0.0f64..1.0), 0..12),
        ) {
            let labels: Vec<String> = labels.into_iter().collect();
            let sum: f64 = tokens.iter().map(|(_, p)| p).sum::<f64>().max(1.0);
            let mut looks = 0;
            let walked = walk(&labels, &mut |_, _| {
                looks += 1;
                Ok(tokens.iter().map(|(text, p)| Listed { text: text.clone(), p: p / sum }).collect())
            }).unwrap();
            prop_assert!((walked.p.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{:?}", walked.p);
            prop_assert!(walked.p.iter().all(|p| (0.0..=1.0 + 1e-9).contains(p)));
            prop_assert!(looks <= 500, "{looks}");
        }
    }
}
