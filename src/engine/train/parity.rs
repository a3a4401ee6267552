//! Tests that need both sides: the trainer and llama.cpp, on models of random numbers and on small real ones.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use llama_cpp_2::token::LlamaToken;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::example::{AdapterForm, Decision, Example};
use super::language_model::probabilities;
use super::served::{AdapterActs, Precision, ServeOptions, ServedModel};
use crate::domain::skip::test_data;
use crate::engine::gguf::{Tensor, TensorType, rewrite, whole_header};
use crate::engine::llama::{Context, Served};
use crate::engine::lora::{AdapterFile, Lora};
use crate::engine::model_file::Pooling;
use crate::engine::random_model::RandomModel;
use crate::engine::transformer::{EncoderPass, Family, KvStore, Matrix, Role, Scratch, Weights};

const GIB: u64 = 1 << 30;

fn qwen3() -> &'static Family {
    Family::named("qwen3").unwrap()
}

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

fn trained(weights: &Weights, rng: &mut ChaCha8Rng) -> Lora {
    let mut adapter = Lora::untrained(&weights.shape, 4, 8.0, rng);
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
    let options = ServeOptions { longest: 128, precision, threads: NonZeroUsize::MIN };
    let plain = probabilities(&weights, None, &examples, AdapterForm::Lora, GIB).unwrap();
    let lora = probabilities(&weights, Some(&adapter), &examples, AdapterForm::Lora, GIB).unwrap();

    let bytes = |invocation: Vec<u32>| {
        let file =
            AdapterFile { family: weights.shape.family, lora: adapter.clone(), head: None, invocation };
        file.encode(&[]).unwrap()
    };
    let theirs = |bytes: &[u8], acting| {
        let served = Served::load(path, Some(bytes)).unwrap();
        let mut server = ServedModel::new(&served, options).unwrap();
        examples.iter().map(|example| server.probabilities(example, acting).unwrap()).collect::<Vec<_>>()
    };
    let cue = examples[0].tokens[examples[0].answer_from..].iter().map(|token| *token as u32).collect();
    let on_answers = bytes(cue);
    let cached: KvStore = {
        let served = Served::load(path, Some(&on_answers)).unwrap();
        let mut server = ServedModel::new(&served, options).unwrap();
        let all: Vec<&Example> = examples.iter().collect();
        // Some documents are held, the others spilled.
        server.precompute_kv(&all, &weights.shape, 20_000, &mut |_| {}).unwrap()
    };
    let form = AdapterForm::Alora { cached: &cached, first: 0 };
    let alora = probabilities(&weights, Some(&adapter), &examples, form, GIB).unwrap();
    let everywhere = bytes(Vec::new());
    let found = [
        differences(&plain, &theirs(&everywhere, AdapterActs::Off)),
        differences(&lora, &theirs(&everywhere, AdapterActs::Everywhere)),
        differences(&alora, &theirs(&on_answers, AdapterActs::OnAnswers)),
    ];
    // An adapter that changed nothing would prove nothing.
    assert!(differences(&plain, &lora).0 > 0.05 && differences(&alora, &lora).0 > 1e-3);
    eprintln!("{}: plain, lora, alora: {found:?}", path.file_name().unwrap().to_string_lossy());
    found
}

fn written(dir: &Path, model: &RandomModel) -> PathBuf {
    let path = dir.join(format!("{}-{}.gguf", model.family.name, model.kind.name()));
    model.write(&path).unwrap();
    path
}

#[test]
fn the_trainer_computes_what_llama_cpp_computes_on_random_models_of_each_architecture() {
    let dir = tempfile::tempdir().unwrap();
    let mut worst = Vec::new();
    for family in Family::with(Role::LanguageModel) {
        let path = written(dir.path(), &RandomModel::small(family, TensorType::F32));
        worst.extend(compare(&path, Precision::Single, GIB).map(|(log, _)| log));
    }
    let untied =
        RandomModel { tied: false, linear_scale: Some(4.0), ..RandomModel::small(qwen3(), TensorType::F32) };
    let path = written(dir.path(), &untied);
    worst.extend(compare(&path, Precision::Single, GIB).map(|(log, _)| log));
    assert!(worst.iter().all(|log| *log < 1e-3), "{worst:?}");
}

#[test]
fn our_pass_gives_the_vectors_of_llama_cpp_on_random_encoders_of_each_architecture() {
    let dir = tempfile::tempdir().unwrap();
    for family in Family::with(Role::Encoder) {
        let path = written(dir.path(), &RandomModel::small(family, TensorType::F32));
        let weights = Weights::read_encoder(&path, Pooling::Mean).unwrap().unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let lora = trained(&weights, &mut rng);
        let adapted = lora.merged(&weights).unwrap();
        let bytes = AdapterFile { family, lora, head: None, invocation: Vec::new() }.encode(&[]).unwrap();
        let texts: Vec<Vec<usize>> =
            [1, 3, 40, 7].map(|n| (0..n).map(|_| rng.gen_range(5..300)).collect()).into();
        let tokens = |text: &Vec<usize>| text.iter().map(|id| LlamaToken::new(*id as i32)).collect();
        let tokens: Vec<Vec<LlamaToken>> = texts.iter().map(tokens).collect();
        let mut vectors = Vec::new();
        for (weights, adapter) in [(weights, None), (adapted, Some(&bytes[..]))] {
            let served = Served::load(&path, adapter).unwrap();
            let theirs = Context::new(&served, 512, 16).unwrap().vectors(&tokens).unwrap();
            let ours = EncoderPass::new(Arc::new(weights)).vectors(&texts);
            for (ours, theirs) in ours.rows().into_iter().zip(theirs.rows()) {
                let cosine = ours.dot(&theirs) / (ours.dot(&ours) * theirs.dot(&theirs)).sqrt();
                assert!(cosine > 0.99999, "{}: {cosine}", family.name);
            }
            vectors.push(ours);
        }
        assert!((&vectors[0] - &vectors[1]).iter().any(|x| x.abs() > 1e-2), "the adapter changes nothing");
    }
}

