//! What is computed of a scale, and of sets of labels, against scikit-learn, krippendorff and statsmodels, by what they gave for the same answers:
//! `tests/coefficients_real_libraries.py` writes and checks the file.

use ndarray::Array2;
use serde::Deserialize;

use super::kappa::{cohen, error_figure};
use super::krippendorff::{krippendorff, ordinal};
use super::ratings::Ratings;
use super::sets::{Distance, alpha_of};
use crate::domain::label_set::LabelSet;
use crate::domain::task_kind::TaskKind;
use crate::stats::classifier::logistic::{Examples, Problem};
use crate::stats::classifier::set_scores::SetCounts;

#[derive(Deserialize)]
struct Libraries {
    agreement: Vec<Agreement>,
    regression: Regression,
    sets: Vec<Sets>,
}

#[derive(Deserialize)]
struct Agreement {
    levels: usize,
    ratings: Vec<Vec<Option<usize>>>,
    weighted_kappa: f64,
    kappa: f64,
    absolute_error: f64,
    ordinal_alpha: f64,
    nominal_alpha: f64,
}

#[derive(Deserialize)]
struct Regression {
    x: Vec<Vec<f32>>,
    y: Vec<usize>,
    weights: Vec<f32>,
    thresholds: Vec<f32>,
}

#[derive(Deserialize)]
struct Sets {
    labels: usize,
    ratings: Vec<Vec<Option<Vec<usize>>>>,
    masi_alpha: f64,
    jaccard_alpha: f64,
    mean_kappa: f64,
    micro_f1: f64,
    macro_f1: f64,
}

fn libraries() -> Libraries {
    serde_json::from_str(include_str!("libraries.json")).unwrap()
}

#[test]
fn the_coefficients_of_a_scale_are_those_of_the_libraries() {
    for of in libraries().agreement {
        let both = of.ratings[0].iter().zip(&of.ratings[1]);
        let both: Vec<(usize, usize)> = both.filter_map(|(a, b)| a.zip(*b)).collect();
        let sums = Ratings::of(&of.ratings, of.levels, TaskKind::Scale).whole();
        for (found, expected, name) in [
            (cohen(&both, TaskKind::Scale).ok(), of.weighted_kappa, "weighted kappa"),
            (cohen(&both, TaskKind::One).ok(), of.kappa, "kappa"),
            (error_figure(&both, 1).value(), of.absolute_error, "absolute error"),
            (ordinal(&sums).coefficient(), of.ordinal_alpha, "ordinal alpha"),
            (krippendorff(&sums).coefficient(), of.nominal_alpha, "nominal alpha"),
        ] {
            assert!(
                found.is_some_and(|found| (found - expected).abs() < 1e-9),
                "{name}: {found:?}, not {expected}"
            );
        }
    }
}

#[test]
fn the_coefficients_of_sets_are_those_of_the_libraries() {
    for of in libraries().sets {
        let set = |given: Vec<usize>| given.into_iter().collect::<LabelSet>();
        let rows: Vec<Vec<Option<LabelSet>>> =
            of.ratings.into_iter().map(|row| row.into_iter().map(|given| given.map(set)).collect()).collect();
        let both = rows[0].iter().zip(&rows[1]).filter_map(|(a, b)| a.clone().zip(b.clone()));
        let both: Vec<(LabelSet, LabelSet)> = both.collect();
        let counts = SetCounts::over(both.iter().map(|(a, b)| (a, b)), of.labels);
        for (found, expected, name) in [
            (alpha_of(&rows, Distance::Masi), of.masi_alpha, "alpha with MASI distances"),
            (alpha_of(&rows, Distance::Jaccard), of.jaccard_alpha, "alpha with Jaccard distances"),
            (cohen(&both, TaskKind::Several).ok(), of.mean_kappa, "mean kappa of the labels"),
            (counts.micro_f1(), of.micro_f1, "micro F1"),
            (counts.macro_f1(), of.macro_f1, "macro F1"),
        ] {
            assert!(
                found.is_some_and(|found| (found - expected).abs() < 1e-9),
                "{name}: {found:?}, not {expected}"
            );
        }
    }
}

#[test]
fn an_ordinal_regression_without_a_penalty_is_that_of_statsmodels() {
    let Regression { x, y, weights, thresholds } = libraries().regression;
    let x = Array2::from_shape_vec((y.len(), 3), x.concat()).unwrap();
    let alike = vec![1.0; y.len()];
    let examples = Examples { x: x.view(), y: &y, classes: thresholds.len() + 1, weights: &alike };
    let model = Problem::new(&examples).fit_ordinal(1e9, None, 1e-9);
    for (found, expected) in
        model.weights.iter().zip(&weights).chain(model.thresholds.iter().zip(&thresholds))
    {
        assert!((found - expected).abs() < 1e-3, "{model:?}");
    }
}
