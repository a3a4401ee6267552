//! Vectors that were made elsewhere, as a scout's: under whose name they are kept, and the predictor that stands for them until answers teach one.
//!
//! Nothing here can read a text with their model. So there is no vector of a label either, and no zero-shot guess.

use crate::domain::encoder_reading::EncoderReading;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{ModelId, PredictorId};
use crate::domain::predictor::{Method, Predictor, SharesFrom, ZeroShot, ZeroShotSettings};
use crate::domain::settings::Stored;
use crate::store::Store;
use crate::store::log::tasks::Revision;
use crate::store::pool::predictors::{Model, VECTORS};

/// The model of that name, entered if it is new. Its vectors are a space of their own, whatever other model is called the same.
///
/// # Errors
/// It is known with vectors of another length.
pub(crate) fn model(store: &mut Store, name: &str, dimensions: usize, trying: &str) -> Result<ModelId> {
    let sha256 = blake3::hash(format!("{VECTORS} {name}").as_bytes()).as_bytes().to_vec();
    let known = store.models()?.into_iter().find(|model| model.sha256 == sha256);
    if let Some(before) = known.map(|model| model.dimensions).filter(|before| *before != dimensions) {
        let why = format!("its vectors have {dimensions} numbers, and those of {name} so far have {before}");
        return Err(Fault::usage(trying, why)
            .hint("Vectors of another model need another name: give it with --model-name"));
    }
    store.enter_model(&Model {
        sha256,
        name: name.to_owned(),
        path: String::new(),
        architecture: VECTORS.into(),
        quantisation: String::new(),
        dimensions,
        bytes: 0,
        reading: EncoderReading::default(),
    })
}

/// The vector at unit length; none where it has a number that is none, or no length.
pub(crate) fn unit(mut vector: Vec<f32>) -> Option<Vec<f32>> {
    // In double precision: the squares of large numbers are larger than a single one holds.
    let length = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    if !length.is_finite() || length == 0.0 {
        return None;
    }
    vector.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
    Some(vector)
}

/// What stands for the vectors of a model before there are answers: a zero-shot predictor without label vectors, which gives no text a label.
pub(crate) fn without_guesses(model: ModelId, revision: &Revision) -> Predictor {
    let labels = revision.task.label_ids();
    let even = vec![1.0 / labels.len().max(1) as f64; labels.len()];
    let settings = ZeroShotSettings {
        anchors: vec![Vec::new(); labels.len()],
        mean: Vec::new(),
        calibration: ZeroShot {
            temperature: 1.0,
            bias: vec![0.0; labels.len()],
            shares: even,
            each: Vec::new(),
        },
        shares_from: SharesFrom::Pool,
    };
    Predictor {
        id: PredictorId(0),
        method: Method::ZeroShot(Stored::Known(settings)),
        model,
        revision: revision.id,
        labels,
        created_ms: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_has_unit_length_or_is_none() {
        let unit_of = |v: &[f32]| unit(v.to_vec());
        assert_eq!(unit_of(&[3.0, 4.0]), Some(vec![0.6, 0.8]));
        assert_eq!(unit_of(&[0.0, 1e30]), Some(vec![0.0, 1.0]));
        assert_eq!(unit_of(&[1e-30, 0.0]), Some(vec![1.0, 0.0]));
        for none in [&[][..], &[0.0, 0.0], &[f32::NAN, 1.0], &[f32::INFINITY, 1.0]] {
            assert_eq!(unit_of(none), None, "{none:?}");
        }
    }
}
