//! Whether a label key counts: only for a case the person can have seen, and once for a key that is held down.
//!
//! After a case is drawn, the terminal is asked where its cursor is. Its answer comes after the drawing, over the same line, so
//! whatever was typed before the answer was typed without having seen the case. tmux and screen answer by themselves, and some
//! terminals never do; and a finger that bounces is faster than any eye. So a short time must pass as well.
//!
//! A key that is held down repeats: first after a quarter to two thirds of a second, then 10 to 40 times a second. A label key that
//! comes soon after itself therefore waits a moment: if it is a repeat, the next repeat shows it.

use std::fmt;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::KeyEventKind;

use crate::domain::task::{Label, Task};
use crate::tui::keys::Action;

/// Nobody reads a case faster.
const GLANCE: Duration = Duration::from_millis(250);
/// A repeat may be mistaken for a second press this long after the first.
const FIRST_REPEAT: Duration = Duration::from_millis(750);
/// Repeats follow each other within this.
const NEXT_REPEAT: Duration = Duration::from_millis(130);
/// A key that is silent for this long has been let go.
const LET_GO: Duration = Duration::from_millis(300);

/// Which question to the terminal an answer belongs to.
pub(in crate::tui) type Nonce = u32;

/// What is known about the terminal's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Terminal {
    Answers,
    /// It never answers.
    Silent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    /// The case is not drawn yet.
    NotDrawn,
    /// It is drawn, and the terminal was asked.
    Asked { nonce: Nonce, drawn: Instant },
    /// The person can have seen it since then.
    SeenFrom(Instant),
}

/// How a label was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Press {
    Key(char),
    /// A click on the label of this place in the task, which has no key.
    Click(usize),
    /// Enter, where several labels are chosen: it gives them, or opens the list of the labels.
    Enter,
    /// A click on what gives them.
    Save,
}

impl Press {
    /// A click on a label: the same as its key, where it has one.
    pub fn click(at: usize, task: &Task) -> Option<Self> {
        let label = task.labels.get(at)?;
        Some(label.key.map_or(Self::Click(at), Self::Key))
    }

    /// The label that it gives.
    pub fn label(self, task: &Task) -> Option<&Label> {
        match self {
            Self::Key(key) => task.labels.iter().find(|label| label.key == Some(key)),
            Self::Click(at) => task.labels.get(at),
            Self::Enter | Self::Save => None,
        }
    }
}

impl From<char> for Press {
    fn from(key: char) -> Self {
        Self::Key(key)
    }
}

impl fmt::Display for Press {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "'{key}'"),
            Self::Click(_) | Self::Save => f.write_str("The click"),
            Self::Enter => f.write_str("enter"),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Pressed {
    key: Press,
    last: Instant,
    /// How often it has come without being let go.
    times: u32,
}

/// The verdict on a label key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Verdict {
    /// It labels the case.
    Counts,
    /// It came before the case could be seen.
    TooEarly,
    /// It may be a repeat: wait until then to know.
    Wait(Instant),
    /// It is being held down.
    Held,
}

/// What the labeller can have seen, as far as a terminal tells.
#[derive(Debug)]
pub(in crate::tui) struct Attention {
    terminal: Terminal,
    sight: Sight,
    nonce: Nonce,
    pressed: Option<Pressed>,
    waiting: Option<(Press, Instant)>,
}

impl Default for Attention {
    fn default() -> Self {
        Self::new(Terminal::Answers)
    }
}

impl Attention {
    pub fn new(terminal: Terminal) -> Self {
        Self { terminal, sight: Sight::NotDrawn, nonce: 0, pressed: None, waiting: None }
    }

    /// One for another screen: no answer that the terminal gives to the one is taken for an answer to the other.
    pub fn with_nonces_apart() -> Self {
        Self { nonce: Nonce::MAX / 2, ..Self::default() }
    }

    /// Another case is about to be drawn.
    pub fn another_case(&mut self) {
        self.sight = Sight::NotDrawn;
        self.waiting = None;
    }

