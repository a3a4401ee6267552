//! Tests that need both sides: the trainer and llama.cpp, on models of random numbers and on small real ones.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::adapter::Adapter;
use super::cached::Cached;
use super::example::{Decision, Example, Form};
use super::file::AdapterFile;
use super::fit::probabilities;
use super::served::{Acting, Options, Precision, Server};
use super::shape::Family;
use super::specimen::Specimen;
use super::weights::Weights;
use crate::domain::skip::test_data;
use crate::engine::context::Served;
use crate::engine::gguf::TensorType;

const GIB: u64 = 1 << 30;

/// Texts out of these tokens that begin alike, with two decisions among eight tokens each.
fn examples(tokens: &[usize], lengths: &[usize], rng: &mut ChaCha8Rng) -> Vec<Example> {
    let mut text = tokens.iter().copied().cycle();
    let mut token = || text.next().unwrap();
    let shared: Vec<usize> = (0..9).map(|_| token()).collect();
    let cue: Vec<usize> = (0..5).map(|_| token()).collect();
    let mut candidates = || (0..8).map(|_| tokens[rng.gen_range(0..tokens.len())]).collect();
    let mut all = Vec::new();
    for &length in lengths {
        let document = (0..length).map(|_| token());
        let mut tokens: Vec<usize> = shared.iter().copied().chain(document).collect();
        let answer_from = tokens.len();
        tokens.extend(&cue);
        let last = tokens.len() - 1;
        let mut decision = |at| Decision { at, candidates: candidates(), chosen: 3 };
        let decisions = vec![decision(last - 1), decision(last)];
        all.push(Example { tokens, shared: shared.len(), answer_from, decisions, weight: 1.0 });
    }
    all
}

fn trained(weights: &Weights, rng: &mut ChaCha8Rng) -> Adapter {
    let mut adapter = Adapter::untrained(&weights.shape, 4, 8.0, rng);
    for update in &mut adapter.updates {
        update.b.mapv_inplace(|_| rng.gen_range(-0.05f32..0.05));
    }
    adapter
}

const STORY: &str = "Once upon a time there was a little girl who lived in a house by the sea. Every day she went out to play with her dog, \
    and one day they found a big red ball in the sand. The dog was very happy and ran after it, but the ball rolled into the water and \
    swam away. The girl was sad. Her mother said that they would buy a new one, and so they went to the shop together.";

/// What a model makes of a story; a model of random numbers knows no word of it and gets its letters.
fn tokens(path: &Path) -> Vec<usize> {
    let served = Served::load(path, None).unwrap();
    let tokens = served.model.vocab().tokenize(STORY.as_bytes(), false, false);
    tokens.iter().map(|token| token.0 as usize).collect()
}

/// The largest difference in log-probabilities, and in probabilities.
fn differences(ours: &[Vec<Vec<f32>>], theirs: &[Vec<Vec<f32>>]) -> (f32, f32) {
    let flat = |all: &[Vec<Vec<f32>>]| all.iter().flatten().flatten().copied().collect::<Vec<f32>>();
    let (ours, theirs) = (flat(ours), flat(theirs));
    assert_eq!(ours.len(), theirs.len());
    assert!(ours.iter().chain(&theirs).all(|x| x.is_finite()));
    let pairs = || ours.iter().zip(&theirs);
    (
        pairs().map(|(a, b)| (a - b).abs()).fold(0.0, f32::max),
        pairs().map(|(a, b)| (a.exp() - b.exp()).abs()).fold(0.0, f32::max),
    )
}

