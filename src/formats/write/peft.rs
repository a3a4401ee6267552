//! A low-rank adapter as PEFT keeps it: `adapter_model.safetensors` with Hugging Face's names of the layers, and `adapter_config.json`.
//!
//! GGUF and PyTorch hold the two matrices of an update alike, row after row: `rank × in` and `out × rank`. Only the rows of queries and keys are in another
//! order in files of Llama's architecture, whose heads llama.cpp turns in pairs of neighbours and Hugging Face in halves.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView2, Axis};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;

use crate::domain::fault::{Fault, Result};

const WRITE: &str = "write the adapter for PEFT";

/// An adapter on its way to PEFT.
#[derive(Clone, Debug)]
pub struct PeftAdapter<'a> {
    /// llama.cpp's name of the architecture.
    pub architecture: &'a str,
    /// What `from_pretrained` may find the base model by; people put their own path there.
    pub base: &'a str,
    /// An update counts `alpha / rank` times.
    pub alpha: f32,
    /// Heads of queries, and of keys and values. Needed for Llama's architecture alone.
    pub heads: Option<(usize, usize)>,
    /// Of one that acts on answers alone: the tokens from which on it does. Empty where it acts on all.
    pub invocation: &'a [u32],
    pub updates: Vec<PeftUpdate<'a>>,
}

/// The update of one linear layer, `alpha / rank · b · a`.
#[derive(Clone, Debug)]
pub struct PeftUpdate<'a> {
    pub block: usize,
    /// llama.cpp's name of the layer within its block: `attn_q`.
    pub layer: &'a str,
    /// `rank × in`.
    pub a: ArrayView2<'a, f32>,
    /// `out × rank`.
    pub b: ArrayView2<'a, f32>,
}

/// The names that an architecture has at Hugging Face.
struct Names {
    /// What stands before the number of a block.
    blocks: &'static str,
    /// llama.cpp's name of a layer, and Hugging Face's.
    layers: &'static [(&'static str, &'static str)],
    task: &'static str,
}

const GATED: &[(&str, &str)] = &[
    ("attn_q", "self_attn.q_proj"),
    ("attn_k", "self_attn.k_proj"),
    ("attn_v", "self_attn.v_proj"),
    ("attn_output", "self_attn.o_proj"),
    ("ffn_gate", "mlp.gate_proj"),
    ("ffn_up", "mlp.up_proj"),
    ("ffn_down", "mlp.down_proj"),
];
const BERT: &[(&str, &str)] = &[
    ("attn_q", "attention.self.query"),
    ("attn_k", "attention.self.key"),
    ("attn_v", "attention.self.value"),
    ("attn_output", "attention.output.dense"),
    ("ffn_up", "intermediate.dense"),
    ("ffn_down", "output.dense"),
];
const CAUSAL: &str = "CAUSAL_LM";
const FEATURES: &str = "FEATURE_EXTRACTION";

fn names(architecture: &str) -> Result<Names> {
    Ok(match architecture {
        "llama" | "qwen2" | "qwen3" | "gemma3" => {
            Names { blocks: "model.layers", layers: GATED, task: CAUSAL }
        }
        "eurobert" => Names { blocks: "layers", layers: GATED, task: FEATURES },
        "bert" => Names { blocks: "encoder.layer", layers: BERT, task: FEATURES },
        other => {
            return Err(Fault::usage(WRITE, format!("its architecture '{other}' has no known names there")));
        }
    })
}