    /// The screen has been drawn. Returns what the terminal must be asked now.
    pub fn drawn(&mut self, now: Instant) -> Option<Nonce> {
        if self.sight != Sight::NotDrawn {
            return None;
        }
        if self.terminal == Terminal::Silent {
            self.sight = Sight::SeenFrom(now + GLANCE);
            return None;
        }
        self.nonce = self.nonce.wrapping_add(1);
        self.sight = Sight::Asked { nonce: self.nonce, drawn: now };
        Some(self.nonce)
    }

    /// The terminal has answered.
    pub fn answered(&mut self, answer: Nonce, now: Instant) {
        if let Sight::Asked { nonce, drawn } = self.sight
            && nonce == answer
        {
            self.sight = Sight::SeenFrom(now.max(drawn + GLANCE));
        }
    }

    /// The terminal did not answer in time, and will not be asked again.
    pub fn unanswered(&mut self, now: Instant) {
        self.terminal = Terminal::Silent;
        if let Sight::Asked { drawn, .. } = self.sight {
            self.sight = Sight::SeenFrom(now.max(drawn + GLANCE));
        }
    }

    /// Whether the person can have seen the case.
    pub fn seen(&self, now: Instant) -> bool {
        matches!(self.sight, Sight::SeenFrom(from) if now >= from)
    }

    /// A label key was pressed. `repeat` where the terminal itself says that it is one.
    pub fn label_key(&mut self, key: impl Into<Press>, repeat: bool, now: Instant) -> Verdict {
        let key = key.into();
        let before = self.pressed.filter(|p| p.key == key && now.duration_since(p.last) < FIRST_REPEAT);
        let times = match before {
            Some(p) if p.times > 1 && now.duration_since(p.last) >= LET_GO => 1,
            Some(p) => p.times + 1,
            None => 1,
        };
        self.pressed = Some(Pressed { key, last: now, times });
        if self.waiting.take().is_some_and(|(waiting, _)| waiting == key) || repeat || times > 2 {
            // Repeats must not become a press of their own once the waiting one is dropped.
            self.pressed = Some(Pressed { key, last: now, times: times.max(3) });
            return Verdict::Held;
        }
        if !self.seen(now) {
            return Verdict::TooEarly;
        }
        if times == 2 {
            let until = now + NEXT_REPEAT;
            self.waiting = Some((key, until));
            return Verdict::Wait(until);
        }
        Verdict::Counts
    }

    /// The key was pressed for something else: it may be held down since.
    pub fn also_pressed(&mut self, key: Press, now: Instant) {
        self.waiting = None;
        self.pressed = Some(Pressed { key, last: now, times: 1 });
    }

    /// The label key that waited and was not followed by a repeat, so it was a separate press.
    pub fn waited(&mut self, now: Instant) -> Option<Press> {
        let (key, until) = self.waiting?;
        if now < until {
            return None;
        }
        self.waiting = None;
        if let Some(pressed) = &mut self.pressed {
            pressed.times = 1;
        }
        Some(key)
    }

    /// When to check again, if something waits.
    pub fn deadline(&self) -> Option<Instant> {
        self.waiting.map(|(_, until)| until)
    }
}

/// Keeps a held key from repeating an action that changes the log.
#[derive(Debug, Default)]
pub(in crate::tui) struct RepeatGuard {
    last: Option<(Action, Instant)>,
}

