//! Training an adapter of a language model: the loss of a batch and its gradient. All cores compute one training.

use std::ops::ControlFlow;
use std::sync::Arc;

use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::adamw::Rows;
use super::budget::Budget;
use super::example::{AdapterForm, BatchRows, Example, check};
use super::train_loop::{Callbacks, Ended, Epoch, Settings, Step, train_loop};
use crate::domain::fault::{Fault, Result};
use crate::engine::lora::Lora;
use crate::engine::transformer::{Activations, Cores, Graph, Layout, Weights, choose, choose_gradient};

/// What to train on.
pub struct Fit<'t> {
    /// The frozen model.
    pub weights: &'t Arc<Weights>,
    /// The labelled documents.
    pub examples: &'t [Example],
    /// Documents that are only looked at, after each epoch. Where documents are cached, theirs come after those of the examples.
    pub held_out: &'t [Example],
    /// Which tokens are adapted.
    pub form: AdapterForm<'t>,
    /// Bytes of memory that a step may take besides the weights.
    pub memory: u64,
}

/// Of each example, of each of its decisions, the log-probability of each candidate.
pub type Choices = Vec<Vec<Vec<f32>>>;

/// Trains an adapter. `on_step` and `on_epoch` are told how far it is; it ends without a result once `on_step` breaks, and early with one
/// once `on_epoch` does.
///
/// # Errors
/// Examples that contradict themselves or the model, a loss or gradient that is not finite, a spill file that cannot be read.
pub fn fit(
    fit: &Fit<'_>,
    settings: &Settings,
    on_step: &mut dyn FnMut(Step) -> ControlFlow<()>,
    on_epoch: &mut dyn FnMut(Epoch<Choices>) -> ControlFlow<()>,
) -> Result<Option<Lora>> {
    let shape = &fit.weights.shape;
    check(fit.examples, shape)?;
    check(fit.held_out, shape)?;
    if fit.examples.is_empty() || settings.rank == 0 {
        return Err(Fault::new("train the adapter", "there is nothing to train"));
    }
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    let begin = Lora::untrained(shape, settings.rank, settings.alpha, &mut rng);
    let mut parameters = begin.to_rows(shape);
    let model =
        Model { weights: fit.weights, layout: Some(begin.layout()), budget: Budget::new(shape, fit.memory) };
    let callbacks = Callbacks {
        loss_and_grad: &mut |parameters, batch, gradient| {
            model.loss_and_grad(parameters, (fit.examples, fit.form), batch, gradient)
        },
        on_step,
        on_epoch: &mut |parameters, number, loss| {
            let form = fit.form.from(fit.examples.len());
            Ok(on_epoch(Epoch { number, loss, held_out: model.evaluate(parameters, fit.held_out, form)? }))
        },
    };
    Ok(match train_loop(&mut parameters, fit.examples.len(), settings, &mut rng, callbacks)? {
        Ended::Completed => Some(begin.with_rows(shape, &parameters)),
        Ended::Stopped => None,
    })
}

/// The log-probabilities that the trainer itself gives the candidates of each decision of each example, with an adapter or, as the model is,
/// without: what llama.cpp, which serves it, must reproduce. A pass takes no more than `memory` bytes besides the weights.
///
/// # Errors
/// An adapter of another model, examples that contradict themselves or the model, a spill file that cannot be read.
pub fn probabilities(
    weights: &Arc<Weights>,
    adapter: Option<&Lora>,
    examples: &[Example],
    form: AdapterForm<'_>,
    memory: u64,
) -> Result<Choices> {
    let shape = &weights.shape;
    check(examples, shape)?;
    if adapter.is_some_and(|adapter| !adapter.fits(shape)) {
        let why = "the adapter was trained for a model of another shape";
        return Err(Fault::new("compute with the model", why));
    }
    let model = Model { weights, layout: adapter.map(Lora::layout), budget: Budget::new(shape, memory) };
    let parameters = adapter.map(|adapter| adapter.to_rows(shape)).unwrap_or_default();
    model.evaluate(&parameters, examples, form)
}