#[test]
fn our_pass_computes_encoders_however_their_matrices_are_stored() {
    let dir = tempfile::tempdir().unwrap();
    let bert = Family::named("bert").unwrap();
    for kind in [TensorType::Q4_0, TensorType::Q4_K, TensorType::Q6_K, TensorType::Q8_0] {
        let wide =
            RandomModel { dimensions: 256, head_size: 64, ffn_dim: 512, ..RandomModel::small(bert, kind) };
        let path = written(dir.path(), &wide);
        let weights = Weights::read_encoder(&path, Pooling::Mean).unwrap().unwrap();
        let texts = [vec![7, 9, 11], vec![250, 3, 8, 40, 77, 6]];
        let tokens = |text: &Vec<usize>| text.iter().map(|id| LlamaToken::new(*id as i32)).collect();
        let tokens: Vec<Vec<LlamaToken>> = texts.iter().map(tokens).collect();
        let served = Served::load(&path, None).unwrap();
        let theirs = Context::new(&served, 64, 2).unwrap().vectors(&tokens).unwrap();
        let ours = EncoderPass::new(Arc::new(weights)).vectors(&texts);
        for (ours, theirs) in ours.rows().into_iter().zip(theirs.rows()) {
            let cosine = ours.dot(&theirs) / (ours.dot(&ours) * theirs.dot(&theirs)).sqrt();
            // llama.cpp rounds what goes into each product to 8 bits.
            assert!(cosine > 0.998, "{}: {cosine}", kind.name());
        }
    }
}

#[test]
fn the_trainer_does_so_with_weights_of_8_bits_unpacked_once_or_whenever_they_are_used() {
    let dir = tempfile::tempdir().unwrap();
    for family in Family::with(Role::LanguageModel) {
        let path = written(dir.path(), &RandomModel::small(family, TensorType::Q8_0));
        for memory in [GIB, 0] {
            for (_, p) in compare(&path, Precision::Half, memory) {
                assert!(p < 0.02, "{}: {p}", family.name);
            }
        }
    }
}

#[test]
fn the_trainer_does_so_with_coarser_weights() {
    let dir = tempfile::tempdir().unwrap();
    for (family, kind) in [(Family::named("llama").unwrap(), TensorType::Q4_K), (qwen3(), TensorType::Q6_K)] {
        let wide =
            RandomModel { dimensions: 256, head_size: 64, ffn_dim: 512, ..RandomModel::small(family, kind) };
        for (_, p) in compare(&written(dir.path(), &wide), Precision::Half, 0) {
            // llama.cpp's products differ from processor to processor: 0.031 with AVX2 alone.
            assert!(p < 0.04, "{} {}: {p}", family.name, kind.name());
        }
    }
}

#[test]
fn the_trainer_does_so_on_small_models_that_were_trained() {
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

/// A copy of a model with its packed matrices as F32: the same weights, before which llama.cpp rounds nothing.
fn unpacked(path: &Path, dir: &Path) -> PathBuf {
    let mut source = File::open(path).unwrap();
    let header = whole_header(&mut source).unwrap();
    let copy = dir.join("unpacked.gguf");
    let mut out = File::create(&copy).unwrap();
    let packed = |tensor: &Tensor| (tensor.kind.block_len() > 1).then_some(TensorType::F32);
    rewrite(&header, &mut source, &mut out, packed, |source, tensor, out| {
        let [columns, rows] = tensor.shape[..] else { panic!("{} is no matrix", tensor.name) };
        let mut bytes = BufReader::new(source.take(tensor.bytes));
        let size = (rows as usize, columns as usize);
        let matrix = Matrix::read(&mut bytes, tensor.kind, size, tensor.bytes)?;
        let numbers: Vec<u8> = matrix
            .with(&mut Scratch::default(), |numbers| numbers.iter().flat_map(|x| x.to_le_bytes()).collect());
        Ok(out.write_all(&numbers)?)
    })
    .unwrap();
    copy
}

#[test]
fn the_trainer_does_so_on_a_real_model_exactly_unpacked_and_nearly_as_it_is_stored() {
    let Some(path) = test_data("models/SmolLM2-135M-Instruct.Q4_1.gguf") else { return };
    let dir = tempfile::tempdir().unwrap();
    for (log, p) in compare(&unpacked(&path, dir.path()), Precision::Single, GIB) {
        assert!(log < 1e-2 && p < 1e-3, "unpacked: {log} {p}");
    }
    // llama.cpp rounds what goes into each product with a packed matrix to 8 bits, and keys and values to half precision.
    for (_, p) in compare(&path, Precision::Half, GIB) {
        assert!(p < 0.1, "as it is stored: {p}");
    }
}
