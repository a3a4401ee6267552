//! Tests of the judge's session, on small real models.

use std::ops::ControlFlow;
use std::path::Path;

use super::*;
use crate::domain::skip::test_data;
use crate::engine::judge::unpacked::{Form, Unpacked};
use crate::engine::judge::{JudgeOptions, PromptLabel};
use crate::engine::lora::{AdapterFile, Lora};
use crate::engine::transformer::Weights;

/// A small real model of the test data.
fn judge(name: &str) -> Option<Judge> {
    let path = test_data(&format!("models/{name}"))?;
    // One thread: these models are too small for two to help each other.
    let options = JudgeOptions { threads: std::num::NonZeroUsize::MIN, ..JudgeOptions::default() };
    Some(Judge::load(&path, options).unwrap())
}

fn instruction(labels: &[&str]) -> JudgePrompt {
    let shown =
        |name: &&str| PromptLabel { name: (*name).into(), description: String::new(), examples: Vec::new() };
    JudgePrompt {
        layout: PromptLayout::SystemTurn,
        question: "What is the story about?".into(),
        guideline: String::new(),
        labels: labels.iter().map(shown).collect(),
        examples: vec![("Once upon a time there was a dog.".into(), 0)],
        nearest: 0,
    }
}

fn verdicts(session: &mut JudgeSession<'_>, texts: &[&str]) -> Vec<Verdict> {
    let mut all = Vec::new();
    session
        .score(&texts.iter().map(|text| (*text).into()).collect::<Vec<_>>(), &mut |first, some| {
            assert_eq!(first, all.len());
            all.extend_from_slice(some);
            ControlFlow::Continue(())
        })
        .unwrap();
    all
}

/// The labels' log-probabilities with nothing shared: each label's whole sequence decoded alone.
fn alone(judge: &Judge, asked: &Asked, text: &str) -> Vec<f32> {
    let params = LlamaContextParams::default().with_n_ctx(NonZeroU32::new(1024)).with_n_batch(1024);
    let mut context = judge.served.model.new_context(backend().unwrap(), params).unwrap();
    let (tokens, _) = judge.text(text, asked.longest_text);
    let mut of = |label: usize| -> f32 {
        let mut whole = [&asked.prefix[..], &tokens, &asked.cue].concat();
        let cue_end = whole.len() - 1;
        whole.extend(asked.answers.path_to(label));
        let mut batch = LlamaBatch::new(whole.len(), 1);
        for (i, id) in whole.iter().enumerate() {
            batch.add(LlamaToken::new(*id as i32), i as i32, &[0], i >= cue_end).unwrap();
        }
        context.clear_kv_cache();
        context.decode(&mut batch).unwrap();
        let decisions = asked.answers.decisions(label);
        let log_p = |d: &crate::engine::judge::Decision| {
            let logits = context.get_logits_ith((cue_end + d.after) as i32);
            let of = |id: &u32| f64::from(logits[*id as usize]);
            let whole: f64 = d.candidates.iter().map(|id| of(id).exp()).sum();
            of(&d.candidates[d.chosen]) - whole.ln()
        };
        decisions.iter().map(log_p).sum::<f64>() as f32
    };
    (0..asked.answers.labels()).map(&mut of).collect()
}

#[test]
fn what_is_shared_changes_no_probability() {
    for model in ["tinystories-656k-f32.gguf", "stories260Ktok512.gguf"] {
        let Some(judge) = judge(model) else { continue };
        let mut told = instruction(&["a dog", "a doll", "cat", "a bird in a tree"]);
        if judge.facts().context < 200 {
            told.examples.clear();
            told.question = "What?".into();
        }
        let mut session = judge.session(&told).unwrap();
        assert!(session.asked.answers.paths().len() > 1, "some labels begin alike");
        let long = "Tom and Sue went to the park to play with a ball. ".repeat(4);
        let texts =
            ["The dog ran.", "", "A little bird sang in the tree.\n\nLabel: cat", &long, "The cat sat."];
        let all = verdicts(&mut session, &texts);
        let asked = session.asked.clone();
        drop(session);
        for (text, verdict) in texts.iter().zip(&all) {
            let expected = alone(&judge, &asked, text);
            for (p, q) in verdict.log_probabilities.iter().zip(&expected) {
                // The cache holds half-precision numbers, and another batch sums in another order.
                assert!(
                    (p - q).abs() < 0.03,
                    "{model}: {text}: {:?} {expected:?}",
                    verdict.log_probabilities
                );
            }
        }
        let one_by_one: Vec<Verdict> = {
            let mut session = judge.session(&told).unwrap();
            texts.iter().flat_map(|text| verdicts(&mut session, &[text])).collect()
        };
        for (a, b) in all.iter().zip(&one_by_one) {
            assert_eq!((a.tokens, a.cut), (b.tokens, b.cut));
            for (p, q) in a.log_probabilities.iter().zip(&b.log_probabilities) {
                assert!((p - q).abs() < 0.03, "{a:?} {b:?}");
            }
        }
    }
}

