//! Colours by what they mean. Only the sixteen of the terminal's own palette, so that the Linux console has them too.

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThemeName {
    /// Light text on a dark ground.
    #[default]
    Dark,
    /// Dark text on a light ground.
    Light,
    /// Bold and plain colours only.
    HighContrast,
    /// No colour at all, as `NO_COLOR` asks.
    None,
}

impl ThemeName {
    pub const ALL: [Self; 4] = [Self::Dark, Self::Light, Self::HighContrast, Self::None];

    /// In the settings file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::HighContrast => "high-contrast",
            Self::None => "none",
        }
    }
}

/// The style of each kind of thing on the screen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Theme {
    /// The text to read.
    pub text: Style,
    /// Secondary text.
    pub quiet: Style,
    /// The question, and titles.
    pub title: Style,
    /// Keys to press.
    pub key: Style,
    /// Words in which a text and its neighbour differ.
    pub differs: Style,
    /// Success.
    pub good: Style,
    /// Warnings.
    pub warning: Style,
    /// Failures.
    pub bad: Style,
    /// The chosen line of a list.
    pub chosen: Style,
    /// Lines between parts.
    pub rule: Style,
}

impl Theme {
    /// The styles of a theme.
    pub fn of(name: ThemeName) -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        let colour = |c: Color| plain.fg(c);
        match name {
            ThemeName::Dark => Self {
                text: plain,
                // Not the palette's colour 8: Solarized has it as dark as its ground.
                quiet: plain.add_modifier(Modifier::DIM),
                title: colour(Color::Cyan).add_modifier(Modifier::BOLD),
                key: colour(Color::Yellow).add_modifier(Modifier::BOLD),
                differs: colour(Color::LightMagenta),
                good: colour(Color::Green),
                warning: colour(Color::Yellow),
                bad: colour(Color::LightRed).add_modifier(Modifier::BOLD),
                chosen: plain.add_modifier(Modifier::REVERSED),
                rule: plain.add_modifier(Modifier::DIM),
            },
            ThemeName::Light => Self {
                text: plain,
                quiet: colour(Color::DarkGray),
                title: colour(Color::Blue).add_modifier(Modifier::BOLD),
                key: colour(Color::Red).add_modifier(Modifier::BOLD),
                differs: colour(Color::Magenta),
                good: colour(Color::Green),
                warning: colour(Color::Red),
                bad: colour(Color::Red).add_modifier(Modifier::BOLD),
                chosen: plain.add_modifier(Modifier::REVERSED),
                rule: colour(Color::Gray),
            },
            ThemeName::HighContrast => Self {
                text: plain,
                quiet: plain,
                title: bold.add_modifier(Modifier::UNDERLINED),
                key: bold.add_modifier(Modifier::REVERSED),
                differs: bold,
                good: bold,
                warning: bold.add_modifier(Modifier::UNDERLINED),
                bad: bold.add_modifier(Modifier::REVERSED),
                chosen: bold.add_modifier(Modifier::REVERSED),
                rule: plain,
            },
            ThemeName::None => Self {
                text: plain,
                quiet: plain,
                title: bold,
                key: bold,
                differs: plain.add_modifier(Modifier::UNDERLINED),
                good: plain,
                warning: bold,
                bad: bold,
                chosen: plain.add_modifier(Modifier::REVERSED),
                rule: plain,
            },
        }
    }
}
