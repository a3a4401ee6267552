//! What reader and writer of Argilla's records agree on.

/// The agent of a suggestion that is a label which experts gave: a response there needs a user of its server.
pub(super) const EXPERTS: &str = "experts";