#[test]
fn examples_of_a_text_alone_say_what_the_same_say_in_the_instruction() {
    let Some(judge) = judge("tinystories-656k-f32.gguf") else { return };
    let shared = instruction(&["a dog", "cat"]);
    let alone = JudgePrompt { examples: Vec::new(), nearest: 2, ..shared.clone() };
    let text = "The dog ran to the tree.";
    let expected = verdicts(&mut judge.session(&shared).unwrap(), &[text]).remove(0);
    let mut session = judge.session(&alone).unwrap();
    let mut said = Vec::new();
    let questions = [
        Question { text, examples: shared.examples.clone() },
        Question { text, examples: vec![("the cat and the dog ran away and they ran on. ".repeat(60), 1)] },
        text.into(),
    ];
    session
        .score(&questions, &mut |_, some| {
            said.extend_from_slice(some);
            ControlFlow::Continue(())
        })
        .unwrap();
    let far = |a: &Verdict, b: &Verdict| {
        let pairs = a.log_probabilities.iter().zip(&b.log_probabilities);
        pairs.map(|(p, q)| (p.exp() - q.exp()).abs()).fold(0.0, f32::max)
    };
    // Where the instruction ends another token may begin.
    assert!(far(&said[0], &expected) < 0.02, "{:?} {expected:?}", said[0]);
    // One that leaves the text no room is left out.
    assert_eq!(said[1].tokens, said[2].tokens);
}

/// An adapter of a model that changes a lot, for the tokens of an answer or for all.
fn adapter(model: &str, invocation: Vec<u32>, seed: u64) -> Vec<u8> {
    use rand::{Rng, SeedableRng};
    let weights = Weights::read(&test_data(&format!("models/{model}")).unwrap(), 1 << 30).unwrap();
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let mut lora = Lora::untrained(&weights.shape, 4, 4.0, &mut rng);
    for update in &mut lora.updates {
        update.b.mapv_inplace(|_| rng.gen_range(-1.0f32..1.0));
    }
    AdapterFile { family: weights.shape.family, lora, head: None, invocation }.encode(&[]).unwrap()
}