impl RepeatGuard {
    /// Whether this is the repeat of a key that is held down.
    pub fn is_repeated(&mut self, action: Action, kind: KeyEventKind, now: Instant) -> bool {
        if !matches!(action, Action::Undo | Action::Redo | Action::Skip | Action::Flag) {
            return false;
        }
        let before = self.last.replace((action, now));
        kind == KeyEventKind::Repeat
            || before.is_some_and(|(last, at)| last == action && now.duration_since(at) < NEXT_REPEAT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    /// Draws a case at `now`, answered at once.
    fn see(a: &mut Attention, now: Instant) {
        a.another_case();
        if let Some(nonce) = a.drawn(now) {
            a.answered(nonce, now);
        }
    }

    #[test]
    fn a_key_before_the_terminals_answer_does_not_count() {
        let t = Instant::now();
        let mut a = Attention::new(Terminal::Answers);
        assert_eq!(a.label_key('1', false, t), Verdict::TooEarly);
        let nonce = a.drawn(t).unwrap();
        assert_eq!(a.label_key('2', false, at(t, 250)), Verdict::TooEarly);
        a.answered(nonce.wrapping_add(1), at(t, 280));
        assert_eq!(a.label_key('1', false, at(t, 290)), Verdict::TooEarly, "another question's answer");
        a.answered(nonce, at(t, 300));
        assert_eq!(a.label_key('2', false, at(t, 1_200)), Verdict::Counts);
    }

    #[test]
    fn a_double_press_labels_one_case() {
        let t = Instant::now();
        let mut a = Attention::new(Terminal::Answers);
        see(&mut a, t);
        assert_eq!(a.label_key('1', false, at(t, 900)), Verdict::Counts);
        a.another_case();
        assert_eq!(a.label_key('1', false, at(t, 901)), Verdict::TooEarly);
        for bounce in [30, 120, 240] {
            see(&mut a, at(t, 2_000));
            assert_eq!(a.label_key('2', false, at(t, 2_000 + bounce)), Verdict::TooEarly, "{bounce} ms");
            a.pressed = None;
        }
    }

    #[test]
    fn a_key_held_down_labels_once_at_any_rate_of_repetition() {
        for (delay, every) in [(250, 25), (500, 33), (660, 92), (400, 120)] {
            let t = Instant::now();
            let mut a = Attention::new(Terminal::Answers);
            see(&mut a, t - GLANCE);
            let mut counted = 0;
            let presses = std::iter::once(0).chain((0..40).map(|n| delay + n * every));
            for ms in presses {
                let now = at(t, ms);
                counted += usize::from(a.waited(now).is_some());
                if a.label_key('1', false, now) == Verdict::Counts {
                    counted += 1;
                    see(&mut a, now);
                }
            }
            assert_eq!(counted, 1, "first repeat after {delay} ms, then every {every} ms");
        }
    }

    #[test]
    fn the_same_key_again_counts_after_a_moment_and_at_once_after_a_pause() {
        let t = Instant::now();
        let mut a = Attention::new(Terminal::Answers);
        see(&mut a, t - GLANCE);
        assert_eq!(a.label_key('1', false, at(t, 0)), Verdict::Counts);
        see(&mut a, at(t, 1));
        let Verdict::Wait(until) = a.label_key('1', false, at(t, 500)) else { panic!("it should wait") };
        assert_eq!(a.waited(until), Some(Press::Key('1')));
        see(&mut a, until);
        assert_eq!(a.label_key('1', false, until + Duration::from_millis(800)), Verdict::Counts);
    }

    #[test]
    fn every_terminal_gets_a_moment() {
        let t = Instant::now();
        for terminal in [Terminal::Answers, Terminal::Silent] {
            let mut a = Attention::new(terminal);
            see(&mut a, t);
            assert_eq!(a.label_key('1', false, at(t, 100)), Verdict::TooEarly);
            assert_eq!(a.label_key('2', false, at(t, 251)), Verdict::Counts);
        }
    }

    #[test]
    fn a_terminal_that_does_not_answer_is_not_waited_for_again() {
        let t = Instant::now();
        let mut a = Attention::new(Terminal::Answers);
        a.drawn(t).unwrap();
        a.unanswered(at(t, 2_000));
        assert_eq!(a.label_key('1', false, at(t, 2_001)), Verdict::Counts);
        a.another_case();
        assert_eq!(a.drawn(at(t, 2_002)), None);
    }
}
