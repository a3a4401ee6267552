//! Which screens there are.

use super::keys::Action;
use crate::desk::pages::Page;

/// The screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Screen {
    Case,
    Progress,
    Jobs,
    Items,
    Project,
    Agreement,
}

impl Screen {
    /// Each with its name in the head and the action that opens it, in the order of the head.
    pub const ALL: [(Self, &'static str, Action); 6] = [
        (Self::Case, "Case", Action::Case),
        (Self::Progress, "Progress", Action::Progress),
        (Self::Jobs, "Jobs", Action::Jobs),
        (Self::Items, "Items", Action::Items),
        (Self::Project, "Project", Action::Project),
        (Self::Agreement, "Agree", Action::Agreement),
    ];

    /// The page that it shows, where another thread reads one for it.
    pub fn page(self) -> Option<Page> {
        match self {
            Self::Progress => Some(Page::Progress),
            Self::Project => Some(Page::Project),
            Self::Agreement => Some(Page::Agreement),
            Self::Case | Self::Jobs | Self::Items => None,
        }
    }
}
