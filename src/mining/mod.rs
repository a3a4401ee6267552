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

pub mod round;
pub mod strategy;

mod audit;
mod badge;
mod boundary;
mod budget;
mod cal;
mod clusters;
mod confidence;
mod entropy;
mod hybrid;
mod k_center;
mod margin;
mod neighbours;
mod opening;
mod overlap;
mod pairs;
mod pick;
mod pool;
mod random;
mod typiclust;

#[cfg(test)]
mod synthetic;

pub use pick::{Pick, Ranking, Strategy};
pub use pool::{Pool, PoolParts};
