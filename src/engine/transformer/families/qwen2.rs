//! Qwen 2 and 2.5: as Llama, with biases in attention and halves that turn together.

use super::llama;
use crate::engine::transformer::family::{Family, Positions, RopeDivisors};
use crate::engine::transformer::ops::RopeStyle;

pub(super) const FAMILY: Family = Family {
    name: "qwen2",
    positions: Positions::Rotary(RopeStyle::Neox, RopeDivisors::Absent),
    ..llama::FAMILY
};