/// A language model with the updates that the parameters are, block by block; as it is where there is no layout.
struct Model<'m> {
    weights: &'m Weights,
    layout: Option<Layout>,
    budget: Budget,
}

impl Model<'_> {
    fn graph<'a>(&'a self, rows: &'a BatchRows, parameters: &'a Rows) -> Graph<'a> {
        let updates = self.layout.map(|layout| (layout, &parameters[..]));
        Graph { weights: self.weights, batch: &rows.batch, cores: Cores::All, updates }
    }

    /// What goes into the first block.
    fn embed(&self, rows: &BatchRows) -> Array2<f32> {
        let mut states = self.weights.tokens.rows(&rows.tokens);
        states *= self.weights.shape.embedding_scale();
        states
    }

    fn evaluate(&self, parameters: &Rows, examples: &[Example], form: AdapterForm<'_>) -> Result<Choices> {
        let numbers: Vec<usize> = (0..examples.len()).collect();
        let mut all = Vec::new();
        for part in self.budget.parts_not_kept(examples, &numbers, form) {
            let rows = BatchRows::of(self.weights, examples, part, form)?;
            let mut states = self.embed(&rows);
            self.graph(&rows, parameters).run(&mut states, &mut Activations::default());
            let mut choices = choose(self.weights, &rows.choices, states.view()).into_iter();
            for number in part {
                all.push(choices.by_ref().take(examples[*number].decisions.len()).collect());
            }
        }
        Ok(all)
    }

    /// Adds the gradient of the mean loss of a batch, the numbers of some examples, to `gradient`; returns that loss.
    fn loss_and_grad(
        &self,
        parameters: &Rows,
        (examples, form): (&[Example], AdapterForm<'_>),
        batch: &[usize],
        gradient: &mut Rows,
    ) -> Result<f64> {
        let (parts, keep) = self.budget.parts(examples, batch, form);
        let mut loss = 0.0;
        for part in parts {
            let rows = BatchRows::of(self.weights, examples, part, form)?;
            let graph = self.graph(&rows, parameters);
            let (states, kept) = graph.forward(self.embed(&rows), keep);
            let results = choose(self.weights, &rows.choices, states.view());
            let decisions = part.iter().flat_map(|number| {
                let example = &examples[*number];
                example.decisions.iter().map(|decision| (example.weight, decision.chosen))
            });
            let mut by_results = Vec::new();
            for (result, (weight, chosen)) in results.iter().zip(decisions) {
                let mut by = vec![0.0; result.len()];
                by[chosen] = -weight / batch.len() as f32;
                loss += f64::from(by[chosen] * result[chosen]);
                by_results.push(by);
            }
            let by_states =
                choose_gradient(self.weights, &rows.choices, states.view(), &results, &by_results);
            graph.backward(kept, keep, by_states, gradient);
        }
        Ok(loss)
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::super::adamw::zeros;
    use super::super::example::Decision;
    use super::*;
    use crate::engine::gguf::TensorType;
    use crate::engine::random_model::RandomModel;
    use crate::engine::transformer::{Family, Keep, Role};

    const GIB: u64 = 1 << 30;

    fn model(family: &str) -> Arc<Weights> {
        let file = tempfile::NamedTempFile::new().unwrap();
        // Of six blocks of Gemma, five have a window.
        let blocks = if family == "gemma3" { 6 } else { 2 };
        let small = RandomModel::small(Family::named(family).unwrap(), TensorType::F32);
        RandomModel { blocks, window: 4, ..small }.write(file.path()).unwrap();
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

    fn random(weights: &Weights, rng: &mut ChaCha8Rng) -> Lora {
        let mut adapter = Lora::untrained(&weights.shape, 2, 4.0, rng);
        for update in &mut adapter.updates {
            update.b.mapv_inplace(|_| rng.gen_range(-0.3f32..0.3));
        }
        adapter
    }

    /// The loss of all examples, from the probabilities.
    fn loss(weights: &Arc<Weights>, adapter: &Lora, examples: &[Example], form: AdapterForm<'_>) -> f64 {
        let found = probabilities(weights, Some(adapter), examples, form, GIB).unwrap();
        let of = |(example, found): (&Example, &Vec<Vec<f32>>)| {
            let decided = example.decisions.iter().zip(found);
            -f64::from(example.weight) * decided.map(|(d, p)| f64::from(p[d.chosen])).sum::<f64>()
        };
        examples.iter().zip(&found).map(of).sum::<f64>() / examples.len() as f64
    }

    /// Moves the adapter along its gradient, both ways, and compares the change of the loss; so for each place by itself.
    fn check_gradient(weights: &Arc<Weights>, form: AdapterForm<'_>, memory: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let examples = examples(&mut rng);
        let adapter = random(weights, &mut rng);
        let shape = &weights.shape;
        let model = Model { weights, layout: Some(adapter.layout()), budget: Budget::new(shape, memory) };
        let parameters = adapter.to_rows(shape);
        let mut by_updates = zeros(&parameters);
        let whole = model.loss_and_grad(&parameters, (&examples, form), &[2, 0, 1], &mut by_updates).unwrap();
        assert!((whole - loss(weights, &adapter, &examples, form)).abs() < 1e-5);
        let sites = adapter.layout().sites(shape);
        for site in 0..adapter.updates.len() {
            for of_a in [true, false] {
                let (block, (_, a, b)) = (site / sites.len(), &sites[site % sites.len()]);
                let gradient = &by_updates[block][if of_a { a.clone() } else { b.clone() }];
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
        for family in Family::with(Role::LanguageModel) {
            check_gradient(&model(family.name), AdapterForm::Lora, GIB);
        }
    }

    #[test]
    fn little_memory_changes_no_gradient() {
        let weights = model("qwen3");
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let examples = examples(&mut rng);
        let adapter = random(&weights, &mut rng);
        let parameters = adapter.to_rows(&weights.shape);
        let of = |memory| {
            let budget = Budget::new(&weights.shape, memory);
            let model = Model { weights: &weights, layout: Some(adapter.layout()), budget };
            let (parts, keep) = budget.parts(&examples, &[0, 1, 2], AdapterForm::Lora);
            let mut gradient = zeros(&parameters);
            model
                .loss_and_grad(&parameters, (&examples, AdapterForm::Lora), &[0, 1, 2], &mut gradient)
                .unwrap();
            (gradient.concat(), parts.len(), keep)
        };
        let ((all, one, kept), (less, parts, not_kept)) = (of(GIB), of(60_000));
        assert_eq!((one, kept, not_kept), (1, Keep::All, Keep::Inputs));
        assert!(parts > 1);
        let far = all.iter().zip(&less).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(far < 1e-4, "{far}");
    }

    #[test]
    fn examples_that_contradict_the_model_or_each_other_are_refused() {
        let weights = model("llama");
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
            let refused = probabilities(&weights, None, &bad, AdapterForm::Lora, GIB).unwrap_err();
            assert!(refused.to_string().contains("example 2"), "{refused}");
        }
    }

    #[test]
    fn a_few_epochs_teach_what_two_tokens_tell() {
        let weights = model("llama");
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
            form: AdapterForm::Lora,
            memory: GIB,
        };
        let trained = fit(&task, &settings, &mut |_| ControlFlow::Continue(()), &mut |epoch| {
            told.push(epoch);
            ControlFlow::Continue(())
        });
        assert!(trained.unwrap().unwrap().fits(&weights.shape));
        let right = |epoch: &Epoch<Choices>| {
            let of = held_out.iter().zip(&epoch.held_out);
            of.filter(|(e, p)| p[0][e.decisions[0].chosen] > 0.5f32.ln()).count()
        };
        assert_eq!(told.len(), 8);
        assert!(right(&told[7]) > 40, "{:?}", told.iter().map(|e| (e.loss, right(e))).collect::<Vec<_>>());
        let stopped =
            fit(&task, &settings, &mut |_| ControlFlow::Break(()), &mut |_| ControlFlow::Continue(()));
        assert_eq!(stopped.unwrap(), None);
    }
}
