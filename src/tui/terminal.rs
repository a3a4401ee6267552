//! The terminal: taken over at the start, given back at every kind of end.

use std::cell::Cell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufWriter, Write};
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::cursor::{MoveTo, Show, position};
use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui::crossterm::style::Print;
use ratatui::crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{execute, queue};
use ratatui::layout::Rect;
use rustix::process::{Signal, getpid, kill_process};

use super::screens::case::attention::Nonce;
use super::widgets::text_layout::terminal_joins_signs;
use crate::domain::sanitize::sanitize;

/// Frames are written whole: a reader on the other thread may write its question only between them.
type Out = BufWriter<io::Stdout>;

/// A frame at 160×50 in colour has some 20 KB.
const FRAME: usize = 64 * 1024;

/// Whether a thread has panicked since the screen was taken.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// Whether the terminal is asked to report the mouse.
static USES_MOUSE: AtomicBool = AtomicBool::new(false);

/// Whether clicks and the wheel come to the program. If they do, the terminal's own selecting needs shift in most terminals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mouse {
    Used,
    /// It belongs to the terminal.
    Left,
}

/// Buttons and the wheel, and nothing while the mouse only moves.
const REPORT_MOUSE: &str = "\u{1b}[?1000h\u{1b}[?1006h";
const IGNORE_MOUSE: &str = "\u{1b}[?1006l\u{1b}[?1000l";

/// The terminal's screen, while it is ours.
pub(super) struct Display {
    /// Never dropped: ratatui's own end complains to standard error and panics where that is closed, too. [`give_back`] shows the cursor.
    terminal: ManuallyDrop<ratatui::Terminal<CrosstermBackend<Out>>>,
    /// Of the last frame, what [`of_uncertain_width`] said.
    uncertain: Option<u64>,
}

impl Display {
    /// Takes the terminal over; a panic gives it back before it is reported.
    pub fn take(mouse: Mouse) -> io::Result<Self> {
        USES_MOUSE.store(mouse == Mouse::Used, Ordering::Relaxed);
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICKED.store(true, Ordering::Relaxed);
            give_back();
            before(panic);
            // Whichever thread panicked, the session ends in order: without all threads nothing would be saved any more.
            let _ = kill_process(getpid(), Signal::TERM);
        }));
        enter()?;
        // A terminal that does not say is taken for one that does not join them.
        if joins_signs().unwrap_or(false) {
            terminal_joins_signs();
        }
        let backend = CrosstermBackend::new(BufWriter::with_capacity(FRAME, io::stdout()));
        Ok(Self { terminal: ManuallyDrop::new(ratatui::Terminal::new(backend)?), uncertain: None })
    }

    /// Whether a thread of the program has panicked.
    pub fn is_broken() -> bool {
        PANICKED.load(Ordering::Relaxed)
    }

    /// Draws one frame, which terminals that can show as one. Where a terminal may have drawn a part of the last frame wider or narrower than
    /// it is, and that part is gone now, every cell is drawn again: nothing of one case may stand on the screen of the next.
    pub fn draw(&mut self, mut render: impl FnMut(&mut ratatui::Frame<'_>)) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        let uncertain = Cell::new(None);
        let mut drawn = |frame: &mut ratatui::Frame<'_>| {
            render(frame);
            make_harmless(frame.buffer_mut());
            uncertain.set(of_uncertain_width(frame.buffer_mut()));
        };
        self.terminal.draw(&mut drawn)?;
        if self.uncertain.is_some() && self.uncertain != uncertain.get() {
            clear(&mut self.terminal)?;
            self.terminal.draw(&mut drawn)?;
        }
        self.uncertain = uncertain.get();
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }

    /// Puts the cursor where only the answer to this question can find it.
    pub fn mark(&mut self, nonce: Nonce) -> io::Result<()> {
        let (column, row) = place_of(nonce, self.terminal.size()?.into());
        let out = self.terminal.backend_mut();
        queue!(out, MoveTo(column, row))?;
        out.flush()
    }

    /// Draws every cell again with the next frame.
    pub fn forget(&mut self) -> io::Result<()> {
        clear(&mut self.terminal)
    }

    /// Takes the terminal over again after the program was stopped.
    pub fn retake(&mut self) -> io::Result<()> {
        enter()?;
        clear(&mut self.terminal)
    }
}

