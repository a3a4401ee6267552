//! The kinds of predictor: a new one is a file that implements [`Kind`], and a line here.

use super::combined::Combined;
use super::head::Head;
use super::judge::Judge;
use super::lora::Lora;
use super::scorer::{Kind, Scorer};
use super::states::States;
use super::zero_shot::ZeroShotKind;
use crate::domain::fault::Result;
use crate::domain::predictor::{Predictor, PredictorKind};
use crate::store::Store;

pub(crate) fn kind_of(predictor: &Predictor) -> &'static dyn Kind {
    match predictor.kind() {
        PredictorKind::ZeroShot => &ZeroShotKind,
        PredictorKind::Head => &Head,
        PredictorKind::Lora => &Lora,
        PredictorKind::Judge => &Judge,
        PredictorKind::States => &States,
        PredictorKind::Combined => &Combined,
    }
}

/// What scores texts as a stored predictor does.
///
/// # Errors
/// What is stored is not there, or cannot be read; the hint says what to do.
pub(crate) fn load(store: &Store, predictor: &Predictor) -> Result<Box<dyn Scorer>> {
    let kind = kind_of(predictor);
    kind.load(store, predictor, &load).map_err(|fault| fault.or_hint(kind.remedy()))
}

/// The same where the file has all that this takes; none where it has not, as in a part of a project.
///
/// # Errors
/// What is stored cannot be read.
pub(crate) fn load_if_available(store: &Store, predictor: &Predictor) -> Result<Option<Box<dyn Scorer>>> {
    match kind_of(predictor).is_available(store, predictor)? {
        true => load(store, predictor).map(Some),
        false => Ok(None),
    }
}

/// The note about a predictor that cannot be read and is skipped.
pub(crate) fn unreadable(predictor: &Predictor, why: &str) -> String {
    let kind = kind_of(predictor);
    format!(
        "{} cannot be read ({}), so its point on the curve stays on the cases that it has scored before. {}",
        kind.describe(predictor),
        why.trim_end_matches('.'),
        kind.remedy()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::adapter::AdapterKind;
    use crate::domain::ids::{AdapterId, ModelId, PredictorId, RevisionId};
    use crate::domain::predictor::{JudgeMethod, Method, Scout, StatesMethod};
    use crate::domain::settings::Stored;

    fn of(method: Method) -> Predictor {
        let (model, revision) = (ModelId(1), RevisionId(1));
        Predictor { id: PredictorId(1), method, model, revision, labels: vec![], created_ms: 0 }
    }

    #[test]
    fn every_kind_of_predictor_is_named_with_its_adapter_and_says_what_to_do_where_it_cannot_be_read() {
        let adapter = Some((AdapterId(3), AdapterKind::Alora));
        let judge = JudgeMethod { adapter, prompt: vec![], settings: Stored::LeftOut };
        let states = StatesMethod { prompt: vec![], settings: Stored::LeftOut };
        let all = [
            (Method::ZeroShot(Stored::LeftOut), "the zero-shot model cannot be read"),
            (Method::Head(AdapterId(4)), "the head (adapter 4) cannot be read"),
            (Method::Lora(AdapterId(5)), "the LoRA (adapter 5) cannot be read"),
            (Method::Judge(judge), "the judge with adapter 3 cannot be read"),
            (Method::States(states), "the head on a judge's hidden states cannot be read"),
            (
                Method::Combined { scout: Scout::Head(AdapterId(4)), settings: Stored::LeftOut },
                "the combination of adapter 4 and a judge cannot be read",
            ),
        ];
        for ((method, named), kind) in all.into_iter().zip(PredictorKind::ALL) {
            let predictor = of(method);
            assert_eq!(predictor.kind(), kind);
            let says = unreadable(&predictor, "it ends too soon.");
            assert!(says.starts_with(named) && says.contains("(it ends too soon)"), "{says}");
            assert!(says.contains("`hardcase ") && !says.ends_with('.'), "{says}");
        }
    }
}
