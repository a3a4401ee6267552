//! Training an adapter of a language model: the loss of a batch, and what is told of each epoch.

use std::ops::ControlFlow;
use std::sync::Arc;

use candle_core::backprop::GradStore;
use candle_core::{Device, Result, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::adapter::Adapter;
use super::example::{Example, Form, Rows, check};
use super::graph::{Aim, Budget, Trained, evaluate};
use super::weights::Weights;
use crate::domain::fault::{Fault, Result as Outcome};
use crate::engine::training::{DIVERGED, DIVERGED_HINT, Ended, Guide, Settings, Step, add, descend};

/// What to train on.
pub struct Fit<'t> {
    /// The frozen model.
    pub weights: &'t Arc<Weights>,
    /// The labelled documents.
    pub examples: &'t [Example],
    /// Documents that are only looked at, after each epoch. Where documents are remembered, theirs come after those of the examples.
    pub held_out: &'t [Example],
    /// Which tokens are adapted.
    pub form: Form<'t>,
    /// Bytes of memory that a step may take besides the weights.
    pub memory: u64,
}

/// An epoch that has ended.
#[derive(Clone, Debug)]
pub struct Epoch {
    /// Its number, from 1.
    pub number: usize,
    /// Mean loss of the examples when each was seen, in nats, weighted.
    pub loss: f64,
    /// Of each example that was held out, of each of its decisions, the log-probability of each candidate, as they are now.
    pub held_out: Vec<Vec<Vec<f32>>>,
}

/// Trains an adapter. `on_step` and `on_epoch` are told how far it is; it ends without a result once `on_step` breaks.
///
/// # Errors
/// Examples that contradict themselves or the model, a loss or gradient that is no number, no memory, a spill file that cannot be read.
pub fn fit(
    fit: &Fit<'_>,
    settings: &Settings,
    on_step: &mut dyn FnMut(Step) -> ControlFlow<()>,
    on_epoch: &mut dyn FnMut(Epoch),
) -> Outcome<Option<Adapter>> {
    let attempted = "train the adapter";
    let shape = &fit.weights.shape;
    check(fit.examples, shape)?;
    check(fit.held_out, shape)?;
    if fit.examples.is_empty() || settings.rank == 0 {
        return Err(Fault::new(attempted, "there is nothing to train"));
    }
    let budget = Budget::new(shape, fit.memory);
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    let begin = Adapter::untrained(shape, settings.rank, settings.alpha, &mut rng);
    let mut run = || -> Result<(Ended, Adapter)> {
        let trained = Trained::begin(fit.weights, &begin)?;
        let guide = Guide {
            gradients: &mut |batch| gradients(&trained, fit, budget, batch),
            on_step,
            on_epoch: &mut |number, loss| {
                let form = fit.form.from(fit.examples.len());
                on_epoch(Epoch { number, loss, held_out: evaluate(&trained, fit.held_out, form, budget)? });
                Ok(())
            },
        };
        let ended = descend(&trained.parameters(), fit.examples.len(), settings, &mut rng, guide)?;
        Ok((ended, trained.values()?))
    };
    let (ended, adapter) = run().map_err(|e| Fault::new(attempted, e.to_string()).because(e))?;
    match ended {
        Ended::Whole => Ok(Some(adapter)),
        Ended::Stopped => Ok(None),
        Ended::Diverged => Err(Fault::new(attempted, DIVERGED).hint(DIVERGED_HINT)),
    }
}

/// The gradient of a batch's mean loss, and that loss.
fn gradients(trained: &Trained, fit: &Fit<'_>, budget: Budget, batch: &[usize]) -> Result<(GradStore, f64)> {
    let parameters = trained.parameters();
    let (parts, keep) = budget.parts(fit.examples, batch, fit.form);
    let (mut whole, mut total): (Option<GradStore>, f64) = (None, 0.0);
    for part in parts {
        let rows = Rows::of(fit.weights, fit.examples, part, fit.form)?;
        let mut targets = Vec::new();
        for example in part.iter().map(|number| &fit.examples[*number]) {
            for decision in &example.decisions {
                let begin = targets.len();
                targets.resize(begin + decision.candidates.len(), 0.0);
                targets[begin + decision.chosen] = -example.weight / batch.len() as f32;
            }
        }
        let length = targets.len();
        let targets = Tensor::from_vec(targets, length, &Device::Cpu)?;
        let loss = trained.log_probabilities(&rows, Aim::Gradient(keep))?.mul(&targets)?.sum_all()?;
        total += f64::from(loss.to_scalar::<f32>()?);
        whole = Some(add(whole, loss.backward()?, &parameters)?);
    }
    whole
        .map(|gradients| (gradients, total))
        .ok_or_else(|| candle_core::Error::Msg("a batch is empty".into()))
}

