//! Which items experts should see next: vectors and prelabels in, a round's cases out.
//!
//! Pure: no file, no clock, no SQL, no model, and no expert's label, so an evaluation or audit answer cannot
//! steer what is chosen. The same pool and seed give the same round, whatever the number of threads.
//!
//! ```text
//! round -> audit, opening, margin, neighbours, pick
//! strategy -> hybrid, boundary, margin, confidence, entropy, k_center, cal, typiclust, badge, random
//!                                             (one file per strategy, each a `pick::Strategy`)
//! boundary -> clusters, neighbours, overlap, pairs, budget, margin
//! hybrid -> typiclust, clusters, neighbours
//! typiclust -> clusters, neighbours
//! k_center, cal -> neighbours
//! all -> pool
//! ```

pub mod geometry;
pub mod round;
pub mod strategies;

mod audit;
mod margin;
mod opening;
mod pool;

#[cfg(test)]
mod synthetic;

pub use pool::{Pool, PoolParts};
pub use strategies::strategy::{Pick, Ranking, Strategy};
