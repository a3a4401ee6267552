//! One file for each strategy, the trait that they implement, and the list of them.

pub(in crate::mining) mod badge;
pub(in crate::mining) mod boundary;
pub(in crate::mining) mod cal;
pub(in crate::mining) mod confidence;
pub(in crate::mining) mod entropy;
pub(in crate::mining) mod hybrid;
pub(in crate::mining) mod k_center;
pub(in crate::mining) mod random;
pub mod registry;
pub(in crate::mining) mod strategy;
pub(in crate::mining) mod typiclust;
