//! Vectors as geometry: clusters, neighbours, overlaps, and pairs across a boundary.

pub(in crate::mining) mod budget;
pub(in crate::mining) mod clusters;
pub(in crate::mining) mod neighbours;
pub(in crate::mining) mod overlap;
pub(in crate::mining) mod pairs;
