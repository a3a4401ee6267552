//! The audit in sentences, as a person would say it.

use crate::domain::figure::Figure;
use crate::stats::estimate::audit::LabelAudit;

/// Labels of which nothing is known that are named.
const NAMED: usize = 5;

/// Precision and recall, each with its own interval and n: "Of 100 texts flagged as spam, about 80 are right (52 to 94, n = 15). Of 100 texts
/// that are spam, about 60 are found (38 to 79, n = 20)."
pub fn label_in_words(name: &str, audit: &LabelAudit) -> String {
    let precision = match of_100(&audit.precision) {
        Some([right, lo, hi, n]) => {
            format!("Of 100 texts flagged as {name}, about {right} are right ({lo} to {hi}, n = {n}).")
        }
        None => format!("How many texts flagged as {name} are right is not known yet."),
    };
    let recall = match of_100(&audit.recall) {
        Some([found, lo, hi, n]) => {
            format!("Of 100 texts that are {name}, about {found} are found ({lo} to {hi}, n = {n}).")
        }
        None => format!("How many texts that are {name} are found is not known yet."),
    };
    format!("{precision} {recall}")
}

/// The same of all labels of which anything is known, and one sentence about the others.
pub fn labels_in_words<'a>(labels: impl Iterator<Item = (&'a str, &'a LabelAudit)>) -> Vec<String> {
    let is_known = |audit: &LabelAudit| audit.precision.value().is_some() || audit.recall.value().is_some();
    let (known, unknown): (Vec<_>, Vec<_>) = labels.partition(|(_, audit)| is_known(audit));
    let mut says: Vec<String> = known.iter().map(|(name, audit)| label_in_words(name, audit)).collect();
    match (&unknown[..], known.is_empty()) {
        ([], _) => {}
        (_, true) => says.push("How often the model is right is not known yet for any label.".into()),
        (several, false) => {
            let names: Vec<&str> = several.iter().map(|(name, _)| *name).take(NAMED).collect();
            let more = match several.len().saturating_sub(NAMED) {
                0 => String::new(),
                n => format!(" and {n} more"),
            };
            says.push(format!(
                "How often the model is right is not known yet for {}{more}.",
                names.join(", ")
            ));
        }
    }
    says
}

/// The label's share of the pool: "About 6 % (3 to 11 %) of all texts are hate (n = 45)." `None` if it is not known.
pub fn share_in_words(name: &str, audit: &LabelAudit) -> Option<String> {
    let Figure::Known { value, lo, hi, n } = &audit.prevalence else { return None };
    let [value, lo, hi] = [value, lo, hi].map(|share| percent(*share));
    Some(format!("About {value} % ({lo} to {hi} %) of all texts are {name} (n = {n})."))
}

/// A share with the ends of its interval, out of 100, and its n.
fn of_100(figure: &Figure) -> Option<[usize; 4]> {
    let Figure::Known { value, lo, hi, n } = figure else { return None };
    let [value, lo, hi] = [value, lo, hi].map(|share| (100.0 * share).round() as usize);
    Some([value, lo, hi, *n])
}

/// A share in percent, with one decimal if it is below 1 % but not 0.
fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent > 0.0 && percent < 1.0 { format!("{percent:.1}") } else { format!("{:.0}", percent.abs()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::task_kind::TaskKind;
    use crate::stats::estimate::audit::{AuditCase, audit};

    fn cases(predicted: usize, answered: usize, times: usize) -> Vec<AuditCase> {
        vec![AuditCase::of_labels(0.5, predicted, [answered]); times]
    }

    #[test]
    fn each_figure_is_said_with_its_own_interval_and_n() {
        let found = audit(
            &[cases(1, 1, 12), cases(1, 0, 3), cases(0, 1, 8), cases(0, 0, 22)].concat(),
            2,
            TaskKind::One,
            1,
        );
        let spam = &found.labels[1];
        let [precision, recall] = [&spam.precision, &spam.recall].map(|figure| match figure {
            Figure::Known { lo, hi, n, .. } => format!("({:.0} to {:.0}, n = {n})", 100.0 * lo, 100.0 * hi),
            Figure::Undefined { undefined } => panic!("{undefined}"),
        });
        assert!(precision.ends_with("n = 15)") && recall.ends_with("n = 20)"), "{precision} {recall}");
        assert_eq!(
            label_in_words("spam", spam),
            format!(
                "Of 100 texts flagged as spam, about 80 are right {precision}. Of 100 texts that are spam, about 60 are found {recall}."
            )
        );
        let says = share_in_words("spam", spam).unwrap();
        assert!(
            says.starts_with("About 44 % (") && says.ends_with(" %) of all texts are spam (n = 45)."),
            "{says}"
        );
    }

    #[test]
    fn labels_of_which_nothing_is_known_share_one_sentence() {
        let found = audit(
            &[cases(1, 1, 12), cases(1, 0, 3), cases(0, 1, 8), cases(0, 0, 22)].concat(),
            9,
            TaskKind::One,
            1,
        );
        let names: Vec<String> = (0..9).map(|n| format!("label {n}")).collect();
        let of = |from: usize| {
            labels_in_words(names[from..].iter().map(String::as_str).zip(&found.labels[from..]))
        };
        let says = of(0);
        assert_eq!(says.len(), 3, "{says:?}");
        let last = "How often the model is right is not known yet for label 2, label 3, label 4, label 5, label 6 and 2 more.";
        assert_eq!(says[2], last);
        assert_eq!(of(2), ["How often the model is right is not known yet for any label."]);
    }

    #[test]
    fn what_is_not_known_yet_is_said_so_and_nothing_is_said_of_an_unknown_share() {
        let found = audit(&[cases(1, 1, 4), cases(0, 0, 30), cases(0, 1, 1)].concat(), 2, TaskKind::One, 1);
        let says = label_in_words("spam", &found.labels[1]);
        assert!(
            says.starts_with("How many texts flagged as spam are right is not known yet. Of 100"),
            "{says}"
        );
        let none = audit(&[], 2, TaskKind::One, 1);
        assert_eq!(share_in_words("spam", &none.labels[1]), None);
        assert!(
            label_in_words("ham", &none.labels[0])
                .ends_with("How many texts that are ham are found is not known yet.")
        );
    }

    #[test]
    fn a_small_share_has_one_decimal_and_none_is_0() {
        assert_eq!([0.0, 0.0004, 0.006, 0.0149, 1.0].map(percent), ["0", "0.0", "0.6", "1", "100"]);
        let found = audit(&[cases(1, 1, 10), cases(0, 0, 30)].concat(), 3, TaskKind::One, 1);
        let says = share_in_words("egg", &found.labels[2]).unwrap();
        assert!(says.starts_with("About 0 % (0 to 9 %) of all texts"), "{says}");
    }
}
