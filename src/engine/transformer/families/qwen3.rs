//! Qwen 3: as Qwen 2, with a norm of each head.

use super::qwen2;
use crate::engine::transformer::family::Family;

pub(super) const FAMILY: Family =
    Family { name: "qwen3", head_norms: Some(["attn_q_norm", "attn_k_norm"]), ..qwen2::FAMILY };
