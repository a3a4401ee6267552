//! How a statement refers to the person who bears the name ?1: one person may have several names, and what was done under any of them counts.

/// The person, which is the first of the names.
pub(in crate::store) const ME: &str = "(SELECT m.person FROM person m WHERE m.expert = ?1)";
/// All names of that person.
pub(in crate::store) const MY_NAMES: &str =
    "(SELECT n.expert FROM person n WHERE n.person = (SELECT m.person FROM person m WHERE m.expert = ?1))";
