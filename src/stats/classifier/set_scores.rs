//! Micro and macro F1 of predicted sets of labels, where a text may have several.

use crate::domain::figure::Figure;
use crate::domain::label_set::LabelSet;
use crate::stats::agreement::kappa::LEAST_CASES;
use crate::stats::classifier::scores::f1_never_certain;
use crate::stats::estimate::bootstrap::{figure, replicates};

/// What was counted of each label: (predicted and given, predicted, given).
#[derive(Clone, Debug, PartialEq)]
pub struct SetCounts(Vec<(f64, f64, f64)>);

impl SetCounts {
    /// Of pairs (predicted, given).
    pub fn over<'a>(pairs: impl IntoIterator<Item = (&'a LabelSet, &'a LabelSet)>, labels: usize) -> Self {
        let mut counts = vec![(0.0, 0.0, 0.0); labels];
        for (predicted, given) in pairs {
            for label in predicted.places() {
                counts[label].1 += 1.0;
                counts[label].0 += f64::from(u8::from(given.has(label)));
            }
            given.places().for_each(|label| counts[label].2 += 1.0);
        }
        Self(counts)
    }

    /// F1 of all labels together, each label of each text counting once. `None` if no text has one and none was predicted to.
    pub fn micro_f1(&self) -> Option<f64> {
        let (both, all) = self.0.iter().fold((0.0, 0.0), |(both, all), of| (both + of.0, all + of.1 + of.2));
        (all > 0.0).then(|| 2.0 * both / all)
    }

    /// The unweighted mean of F1 over the labels that some text has or was predicted to have.
    pub fn macro_f1(&self) -> Option<f64> {
        let known: Vec<f64> =
            self.0.iter().filter(|of| of.1 + of.2 > 0.0).map(|of| 2.0 * of.0 / (of.1 + of.2)).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }
}

/// Micro and macro F1 of predictions against given sets, each with its bootstrap interval over cases.
pub fn f1_of_sets(pairs: &[(LabelSet, LabelSet)], labels: usize, seed: u64) -> [Figure; 2] {
    let (predicted, given): (Vec<_>, Vec<_>) =
        pairs.iter().map(|(a, b)| (a.clone(), Some(b.clone()))).unzip();
    mean_f1_of_sets(&predicted, &[given], labels, seed)
}

/// The same of a model against experts: the mean over experts, as [`crate::stats::agreement::kappa::mean_model_expert`] is. `model[case]`,
/// `experts[expert][case]`.
pub fn mean_f1_of_sets(
    model: &[LabelSet],
    experts: &[Vec<Option<LabelSet>>],
    labels: usize,
    seed: u64,
) -> [Figure; 2] {
    let answered = |expert: &&Vec<Option<LabelSet>>| expert.iter().flatten().count();
    let most = experts.iter().map(|expert| answered(&expert)).max().unwrap_or(0);
    let experts: Vec<&Vec<Option<LabelSet>>> =
        experts.iter().filter(|expert| answered(expert) >= LEAST_CASES).collect();
    if experts.is_empty() {
        return [(); 2].map(|()| Figure::undefined(format!("{most} of the {LEAST_CASES} cases needed")));
    }
    let each: [fn(&SetCounts) -> Option<f64>; 2] = [SetCounts::micro_f1, SetCounts::macro_f1];
    let of = |drawn: &[usize]| {
        let counts: Vec<SetCounts> = experts
            .iter()
            .map(|given| {
                let both = |at: &usize| Some((model.get(*at)?, given.get(*at)?.as_ref()?));
                SetCounts::over(drawn.iter().filter_map(both), labels)
            })
            .collect();
        each.map(|score| {
            let scores: Vec<f64> = counts.iter().filter_map(score).collect();
            (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
        })
    };
    let answers = |at: usize| experts.iter().filter_map(move |given| given.get(at)?.as_ref());
    let n = (0..model.len()).filter(|&at| answers(at).next().is_some()).count();
    // Cases in which either side has a label: only these can be wrong.
    let can_differ = |at: &usize| answers(*at).any(|given| !(given.is_empty() && model[*at].is_empty()));
    let effective = (0..model.len()).filter(can_differ).count();
    let whole = of(&(0..model.len()).collect::<Vec<_>>());
    let drawn = replicates(model.len(), seed, of);
    [0, 1].map(|at| match whole[at] {
        None => Figure::undefined("no case has a label, and none was predicted to have one"),
        Some(value) => {
            let found = figure(value, drawn.iter().map(|all| all[at]), n, "too few cases have a label");
            f1_never_certain(found, effective as f64)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(places: &[usize]) -> LabelSet {
        places.iter().copied().collect()
    }

    /// By hand, as scikit-learn's `f1_score` on the indicator matrices gives it: label 0 has 2 of 2 and 2, label 1 one of 2 and 1, label 2 none of 0 and 1. Micro
    /// 2 · 3 / 8; macro the mean of 1, 2/3 and 0.
    #[test]
    fn micro_and_macro_f1_are_those_worked_by_hand() {
        let pairs = [
            (set(&[0, 1]), set(&[0])),
            (set(&[1]), set(&[1, 2])),
            (set(&[0]), set(&[0])),
            (set(&[]), set(&[])),
        ];
        let counts = SetCounts::over(pairs.iter().map(|(a, b)| (a, b)), 4);
        assert!((counts.micro_f1().unwrap() - 0.75).abs() < 1e-12);
        assert!((counts.macro_f1().unwrap() - 5.0 / 9.0).abs() < 1e-12);
        assert_eq!(SetCounts::over([], 3).micro_f1(), None);
    }

    #[test]
    fn figures_have_intervals_and_a_perfect_model_is_not_certain() {
        let some: Vec<_> =
            (0..40).map(|i| (set(&[i % 3]), set(if i % 5 == 0 { &[0, 1] } else { &[0, 1, 2] }))).collect();
        for figure in f1_of_sets(&some, 3, 1) {
            let Figure::Known { value, lo, hi, n } = figure else { panic!("defined") };
            assert!(lo < value && value < hi && n == 40, "{lo} {value} {hi}");
        }
        let right: Vec<_> = (0..10).map(|i| (set(&[i % 3]), set(&[i % 3]))).collect();
        let [Figure::Known { value, lo, .. }, _] = f1_of_sets(&right, 3, 1) else { panic!("defined") };
        assert!(value == 1.0 && lo < 0.9, "{lo}");
        assert!(f1_of_sets(&right[..4], 3, 1)[0].to_string().contains("4 of the 5 cases needed"));
    }
}
