//! The labels' probabilities from lists of likely next tokens, by the tokens' text alone, because a server's vocabulary is not known.
//!
//! Each listed token is credited to the labels whose name begins with it, ignoring white space before the name. If it leads to several labels
//! and has more than a hundredth of the credit, a further request asks for the tokens after it. Tokens that lead to no label do not count, as in
//! [`Answers`](crate::engine::judge::Answers): the labels' probabilities sum to 1.

use super::answer::Listed;
use crate::domain::fault::Result;

/// A token that leads to several labels is followed by a further request if its share of the credit is larger than this; else they share it.
const LOOKED_BEHIND: f64 = 0.01;
/// An unlisted token can be as likely as the least listed one, or as what is left of 1. Servers round, so at least this is left.
const LEFT: f64 = 1e-6;

const LINE_BREAKS: [char; 2] = ['\n', '\r'];

/// Requests the likeliest tokens after the beginning of an answer, which may become one of these labels.
pub(super) type Look<'l> = dyn FnMut(&str, &[usize]) -> Result<Vec<Listed>> + 'l;

/// The result of the requests.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Walked {
    /// Each label's probability; they sum to 1.
    pub p: Vec<f64>,
    /// Whether no token of the first list led to a label, so that all probabilities are equal.
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

/// A listed token that leads to labels.
struct Step {
    said: String,
    to: Vec<usize>,
    p: f64,
}

impl Walk<'_, '_> {
    /// Spreads `share` over the labels that begin with `said`. Returns whether any token led to one.
    fn spread(&mut self, said: &str, among: &[usize], share: f64) -> Result<bool> {
        let listed = (self.look)(said, among)?;
        let spelled = said.trim_start();
        let mut steps = self.steps(said, &listed, 1.0, among);
        let credited: f64 = steps.iter().map(|step| step.p).sum();
        if said.is_empty() {
            // A token of white space alone chooses no name: what follows it counts like what follows the cue.
            let spaces = listed.iter().filter(|token| is_space(&token.text));
            for space in spaces.filter(|space| space.p > LOOKED_BEHIND * (credited + space.p)) {
                let behind = (self.look)(&space.text, among)?;
                steps.extend(self.steps(&space.text, &behind, space.p, among));
            }
        }
        // A name that is complete is the answer, unless it continues as another name.
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

    /// The listed tokens that lead from `said`, which has the probability `before`, to labels.
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

/// The labels whose names continue with a token after `said`.
fn leads(labels: &[String], said: &str, token: &str, among: &[usize]) -> Vec<usize> {
    let spelled = said.trim_start();
    let next = if spelled.is_empty() { token.trim_start() } else { token };
    // An answer is on the cue's line.
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

    /// Walks over lists, keyed by the text before them. Also returns the requests.
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
    fn labels_that_differ_in_their_first_token_take_one_request() {
        let tokens = [(" spam", 0.5), ("sp", 0.1), ("\n", 0.2), (" h", 0.15), (" the", 0.04), ("", 0.01)];
        let (walked, asked) = walked(&["spam", "ham"], &[("", &tokens)]);
        are(&walked.p, &[0.8, 0.2]);
        assert_eq!((walked.unlisted, asked), (false, vec![String::new()]));
    }

    #[test]
    fn labels_with_a_common_prefix_take_a_further_request() {
        let first = [(" c", 0.6), (" dog", 0.3), (" ca", 0.001)];
        let behind = [("at", 0.5), ("ar", 0.25), ("ow", 0.1)];
        let (walked, asked) = walked(&["cat", "car", "dog"], &[("", &first), (" c", &behind)]);
        let sum = 0.901;
        let cat = (0.6 * 2.0 / 3.0 + 0.0005) / sum;
        are(&walked.p, &[cat, (0.6 / 3.0 + 0.0005) / sum, 0.3 / sum]);
        assert_eq!(asked, ["", " c"], "what is next to nothing is shared, not looked behind");
    }

    #[test]
    fn a_name_that_is_a_prefix_of_another_is_the_answer_unless_it_continues() {
        let (walked, _) = walked(
            &["dog", "dog house", "cat"],
            &[("", &[(" dog", 0.8), (" cat", 0.2)]), (" dog", &[(" ho", 0.25), ("\n", 0.6), (" and", 0.1)])],
        );
        are(&walked.p, &[0.8 * 0.75, 0.8 * 0.25, 0.2]);
    }

    #[test]
    fn a_token_of_white_space_is_followed_and_a_line_break_is_not() {
        let (walked, asked) = walked(
            &["1", "2"],
            &[("", &[(" ", 0.9), ("\n", 0.1)]), (" ", &[("1", 0.6), ("2", 0.2), (" ", 0.2)])],
        );
        are(&walked.p, &[0.75, 0.25]);
        assert_eq!(asked, ["", " "]);
        let first = [(" a", 0.2), (" b", 0.1), (" ", 0.5)];
        let (nowhere, _) = self::walked(&["ab", "ba"], &[("", &first), (" ", &[("x", 1.0)])]);
        are(&nowhere.p, &[2.0 / 3.0, 1.0 / 3.0]);
        let (together, _) = self::walked(&["ab", "ba"], &[("", &first), (" ", &[("b", 0.4), ("x", 0.6)])]);
        are(&together.p, &[0.4, 0.6]);
    }

    #[test]
    fn an_unlisted_label_gets_at_most_what_the_least_listed_token_has() {
        let (walked, _) = walked(&["a", "b", "c"], &[("", &[("a", 0.6), ("x", 0.1), ("b", 0.2)])]);
        are(&walked.p, &[0.6 / 0.9, 0.2 / 0.9, 0.1 / 0.9]);
        let (walked, _) = self::walked(&["a", "b"], &[("", &[("a", 0.9), ("x", 0.08)])]);
        are(&walked.p, &[0.9 / 0.92, 0.02 / 0.92]);
    }

    #[test]
    fn if_no_token_leads_to_a_label_all_probabilities_are_equal_and_it_is_reported() {
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
