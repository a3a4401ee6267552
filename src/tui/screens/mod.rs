//! The screens, one folder each, and the list of them.
//!
//! A new screen is a folder with a [`Screen`] and one line here: its tab, and how to make it. `Action::Back` has to lead from it to
//! `Then::Home`, and the bar has to have room for its title in the narrowest window (`MIN_SIZE` in `widgets/frame.rs`). A screen that needs no
//! key of its own has `keys: &[]`: the palette and `tab` open it.

pub(in crate::tui) mod agree;
pub(in crate::tui) mod case;
pub(in crate::tui) mod items;
pub(in crate::tui) mod jobs;
pub(in crate::tui) mod progress;
pub(in crate::tui) mod project;

use super::keys::ActionInfo;
use super::screen::{Screen, Tab};

/// A line of the list.
pub(super) type Listed = (Tab, fn() -> Box<dyn Screen>);

/// Every screen, in the order of the bar. The first is the one that the program opens with and comes back to.
pub(super) const LIST: &[Listed] = &[
    (case::TAB, || Box::<case::screen::CaseScreen>::default()),
    (progress::TAB, || Box::<progress::screen::ProgressScreen>::default()),
    (jobs::TAB, || Box::<jobs::screen::JobsScreen>::default()),
    (items::TAB, || Box::<items::screen::ItemsScreen>::default()),
    (project::TAB, || Box::<project::screen::ProjectScreen>::default()),
    (agree::TAB, || Box::<agree::screen::AgreementScreen>::default()),
];

/// The actions that open them.
pub(super) fn actions() -> impl Iterator<Item = ActionInfo> {
    LIST.iter().map(|(tab, _)| tab.info())
}
