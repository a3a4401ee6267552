//! What may change of the kind of a task and of a scale once there are answers: nothing that would make distances of answers others than they were.

use super::fault::{Fault, Result};
use super::task::Task;

/// Refuses a revision that would change what standing answers mean. `answered` says whether anything was answered, `predicted` are the stable keys of the
/// labels of each model that stands, in its order: its probabilities have the order of the levels that it was made for.
///
/// The kind stays as it was once something was answered. Of a scale, the distance of any two answered levels must stay: levels may then be added or
/// removed at its ends, but none between others, and none changes its place among them. Before there are answers, levels may be put in another order
/// as long as no model has read texts by the old one.
///
/// # Errors
/// One sentence for each of these.
pub fn check<'p>(
    before: &Task,
    after: &Task,
    answered: bool,
    mut predicted: impl Iterator<Item = &'p [String]>,
) -> Result<()> {
    const CHANGE: &str = "change the task";
    const ANOTHER: &str =
        "To ask for something else, make a new project of the same texts: `hardcase new FILE`";
    if answered && before.kind != after.kind {
        return Err(Fault::usage(
            CHANGE,
            "what is asked for, one label, several or a scale, is fixed once something was answered",
        )
        .hint(ANOTHER));
    }
    if !after.kind.is_scale() {
        return Ok(());
    }
    if answered && !keeps_distances(&before.label_ids(), &after.label_ids()) {
        return Err(Fault::usage(
            CHANGE,
            "once something was answered, levels can be added to a scale or removed from it only at its ends, and stay in their order",
        )
        .hint("A change in between would make answers that stand nearer or farther apart than they were given"));
    }
    let order = after.label_ids();
    if predicted.any(|labels| !is_in_order(labels, &order)) {
        return Err(Fault::usage(
            CHANGE,
            "the texts were read with the labels in another order, and the levels of a scale count by their order",
        )
        .hint(ANOTHER));
    }
    Ok(())
}

/// Whether the levels that both have are next to each other in both, in the same order.
fn keeps_distances(before: &[String], after: &[String]) -> bool {
    let places = |of: &[String], other: &[String]| -> Vec<usize> {
        (0..of.len()).filter(|at| other.contains(&of[*at])).collect()
    };
    let (old, new) = (places(before, after), places(after, before));
    let in_one_piece = |places: &[usize]| places.windows(2).all(|two| two[1] == two[0] + 1);
    let same = old.iter().zip(&new).all(|(old, new)| before[*old] == after[*new]);
    !old.is_empty() && in_one_piece(&old) && in_one_piece(&new) && same
}

/// Whether those of `labels` that stand in `order` stand in it one after another.
fn is_in_order(labels: &[String], order: &[String]) -> bool {
    let places: Vec<usize> =
        labels.iter().filter_map(|label| order.iter().position(|other| other == label)).collect();
    places.is_sorted()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::task::Label;
    use crate::domain::task_kind::TaskKind;

    fn task(kind: TaskKind, names: &[&str]) -> Task {
        let label = |name: &&str| Label {
            id: (*name).into(),
            name: (*name).into(),
            key: None,
            description: String::new(),
            examples: Vec::new(),
            share: None,
        };
        Task::of_kind(kind, String::new(), "?".into(), String::new(), names.iter().map(label).collect())
            .unwrap()
    }

    fn scale(names: &[&str]) -> Task {
        task(TaskKind::Scale, names)
    }

    fn may(before: &Task, after: &Task, answered: bool) -> bool {
        check(before, after, answered, std::iter::empty()).is_ok()
    }

    #[test]
    fn the_kind_is_fixed_once_something_was_answered() {
        let (one, levels) = (task(TaskKind::One, &["1", "2"]), scale(&["1", "2"]));
        assert!(may(&one, &levels, false) && may(&levels, &one, false));
        assert!(!may(&one, &levels, true) && !may(&levels, &one, true) && may(&levels, &levels, true));
        assert!(may(&one, &task(TaskKind::One, &["2", "3", "1"]), true), "without an order nothing is fixed");
    }

    #[test]
    fn answered_levels_keep_their_distances() {
        let before = scale(&["2", "3", "4"]);
        for ends in [&["1", "2", "3", "4"][..], &["2", "3", "4", "5", "6"], &["3", "4"], &["1", "2", "3"]] {
            assert!(may(&before, &scale(ends), true), "{ends:?}");
        }
        for between in
            [&["2", "4"][..], &["2", "2b", "3", "4"], &["3", "2", "4"], &["4", "3", "2"], &["7", "8"]]
        {
            assert!(!may(&before, &scale(between), true), "{between:?}");
            assert!(may(&before, &scale(between), false), "{between:?}");
        }
    }

    #[test]
    fn a_model_of_another_order_forbids_the_scale() {
        let labels = ["1", "2", "3"].map(str::to_owned);
        let after =
            |names: &[&str]| check(&scale(&["1", "2", "3"]), &scale(names), false, [&labels[..]].into_iter());
        assert!(after(&["1", "3"]).is_ok() && after(&["0", "1", "2", "3"]).is_ok());
        assert!(after(&["3", "2", "1"]).unwrap_err().to_string().contains("in another order"));
    }
}
