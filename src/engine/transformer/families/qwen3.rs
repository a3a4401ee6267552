//! Qwen 3: as Qwen 2, with a norm of each head.

use super::{Family, qwen2};

pub(super) const FAMILY: Family =
    Family { name: "qwen3", head_norms: Some(["attn_q_norm", "attn_k_norm"]), ..qwen2::FAMILY };