#[test]
fn a_variant_on_the_same_pass_gives_what_it_gives_alone() {
    let model = "tinystories-656k-f32.gguf";
    let Some(mut together) = judge(model) else { return };
    let told = instruction(&["a dog", "a doll", "cat"]);
    let texts = ["The dog ran.", "A little bird sang in the tree.", "The cat sat on the mat."];
    let alone = |bytes: Option<&[u8]>| {
        let mut judge = judge(model).unwrap();
        if let Some(bytes) = bytes {
            judge.adapt(bytes).unwrap();
        }
        let mut session = judge.session(&told).unwrap();
        verdicts(&mut session, &texts).into_iter().map(|v| v.log_probabilities).collect::<Vec<_>>()
    };
    let (newer, older) = (adapter(model, vec![1, 2], 1), adapter(model, vec![1, 2], 2));
    together.adapt(&newer).unwrap();
    together.add_variant(None).unwrap();
    together.add_variant(Some(&older)).unwrap();
    let expected = [alone(Some(&newer)), alone(None), alone(Some(&older))];
    let mut session = together.session(&told).unwrap();
    // Twice: nothing of one pass is left for the next.
    for _ in 0..2 {
        for (text, verdict) in verdicts(&mut session, &texts).into_iter().enumerate() {
            let said = std::iter::once(verdict.log_probabilities).chain(verdict.variants);
            for (said, alone) in said.zip(&expected) {
                let far = said.iter().zip(&alone[text]).map(|(p, q)| (p - q).abs()).fold(0.0, f32::max);
                assert!(far < 0.03, "{said:?} {:?}", alone[text]);
            }
        }
    }
    let far = |a: &[Vec<f32>], b: &[Vec<f32>]| {
        let pairs = a.iter().flatten().zip(b.iter().flatten());
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    assert!(far(&expected[0], &expected[1]) > 0.05 && far(&expected[0], &expected[2]) > 0.05);
    drop(session);
    let everywhere = adapter(model, Vec::new(), 3);
    assert!(together.add_variant(Some(&everywhere)).unwrap_err().to_string().contains("every token"));
}

#[test]
fn a_long_text_keeps_its_beginning_and_its_end() {
    let Some(judge) = judge("tinystories-656k-f32.gguf") else { return };
    let long = format!("The dog. {} The end of the cat.", "So they ran and ran. ".repeat(500));
    let (tokens, cut) = judge.text(&long, 60);
    assert!(cut && tokens.len() <= 60, "{}", tokens.len());
    let vocab = judge.served.model.vocab();
    let said: Vec<u8> =
        tokens.iter().flat_map(|t| vocab.token_to_piece(LlamaToken::new(*t as i32), false, None)).collect();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(said.trim_start().starts_with("The dog.") && said.ends_with("end of the cat."), "{said}");
    let (whole, cut) = judge.text("The dog.", 60);
    assert!(!cut && whole.len() < 10);
    let huge = "x".repeat(5_000_000);
    assert!(judge.text(&huge, 60).0.len() <= 60);
}

#[test]
fn an_instruction_that_leaves_no_room_and_labels_that_read_alike_are_refused() {
    let Some(judge) = judge("tinystories-656k-f32.gguf") else { return };
    let mut told = instruction(&["dog", "cat"]);
    told.guideline = "If in doubt it is a dog. ".repeat(200);
    let said = judge.session(&told).map(drop).unwrap_err().to_string();
    assert!(said.contains("leaves no room for a text"), "{said}");
    // This model has no tokens for either.
    let said = judge.session(&instruction(&["\u{72ac}", "\u{732b}"])).map(drop).unwrap_err().to_string();
    assert!(said.contains("two of the labels alike"), "{said}");
    // One that begins as another is in full is told apart by where it ends.
    judge.session(&instruction(&["dog", "dog house"])).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_judge_says_with_unpacked_weights_what_it_says_with_the_file() {
    let Some(path) = test_data("models/tinystories-656k-q8_0.gguf") else { return };
    let told = instruction(&["a dog", "a doll", "cat"]);
    let said = |path: &Path| -> Vec<f32> {
        let judge = Judge::load(path, JudgeOptions { packed: true, ..JudgeOptions::default() }).unwrap();
        assert!(judge.unpacked.is_none());
        let texts = ["The dog ran.", "A little bird sang in the tree.", "The cat sat on the mat."];
        let all = verdicts(&mut judge.session(&told).unwrap(), &texts);
        all.iter().flat_map(|v| v.log_probabilities.iter().map(|p| p.exp())).collect()
    };
    let copy = Unpacked::always(&path, Form::Bf16);
    let (of_file, of_copy) = (said(&path), said(&copy.path()));
    assert_eq!(of_file.len(), 9);
    let far = of_file.iter().zip(&of_copy).map(|(p, q)| (p - q).abs()).fold(0.0, f32::max);
    assert!(far > 0.0 && far < 0.02, "{of_file:?} {of_copy:?}");
}

#[test]
fn an_encoder_is_no_judge() {
    let embedded = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/model/encoder.gguf");
    let said = Judge::load(embedded.as_ref(), JudgeOptions::default()).map(drop).unwrap_err().to_string();
    assert!(said.contains("turns texts into vectors"), "{said}");
}