/// Asks the terminal, once and before anybody reads what it says, whether it draws a sign with a skin tone and a flag in two columns each.
fn joins_signs() -> io::Result<bool> {
    let mut out = io::stdout();
    let ends = |sign: &str| {
        execute!(io::stdout(), MoveTo(0, 0), Print(sign))?;
        position().map(|(column, _)| column)
    };
    let joined =
        ends("\u{1f44d}\u{1f3fd}").and_then(|column| Ok(column == 2 && ends("\u{1f1e9}\u{1f1ea}")? == 2));
    execute!(out, MoveTo(0, 0), Clear(ClearType::All))?;
    joined
}

/// Clears the terminal, so that the next frame draws every cell. Not ratatui's own way, which asks the terminal where its cursor is: the thread that
/// reads may take the answer, a terminal that never answers would end the session, and one that draws whole frames answers after this one.
fn clear(terminal: &mut ratatui::Terminal<CrosstermBackend<Out>>) -> io::Result<()> {
    let size = terminal.size()?;
    terminal.resize(Rect::new(0, 0, size.width, size.height))
}

/// The last check of what is sent: every view sanitizes foreign text, and one that forgets to still sends nothing raw.
fn make_harmless(buffer: &mut Buffer) {
    for cell in buffer.content.iter_mut().filter(|cell| !matches!(cell.symbol().as_bytes(), [b' '..=b'~'])) {
        let shown = sanitize(cell.symbol());
        if shown != cell.symbol() || shown.contains(['\n', '\t']) {
            cell.set_symbol("\u{fffd}");
        }
    }
}

/// What stands in a frame that terminals do not agree on the width of, signs of several characters, as one number; none where there is nothing
/// of that kind.
fn of_uncertain_width(buffer: &Buffer) -> Option<u64> {
    let mut hash = DefaultHasher::new();
    let mut any = false;
    for (at, cell) in buffer.content.iter().enumerate() {
        if cell.symbol().chars().nth(1).is_some() {
            any = true;
            (at, cell.symbol()).hash(&mut hash);
        }
    }
    any.then(|| hash.finish())
}

impl Drop for Display {
    fn drop(&mut self) {
        give_back();
    }
}

/// Where the cursor is put for a question: another place each time, so that a late answer to an earlier question is told apart.
pub(super) fn place_of(nonce: Nonce, (columns, rows): (u16, u16)) -> (u16, u16) {
    let columns = u32::from(columns.max(1));
    let rows = u32::from(rows.max(1));
    ((nonce % columns) as u16, (nonce / columns % rows) as u16)
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, SetTitle("hardcase"))?;
    if USES_MOUSE.load(Ordering::Relaxed) { execute!(io::stdout(), Print(REPORT_MOUSE)) } else { Ok(()) }
}

/// Leaves the terminal as it was found. What fails here fails because the terminal is gone.
pub(super) fn give_back() {
    if USES_MOUSE.load(Ordering::Relaxed) {
        let _ = execute!(io::stdout(), Print(IGNORE_MOUSE));
    }
    let _ = execute!(io::stdout(), DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_a_view_did_not_sanitize_is_replaced() {
        let mut buffer = Buffer::with_lines(["fine │ é 漢"]);
        let before = buffer.clone();
        make_harmless(&mut buffer);
        assert_eq!(buffer, before);
        let pile = format!("a{}", "\u{301}".repeat(50));
        for hostile in ["\u{1b}[2J", "\u{202e}", "\u{9b}", "\n", "x\u{200b}", &pile] {
            buffer[(0, 0)].set_symbol(hostile);
            make_harmless(&mut buffer);
            assert_eq!(buffer[(0, 0)].symbol(), "\u{fffd}", "{hostile:?}");
        }
    }
}
