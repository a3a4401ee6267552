//! One expert's session at one project: what the screens and the command line share.
//!
//! It keeps cases blind: the model's view, the split, another expert's answer and the reason for a case never leave it before this expert has
//! answered, except by a reveal, which is recorded. It never runs a model.
//!
//! - `session` is the expert at work: the next case and answers; `elsewhere` undoes, and knows other terminals; `own_ids` finds an item by the id of
//!   its file. `shown` is what they may see.
//! - `adjudication` shows and decides disagreements, and sends cases out for re-annotation. `people` manages experts.
//! - `browse` lists and searches texts, with `query` for the search line. `pages` fetches figures from `insight`.
//! - `request` is what a screen may ask of the session, and the thread that answers it. `worker` is any such thread, `jobs` and `local_models`
//!   start child processes: so a screen never waits for the file. `survey` looks at a data file before a project is made of it, and `draft_file`
//!   keeps what was answered about it.

pub mod adjudication;
mod beside;
pub mod browse;
mod displaced;
pub mod draft_file;
mod elsewhere;
pub mod found;
pub mod grown;
mod job_kind;
pub mod jobs;
mod label_uses;
mod local_models;
mod own_ids;
pub mod pages;
pub mod people;
pub mod query;
pub mod request;
mod rescue;
pub mod results;
pub mod round_end;
pub mod session;
pub mod shown;
pub mod survey;
pub mod task_change;
mod turns;
pub mod worker;
mod written_path;