/// The log-probabilities that the trainer itself gives the candidates of each decision of each example, with an adapter or, as the model is,
/// without: what whoever serves it must reproduce. A pass takes no more than `memory` bytes besides the weights.
///
/// # Errors
/// An adapter of another model, examples that contradict themselves or the model, a spill file that cannot be read.
pub fn probabilities(
    weights: &Arc<Weights>,
    adapter: Option<&Adapter>,
    examples: &[Example],
    form: Form<'_>,
    memory: u64,
) -> Outcome<Vec<Vec<Vec<f32>>>> {
    let attempted = "compute with the model";
    let shape = &weights.shape;
    check(examples, shape)?;
    if adapter.is_some_and(|adapter| !adapter.fits(shape)) {
        return Err(Fault::new(attempted, "the adapter was trained for a model of another shape"));
    }
    let plain = Adapter::untrained(shape, 1, 1.0, &mut ChaCha8Rng::seed_from_u64(0));
    Trained::begin(weights, adapter.unwrap_or(&plain))
        .and_then(|trained| evaluate(&trained, examples, form, Budget::new(shape, memory)))
        .map_err(|e| Fault::new(attempted, e.to_string()).because(e))
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::engine::causal::example::Decision;
    use crate::engine::causal::ops::Keep;
    use crate::engine::causal::shape::Family;
    use crate::engine::causal::specimen::Specimen;
    use crate::engine::gguf::TensorType;

    const GIB: u64 = 1 << 30;

    fn model(family: Family) -> Arc<Weights> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let blocks = if family == Family::Gemma3 { 6 } else { 2 };
        let specimen = Specimen { blocks, window: 4, ..Specimen::small(family, TensorType::F32) };
        specimen.write(file.path()).unwrap();
        Arc::new(Weights::read(file.path(), GIB).unwrap())
    }

    fn examples(rng: &mut ChaCha8Rng) -> Vec<Example> {
        let mut tokens = |n: usize| (0..n).map(|_| rng.gen_range(0..300)).collect::<Vec<usize>>();
        let shared = tokens(4);
        let mut all = Vec::new();
        for (length, weight) in [(3, 1.0), (7, 0.5), (1, 1.5)] {
            let own = tokens(length + 3);
            let last = 4 + length + 2;
            let decision = |at| Decision { at, candidates: vec![5, 17, 44, 260], chosen: length % 4 };
            all.push(Example {
                tokens: [&shared[..], &own].concat(),
                shared: 4,
                answer_from: 4 + length,
                decisions: vec![decision(last - 1), decision(last)],
                weight,
            });
        }
        all
    }

    fn random(weights: &Weights, rng: &mut ChaCha8Rng) -> Adapter {
        let mut adapter = Adapter::untrained(&weights.shape, 2, 4.0, rng);
        for update in &mut adapter.updates {
            update.b.mapv_inplace(|_| rng.gen_range(-0.3f32..0.3));
        }
        adapter
    }

    /// The loss of all examples, from the probabilities.
    fn loss(weights: &Arc<Weights>, adapter: &Adapter, examples: &[Example], form: Form<'_>) -> f64 {
        let found = probabilities(weights, Some(adapter), examples, form, GIB).unwrap();
        let of = |(example, found): (&Example, &Vec<Vec<f32>>)| {
            let decided = example.decisions.iter().zip(found);
            -f64::from(example.weight) * decided.map(|(d, p)| f64::from(p[d.chosen])).sum::<f64>()
        };
        examples.iter().zip(&found).map(of).sum::<f64>() / examples.len() as f64
    }

    /// Moves the adapter along its gradient, both ways, and compares the change of the loss; so for each place by itself.
    fn check_gradient(weights: &Arc<Weights>, form: Form<'_>, memory: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let examples = examples(&mut rng);
        let adapter = random(weights, &mut rng);
        let trained = Trained::begin(weights, &adapter).unwrap();
        let fit = Fit { weights, examples: &examples, held_out: &[], form, memory };
        let budget = Budget::new(&weights.shape, memory);
        let (gradients, whole) = gradients(&trained, &fit, budget, &[2, 0, 1]).unwrap();
        assert!((whole - loss(weights, &adapter, &examples, form)).abs() < 1e-5);
        let parameters = trained.parameters();
        let by_updates: Vec<Vec<f32>> = parameters
            .iter()
            .map(|parameter| gradients.get(parameter).unwrap().to_vec1::<f32>().unwrap())
            .collect();
        let per_block = adapter.updates.len() / weights.shape.blocks;
        for site in 0..adapter.updates.len() {
            for of_a in [true, false] {
                let (block, place) = (site / per_block, site % per_block);
                let sizes = |u: &crate::engine::lora::Update| u.a.len() + u.b.len();
                let begin: usize = adapter.updates[block * per_block..][..place].iter().map(sizes).sum();
                let update = &adapter.updates[site];
                let range = if of_a {
                    begin..begin + update.a.len()
                } else {
                    begin + update.a.len()..begin + update.a.len() + update.b.len()
                };
                let gradient = &by_updates[block][range];
                let square: f32 = gradient.iter().map(|g| g * g).sum();
                if square == 0.0 {
                    continue;
                }
                let step = 2e-3 / square.sqrt();
                let moved = |sign: f32| {
                    let mut moved = adapter.clone();
                    let matrix = if of_a { &mut moved.updates[site].a } else { &mut moved.updates[site].b };
                    matrix.iter_mut().zip(gradient).for_each(|(x, g)| *x += sign * step * g);
                    loss(weights, &moved, &examples, form)
                };
                let slope = (moved(1.0) - moved(-1.0)) / (2.0 * f64::from(step));
                let (slope, square) = (slope, f64::from(square));
                let (near, length) = ((slope - square).abs(), square.sqrt());
                assert!(near < 0.02 * square + 3e-3 * length, "{site} {of_a}: {slope} {square}");
            }
        }
    }

    #[test]
    fn gradients_of_every_architecture_are_the_slopes_of_the_loss() {
        for family in Family::ALL {
            check_gradient(&model(family), Form::Lora, GIB);
        }
    }

    #[test]
    fn little_memory_changes_no_gradient() {
        let weights = model(Family::Qwen3);
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let examples = examples(&mut rng);
        let trained = Trained::begin(&weights, &random(&weights, &mut rng)).unwrap();
        let of = |memory| {
            let fit = Fit { weights: &weights, examples: &examples, held_out: &[], form: Form::Lora, memory };
            let budget = Budget::new(&weights.shape, memory);
            let (parts, keep) = budget.parts(&examples, &[0, 1, 2], Form::Lora);
            let (gradients, _) = gradients(&trained, &fit, budget, &[0, 1, 2]).unwrap();
            let all = trained
                .parameters()
                .iter()
                .map(|p| gradients.get(p).unwrap().to_vec1::<f32>().unwrap())
                .collect::<Vec<_>>();
            (all.concat(), parts.len(), keep)
        };
        let ((all, one, kept), (less, parts, not_kept)) = (of(GIB), of(60_000));
        assert_eq!((one, kept, not_kept), (1, Keep::All, Keep::Inputs));
        assert!(parts > 1);
        let far = all.iter().zip(&less).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(far < 1e-4, "{far}");
    }

    #[test]
    fn examples_that_contradict_the_model_or_each_other_are_refused() {
        let weights = model(Family::Llama);
        let good = examples(&mut ChaCha8Rng::seed_from_u64(5));
        let changes: [fn(&mut Example); 6] = [
            |example| example.tokens[1] = 300,
            |example| example.tokens[1] += 1,
            |example| example.decisions[0].at = 99,
            |example| example.decisions[0].chosen = 4,
            |example| example.answer_from = 2,
            |example| example.decisions.clear(),
        ];
        for change in changes {
            let mut bad = good.clone();
            change(&mut bad[1]);
            let refused = probabilities(&weights, None, &bad, Form::Lora, GIB).unwrap_err();
            assert!(refused.to_string().contains("example 2"), "{refused}");
        }
    }

    #[test]
    fn a_few_epochs_teach_what_two_tokens_tell() {
        let weights = model(Family::Llama);
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let labelled = |rng: &mut ChaCha8Rng| -> Vec<Example> {
            (0..48)
                .map(|i| {
                    let mut tokens: Vec<usize> = (0..12).map(|_| rng.gen_range(0..250)).collect();
                    tokens[..3].copy_from_slice(&[1, 2, 3]);
                    tokens[5..10].fill(270 + i % 2);
                    let decision = Decision { at: 11, candidates: vec![290, 291], chosen: i % 2 };
                    Example { tokens, shared: 3, answer_from: 10, decisions: vec![decision], weight: 1.0 }
                })
                .collect()
        };
        let (examples, held_out) = (labelled(&mut rng), labelled(&mut rng));
        let settings =
            Settings { epochs: 8, batch: 8, learning_rate: 5e-3, rank: 4, alpha: 8.0, ..Settings::usual(1) };
        let mut told = Vec::new();
        let task = Fit {
            weights: &weights,
            examples: &examples,
            held_out: &held_out,
            form: Form::Lora,
            memory: GIB,
        };
        let trained =
            fit(&task, &settings, &mut |_| ControlFlow::Continue(()), &mut |epoch| told.push(epoch));
        assert!(trained.unwrap().unwrap().fits(&weights.shape));
        let right = |epoch: &Epoch| {
            let of = held_out.iter().zip(&epoch.held_out);
            of.filter(|(e, p)| p[0][e.decisions[0].chosen] > 0.5f32.ln()).count()
        };
        assert_eq!(told.len(), 8);
        assert!(right(&told[7]) > 40, "{:?}", told.iter().map(|e| (e.loss, right(e))).collect::<Vec<_>>());
        let stopped = fit(&task, &settings, &mut |_| ControlFlow::Break(()), &mut |_| {});
        assert_eq!(stopped.unwrap(), None);
    }
}
