//! Active learning: which items experts should label next. Vectors and prelabels go in, a round's cases come out.
//!
//! Pure: no file, no clock, no SQL, no model, and no expert's label, so an evaluation or audit answer cannot
//! influence what is chosen. The same pool and seed give the same round, whatever the number of threads.
//!
//! - `pool` is the checked input; `round` plans a round and enforces what holds for every strategy.
//! - `audit` draws the random share of a round, `opening` chooses the first round, `centring` is how vectors are compared.
//! - `strategies` has one file per strategy and the list of them; `geometry` is what several of them compute with.
//!
//! ```text
//! round -> audit, opening, strategies, geometry::neighbours
//! opening -> strategies::diverse_margin, geometry::clusters
//! strategies -> geometry
//! all -> pool
//! ```

pub mod geometry;
pub mod round;
pub mod strategies;

mod audit;
mod centring;
mod opening;
mod pool;

#[cfg(test)]
mod synthetic;

pub use centring::{centre, cosines_from, mean};
pub use pool::{Pool, PoolParts};
pub use strategies::strategy::{Pick, Ranking, Strategy};