/// The files, each with its name.
///
/// # Errors
/// An architecture or a layer that is not known, or heads that do not fit the matrices.
pub fn peft_files(adapter: &PeftAdapter<'_>) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let names = names(adapter.architecture)?;
    let mut tensors: BTreeMap<String, (Vec<usize>, Vec<u8>)> = BTreeMap::new();
    let mut targets: Vec<&str> = Vec::new();
    for update in &adapter.updates {
        let known = names.layers.iter().find(|(ours, _)| *ours == update.layer);
        let (_, theirs) = known
            .ok_or_else(|| Fault::new(WRITE, format!("the layer '{}' has no known name", update.layer)))?;
        if !targets.contains(theirs) {
            targets.push(theirs);
        }
        let b = match (adapter.architecture, update.layer, adapter.heads) {
            ("llama", "attn_q", Some((heads, _))) | ("llama", "attn_k", Some((_, heads))) => {
                in_halves(update.b, heads)?
            }
            ("llama", "attn_q" | "attn_k", None) => {
                return Err(Fault::new(WRITE, "it is not known how many heads its model has"));
            }
            _ => update.b.to_owned(),
        };
        for (side, matrix) in [("A", update.a.view()), ("B", b.view())] {
            let name =
                format!("base_model.model.{}.{}.{theirs}.lora_{side}.weight", names.blocks, update.block);
            let bytes = matrix.iter().flat_map(|x| x.to_le_bytes()).collect();
            tensors.insert(name, (vec![matrix.nrows(), matrix.ncols()], bytes));
        }
    }
    let views: Vec<(&String, TensorView<'_>)> = tensors
        .iter()
        .map(|(name, (shape, bytes))| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<std::result::Result<_, safetensors::SafeTensorError>>()
        .map_err(|e| Fault::new(WRITE, e.to_string()))?;
    let about = [("format".to_owned(), "pt".to_owned())].into_iter().collect();
    let model = safetensors::serialize(views, Some(about)).map_err(|e| Fault::new(WRITE, e.to_string()))?;
    let mut config = json!({
        "peft_type": "LORA",
        "task_type": names.task,
        "base_model_name_or_path": adapter.base,
        "r": adapter.updates.first().map_or(0, |update| update.a.nrows()),
        "lora_alpha": adapter.alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": false,
        "inference_mode": true,
        "target_modules": targets,
    });
    if !adapter.invocation.is_empty() {
        config["alora_invocation_tokens"] = json!(adapter.invocation);
    }
    Ok(vec![
        ("adapter_model.safetensors", model),
        ("adapter_config.json", format!("{config:#}\n").into_bytes()),
    ])
}

/// The rows of queries or keys as Hugging Face has them. Within a head llama.cpp's neighbours `2i` and `2i + 1` are `i` of the first half and `i` of the second.
///
/// # Errors
/// Rows that are no whole heads.
fn in_halves(b: ArrayView2<'_, f32>, heads: usize) -> Result<Array2<f32>> {
    let size = b.nrows().checked_div(heads).unwrap_or(0);
    if size == 0 || size * heads != b.nrows() || !size.is_multiple_of(2) {
        let why = format!("{} rows of queries or keys are not {heads} heads", b.nrows());
        return Err(Fault::new(WRITE, why));
    }
    let half = size / 2;
    let from = |row: usize| {
        let (head, within) = (row / size, row % size);
        head * size + 2 * (within % half) + within / half
    };
    Ok(b.select(Axis(0), &(0..b.nrows()).map(from).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, array};
    use safetensors::SafeTensors;

    use super::*;

    /// What llama.cpp's converter does to the rows of a weight of Hugging Face: `reshape(heads, 2, size / 2).swapaxes(1, 2)`.
    fn converted(b: &Array2<f32>, heads: usize) -> Array2<f32> {
        let half = b.nrows() / heads / 2;
        let rows = (0..heads).flat_map(|head| {
            (0..half).flat_map(move |i| [0, 1].map(|which| head * 2 * half + which * half + i))
        });
        b.select(Axis(0), &rows.collect::<Vec<_>>())
    }

    fn read<'b>(files: &'b [(&'static str, Vec<u8>)]) -> (SafeTensors<'b>, serde_json::Value) {
        assert_eq!([files[0].0, files[1].0], ["adapter_model.safetensors", "adapter_config.json"]);
        (SafeTensors::deserialize(&files[0].1).unwrap(), serde_json::from_slice(&files[1].1).unwrap())
    }

    fn numbers(tensors: &SafeTensors<'_>, name: &str) -> Vec<f32> {
        let bytes = tensors.tensor(name).unwrap().data();
        bytes.as_chunks::<4>().0.iter().map(|x| f32::from_le_bytes(*x)).collect()
    }

    #[test]
    fn queries_and_keys_of_llama_are_put_back_in_the_order_that_hugging_face_has() {
        let (a, b) = (array![[1.0f32, 2.0]], Array1::range(0.0f32, 16.0, 1.0).insert_axis(Axis(1)));
        let (q, k) = (converted(&b, 2), converted(&b, 1));
        let update = |layer, b| PeftUpdate { block: 3, layer, a: a.view(), b };
        let adapter = PeftAdapter {
            architecture: "llama",
            base: "some/model",
            alpha: 16.0,
            heads: Some((2, 1)),
            invocation: &[7, 9],
            updates: vec![
                update("attn_q", q.view()),
                update("attn_k", k.view()),
                update("ffn_down", b.view()),
            ],
        };
        let files = peft_files(&adapter).unwrap();
        let (tensors, config) = read(&files);
        for layer in ["self_attn.q_proj", "self_attn.k_proj", "mlp.down_proj"] {
            let name = |side: &str| format!("base_model.model.model.layers.3.{layer}.lora_{side}.weight");
            assert_eq!(numbers(&tensors, &name("B")), b.iter().copied().collect::<Vec<_>>(), "{layer}");
            assert_eq!(numbers(&tensors, &name("A")), [1.0, 2.0]);
            assert_eq!(tensors.tensor(&name("B")).unwrap().shape(), [16, 1]);
        }
        assert_eq!((&config["r"], &config["lora_alpha"]), (&json!(1), &json!(16.0)));
        assert_eq!(config["alora_invocation_tokens"], json!([7, 9]));
        assert_eq!(
            config["target_modules"],
            json!(["self_attn.q_proj", "self_attn.k_proj", "mlp.down_proj"])
        );
        assert!(peft_files(&PeftAdapter { heads: None, ..adapter.clone() }).is_err());
        assert!(peft_files(&PeftAdapter { heads: Some((3, 1)), ..adapter.clone() }).is_err());
        assert!(peft_files(&PeftAdapter { architecture: "other", ..adapter.clone() }).is_err());

        // Where both turn halves, rows stay where they are; and one that acts on all tokens names none.
        let files =
            peft_files(&PeftAdapter { architecture: "qwen3", heads: None, invocation: &[], ..adapter })
                .unwrap();
        let (tensors, config) = read(&files);
        let q_name = "base_model.model.model.layers.3.self_attn.q_proj.lora_B.weight";
        assert_eq!(numbers(&tensors, q_name), q.iter().copied().collect::<Vec<_>>());
        assert!(config.get("alora_invocation_tokens").is_none());
    }

    #[test]
    fn an_encoders_layers_have_their_own_names() {
        let (a, b) = (array![[1.0f32]], array![[2.0f32]]);
        let adapter = PeftAdapter {
            architecture: "bert",
            base: "e5",
            alpha: 8.0,
            heads: None,
            invocation: &[],
            updates: vec![PeftUpdate { block: 0, layer: "ffn_down", a: a.view(), b: b.view() }],
        };
        let files = peft_files(&adapter).unwrap();
        let (tensors, config) = read(&files);
        assert_eq!(numbers(&tensors, "base_model.model.encoder.layer.0.output.dense.lora_B.weight"), [2.0]);
        assert_eq!(config["task_type"], "FEATURE_EXTRACTION");
        let gate = PeftUpdate { layer: "ffn_gate", ..adapter.updates[0].clone() };
        assert!(peft_files(&PeftAdapter { updates: vec![gate], ..adapter }).is_err());
    }
}