/// The largest differences without an adapter, with one on all tokens, and with one on answers: of trainer and llama.cpp.
fn compare(path: &Path, precision: Precision, memory: u64) -> [(f32, f32); 3] {
    let weights = Arc::new(Weights::read(path, memory).unwrap());
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let examples = examples(&tokens(path), &[3, 20, 0, 60], &mut rng);
    let adapter = trained(&weights, &mut rng);
    let options = Options { longest: 128, precision, threads: NonZeroUsize::MIN };
    let plain = probabilities(&weights, None, &examples, Form::Lora, GIB).unwrap();
    let lora = probabilities(&weights, Some(&adapter), &examples, Form::Lora, GIB).unwrap();

    let bytes = |invocation: Vec<u32>| {
        let file = AdapterFile { family: weights.shape.family, adapter: adapter.clone(), invocation };
        file.encode(&[]).unwrap()
    };
    let theirs = |bytes: &[u8], acting| {
        let served = Served::load(path, Some(bytes)).unwrap();
        let mut server = Server::new(&served, options).unwrap();
        examples.iter().map(|example| server.probabilities(example, acting).unwrap()).collect::<Vec<_>>()
    };
    let cue = examples[0].tokens[examples[0].answer_from..].iter().map(|token| *token as u32).collect();
    let on_answers = bytes(cue);
    let cached: Cached = {
        let served = Served::load(path, Some(&on_answers)).unwrap();
        let mut server = Server::new(&served, options).unwrap();
        let all: Vec<&Example> = examples.iter().collect();
        // Some documents are held, the others spilled.
        server.remember(&all, &weights.shape, 20_000, &mut |_| {}).unwrap()
    };
    let form = Form::Alora { cached: &cached, first: 0 };
    let alora = probabilities(&weights, Some(&adapter), &examples, form, GIB).unwrap();
    let everywhere = bytes(Vec::new());
    let found = [
        differences(&plain, &theirs(&everywhere, Acting::Off)),
        differences(&lora, &theirs(&everywhere, Acting::Everywhere)),
        differences(&alora, &theirs(&on_answers, Acting::OnAnswers)),
    ];
    // An adapter that changed nothing would prove nothing.
    assert!(differences(&plain, &lora).0 > 0.05 && differences(&alora, &lora).0 > 1e-3);
    eprintln!("{}: plain, lora, alora: {found:?}", path.file_name().unwrap().to_string_lossy());
    found
}

fn specimen(dir: &Path, specimen: &Specimen) -> PathBuf {
    let path = dir.join(format!("{}-{}.gguf", specimen.family.name(), specimen.kind.name()));
    specimen.write(&path).unwrap();
    path
}

#[test]
fn the_trainer_computes_what_llama_cpp_computes_on_random_models_of_each_architecture() {
    let dir = tempfile::tempdir().unwrap();
    let mut worst = Vec::new();
    for family in Family::ALL {
        let path = specimen(dir.path(), &Specimen::small(family, TensorType::F32));
        worst.extend(compare(&path, Precision::Single, GIB).map(|(log, _)| log));
    }
    let untied =
        Specimen { tied: false, linear_scale: Some(4.0), ..Specimen::small(Family::Qwen3, TensorType::F32) };
    let path = specimen(dir.path(), &untied);
    worst.extend(compare(&path, Precision::Single, GIB).map(|(log, _)| log));
    assert!(worst.iter().all(|log| *log < 1e-3), "{worst:?}");
}

#[test]
fn so_it_does_with_weights_of_8_bits_unpacked_once_or_whenever_they_are_used() {
    let dir = tempfile::tempdir().unwrap();
    for family in Family::ALL {
        let path = specimen(dir.path(), &Specimen::small(family, TensorType::Q8_0));
        for memory in [GIB, 0] {
            for (_, p) in compare(&path, Precision::Half, memory) {
                assert!(p < 0.02, "{family:?}: {p}");
            }
        }
    }
}

#[test]
fn so_it_does_with_coarser_weights() {
    let dir = tempfile::tempdir().unwrap();
    for (family, kind) in [(Family::Llama, TensorType::Q4_K), (Family::Qwen3, TensorType::Q6_K)] {
        let wide = Specimen { dimensions: 256, head_size: 64, wide: 512, ..Specimen::small(family, kind) };
        for (_, p) in compare(&specimen(dir.path(), &wide), Precision::Half, 0) {
            assert!(p < 0.03, "{family:?} {}: {p}", kind.name());
        }
    }
}

#[test]
fn so_it_does_on_small_models_that_were_trained() {
    for (name, precision, most_log, most) in [
        ("tinystories-656k-f32", Precision::Single, 1e-3, 1e-3),
        ("stories260Ktok512", Precision::Single, 1e-3, 1e-3),
        // Keys and values in half precision: what is served.
        ("tinystories-656k-f32", Precision::Half, 0.1, 0.02),
        // llama.cpp also rounds what goes into each product to 8 bits, which shows in vectors of 128 numbers.
        ("tinystories-656k-q8_0", Precision::Half, f32::INFINITY, 0.03),
    ] {
        let Some(path) = test_data(&format!("models/{name}.gguf")) else { continue };
        for (log, p) in compare(&path, precision, GIB) {
            assert!(log < most_log && p < most, "{name}: {log} {p}");
        }
    }
}
