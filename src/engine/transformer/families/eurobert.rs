//! EuroBERT: the graph of Llama, whose tokens see each other.

use super::llama;
use crate::engine::transformer::family::{Family, Positions, Role, RopeDivisors};
use crate::engine::transformer::ops::RopeStyle;

pub(super) const FAMILY: Family = Family {
    name: "eurobert",
    role: Role::Encoder,
    positions: Positions::Rotary(RopeStyle::Neox, RopeDivisors::Absent),
    ..llama::FAMILY
};
