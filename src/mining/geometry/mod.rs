//! Geometry of embeddings, shared by strategies: clusters, nearest neighbours, and for `boundary` the overlaps of clusters, the pairs across
//! them and how a budget is divided among them.

pub(in crate::mining) mod budget;
pub(in crate::mining) mod clusters;
pub(in crate::mining) mod neighbours;
pub(in crate::mining) mod overlap;
pub(in crate::mining) mod pairs;
