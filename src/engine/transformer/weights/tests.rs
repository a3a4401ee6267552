//! Tests of reading a language model's weights: what is refused, and by which name.

use super::*;
use crate::engine::gguf::{TensorType, Value, encode_header};
use crate::engine::random_model::RandomModel;

type Change<'c> = &'c dyn Fn(&mut Vec<(String, Value)>, &mut Vec<Tensor>);

/// What is said of a small model whose header was changed.
fn said(family: &str, change: Change<'_>) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.gguf");
    RandomModel::small(Family::named(family).unwrap(), TensorType::F32).write(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let mut header = crate::engine::gguf::read_header(&bytes[..], bytes.len() as u64).unwrap();
    change(&mut header.metadata, &mut header.tensors);
    let listed = header.tensors.iter().map(|t| (t.name.clone(), t.shape.clone(), t.kind));
    let (mut changed, encoded) = encode_header(header.metadata.clone(), listed).unwrap();
    let most: u64 = encoded.tensors.iter().map(|t| t.bytes + 64).sum();
    changed.resize(changed.len() + most.min(1 << 24) as usize, 0);
    std::fs::write(&path, changed).unwrap();
    Weights::read(&path, 0).map(|_| ()).map_err(|e| e.to_string()).err().unwrap_or_default()
}

fn set(metadata: &mut Vec<(String, Value)>, key: &str, value: Value) {
    metadata.retain(|(other, _)| other != key);
    metadata.push((key.to_owned(), value));
}

#[test]
fn a_model_that_is_not_computed_exactly_is_refused_by_name() {
    assert_eq!(said("llama", &|_, _| {}), "");
    let keys = |key: &'static str, value: Value| {
        said("llama", &move |metadata, _| set(metadata, key, value.clone()))
    };
    let phi = keys("general.architecture", Value::text("phi3"));
    assert!(phi.contains("'phi3'") && phi.contains("llama, qwen2, qwen3, gemma3"), "{phi}");
    assert!(phi.starts_with("cannot train an adapter of model.gguf: "), "{phi}");
    for (key, value, says) in [
        ("llama.attention.head_count", Value::U32(u32::MAX), "'llama.attention.head_count'"),
        ("llama.attention.head_count", Value::U32(0), "'llama.attention.head_count'"),
        ("llama.attention.head_count", Value::U32(3), "do not fit each other"),
        ("llama.attention.head_count", Value::U32(8), "tensor 'blk.0.attn_output.weight' has the shape"),
        ("llama.block_count", Value::U32(900), "does not hold 900 blocks"),
        ("llama.block_count", Value::U32(u32::MAX), "'llama.block_count'"),
        ("llama.feed_forward_length", Value::U32(97), "has the shape"),
        ("llama.attention.layer_norm_rms_epsilon", Value::F32(f32::NAN), "layer_norm_rms_epsilon"),
        ("llama.rope.scaling.type", Value::text("yarn"), "'yarn'"),
        ("llama.expert_count", Value::U32(8), "'expert_count'"),
        ("llama.final_logit_softcapping", Value::F32(30.0), "'final_logit_softcapping'"),
        ("llama.attention.causal", Value::Bool(false), "those after them"),
        ("llama.rope.dimension_count", Value::U32(8), "do not fit each other"),
    ] {
        let said = keys(key, value);
        assert!(said.contains(says), "{key}: {said}");
    }
    let pattern = said("gemma3", &|metadata, _| {
        let bytes = vec![1; 3];
        let value = Value::Array { kind: 7, count: 3, bytes };
        set(metadata, "gemma3.attention.sliding_window_pattern", value);
    });
    assert!(pattern.contains("which of its blocks have a window"), "{pattern}");
}

#[test]
fn a_tensor_more_or_less_or_of_another_shape_is_refused_by_name() {
    let tensors = |change: fn(&mut Vec<Tensor>)| said("qwen3", &move |_, tensors| change(tensors));
    let missing = tensors(|tensors| tensors.retain(|t| t.name != "blk.1.ffn_up.weight"));
    assert!(missing.contains("no tensor 'blk.1.ffn_up.weight'"), "{missing}");
    let more = tensors(|tensors| {
        let tensor = Tensor { name: "blk.1.attn_sinks.weight".into(), ..tensors[0].clone() };
        tensors.push(tensor);
    });
    assert!(more.contains("'blk.1.attn_sinks.weight'"), "{more}");
    let wrong = tensors(|tensors| {
        if let Some(norm) = tensors.iter_mut().find(|t| t.name == "blk.0.attn_q_norm.weight") {
            norm.shape = vec![31];
        }
    });
    assert!(wrong.contains("'blk.0.attn_q_norm.weight' has the shape [31], not [32]"), "{wrong}");
    let vectors = tensors(|tensors| tensors.retain(|t| t.name != "token_embd.weight"));
    assert!(vectors.contains("no embeddings"), "{vectors}");
}

#[test]
fn half_a_model_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.gguf");
    RandomModel::small(Family::named("llama").unwrap(), TensorType::Q8_0).write(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for length in [0, 5, 500, bytes.len() / 2, bytes.len() - 64] {
        std::fs::write(&path, &bytes[..length]).unwrap();
        assert!(Weights::read(&path, 0).is_err(), "{length} bytes");
    }
}
