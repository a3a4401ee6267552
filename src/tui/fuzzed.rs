//! Hostile text through the screens, from what the desk sends to the bytes that a terminal is sent: no control character, nothing that
//! reorders or hides, no pile of marks, and no sequence but the program's own.

#![expect(clippy::unwrap_used, reason = "only tests have it")]

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::Instant;

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::about::About;
use super::app::App;
use super::effect::Effect;
use super::message::Message;
use super::settings::Settings;
use super::widgets::text_layout::drawable;
use crate::desk::adjudication::{Answer, Decided, DisagreementDetail};
use crate::desk::browse;
use crate::desk::browse::{FullItem, ModelView, OtherAnswer, Others, Row, State};
use crate::desk::jobs::{End, JobKind, News};
use crate::desk::pages::Page;
use crate::desk::request::{DisputeOutcome, Outcome, ReplyTo, Response, Window};
use crate::desk::shown::{Card, Reveal, RoundProgress, Saved, ShownCase, ShownPartner};
use crate::domain::fault::Fault;
#[cfg(test)]
use crate::domain::fuzzing::{Fuzzer, tokens};
use crate::domain::fuzzing::{beginning, is_harmless, text_of};
use crate::domain::ids::{CaseId, ItemId};
use crate::domain::progress::Progress;
use crate::domain::sanitize::sanitize;
use crate::domain::task::{Label, Task};
use crate::domain::turn::Turn;
use crate::insight::agreement::AgreementReport;
use crate::insight::disputes::{Dispute, Said};
use crate::insight::project::Project;
use crate::insight::status::Status;

type Judged = Result<(), String>;

const SIZES: [(u16, u16); 4] = [(60, 16), (80, 24), (101, 30), (160, 50)];

/// What a terminal is sent.
#[derive(Clone, Default)]
struct Line(Rc<RefCell<Vec<u8>>>);

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A workstation at a terminal of some size.
struct Seat {
    app: App,
    terminal: Terminal<CrosstermBackend<Line>>,
    line: Line,
    effects: Vec<Effect>,
}

impl Seat {
    fn new(text: &str, task: Task, (width, height): (u16, u16)) -> Self {
        let about = About {
            project: sanitize(text),
            file: "/p/x.hardcase".into(),
            expert: sanitize(text),
            task,
            label_uses: Default::default(),
            has_engine: false,
        };
        let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
        let line = Line::default();
        let backend = CrosstermBackend::new(line.clone());
        let terminal = Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
        Self { app: App::new(about, Settings::default()), terminal, line, effects: Vec::new() }
    }

    fn hear(&mut self, message: Message) {
        self.effects = self.app.update(message, Instant::now());
    }

    fn press(&mut self, code: KeyCode) {
        self.hear(Message::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }

    fn chord(&mut self, key: char) {
        self.hear(Message::Key(KeyEvent::new(KeyCode::Char(key), KeyModifiers::CONTROL)));
    }

    /// Draws, and checks what is on the screen and what was sent.
    fn look(&mut self) -> Judged {
        let app = &mut self.app;
        let frame = self.terminal.draw(|frame| app.draw(frame)).map_err(|e| e.to_string())?;
        for cell in &frame.buffer.content {
            is_harmless(cell.symbol())?;
            if cell.symbol().contains(['\n', '\t']) {
                return Err("a line feed or a tab stands in a cell".into());
            }
        }
        self.effects = self.app.drawn(Instant::now());
        let sent = self.line.0.take();
        only_own_sequences(&sent)
    }
}

/// Checks that control sequences only move the cursor, set colours and clear.
fn only_own_sequences(sent: &[u8]) -> Judged {
    let text = std::str::from_utf8(sent).map_err(|e| format!("it is sent no UTF-8: {e}"))?;
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        is_harmless(&rest[..at])?;
        let sequence = rest[at + 1..].strip_prefix('[');
        let Some(end) = sequence.and_then(|s| s.find(|c: char| !matches!(c, '0'..='9' | ';' | '?' | ':')))
        else {
            return Err(format!("an escape sequence of no known kind: {:?}", beginning(&rest[at..], 20)));
        };
        let last = rest[at + 2 + end..].chars().next();
        if !matches!(last, Some('H' | 'm' | 'J' | 'K' | 'h' | 'l')) {
            return Err(format!("a sequence that ends in {last:?}"));
        }
        rest = &rest[at + 2 + end + 1..];
    }
    is_harmless(rest)?;
    if rest.contains(['\n', '\t']) { Err("a line feed is sent".into()) } else { Ok(()) }
}

/// A task of hostile words; the plain one where they make none.
fn task(text: &str) -> Task {
    let word = |n: usize| -> String {
        text.chars()
            .filter(|c| !c.is_control())
            .skip(n * 7)
            .take(40)
            .chain([char::from(b'a' + n as u8)])
            .collect()
    };
    let label = |n: usize, key| Label {
        id: format!("l{n}"),
        name: word(n),
        key: Some(key),
        description: text.chars().take(3_000).collect(),
        examples: vec![text.chars().take(500).collect()],
        share: None,
    };
    let key = text.chars().find(|c| !c.is_ascii() && Label::may_use(*c)).unwrap_or('3');
    let guideline = text.chars().take(5_000).collect();
    let hostile = Task::new(word(0), format!("{text} ?"), guideline, vec![label(0, '1'), label(1, key)]);
    let plain = || {
        let label = |name: &str, key| Label {
            id: name.into(),
            name: name.into(),
            key: Some(key),
            description: String::new(),
            examples: Vec::new(),
            share: None,
        };
        let labels = vec![label("spam", '1'), label("ham", '2')];
        Task::new("t".into(), "Is it?".into(), String::new(), labels).unwrap()
    };
    hostile.unwrap_or_else(|_| plain())
}

fn meta(text: &str) -> serde_json::Map<String, serde_json::Value> {
    let short: String = text.chars().take(2_000).collect();
    let mut meta = serde_json::Map::new();
    meta.insert(short.clone(), short.clone().into());
    meta.insert("list".into(), serde_json::json!([short, null, 1]));
    meta
}

fn reveal(text: &str) -> Reveal {
    let short: String = text.chars().take(200).collect();
    Reveal {
        prelabels: None,
        split: "eval",
        reason: "margin",
        in_words: "it lies near the boundary",
        partner: Some("another label"),
        prelabel: Some(short.clone()),
        probabilities: [(short.clone(), 0.6.into())].into_iter().collect(),
        judge_label: Some(short.clone()),
        judge: Some([(short, 0.7.into())].into_iter().collect()),
    }
}

/// A text as the turns of a conversation, if it has several lines.
fn turns(text: &str) -> Vec<Turn> {
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() != 3 {
        return Vec::new();
    }
    lines.iter().map(|line| Turn { speaker: Some((*line).to_owned()), text: (*line).to_owned() }).collect()
}

fn card(text: &str, other: &str) -> Card {
    let shown = ShownCase {
        case: CaseId(7),
        item: ItemId(3),
        id: Some(other.chars().take(300).collect()),
        text: text.to_owned(),
        turns: turns(text),
        asked: Some(0),
        read_up_to: Some(text.len() / 2),
        meta: serde_json::Value::Object(meta(other)),
        partner: Some(ShownPartner { text: other.to_owned(), similarity: 0.9 }),
        labels: Vec::new(),
        revealed: Some(reveal(other)),
    };
    let some = || Some(text.chars().take(3_000).collect());
    Card {
        shown,
        label: some(),
        labels: Vec::new(),
        skipped: false,
        flagged: true,
        note: some(),
        draft: some(),
    }
}

fn response(outcome: Outcome, window: Option<Window>) -> Message {
    Message::Session(Box::new(Response { window: Ok(window), ..Response::of(outcome) }))
}

/// One way through the screens.
#[derive(Clone, Copy, Debug)]
enum Journey {
    Case,
    Answered,
    Popups,
    List,
    Search,
    Disputes,
    Jobs,
    Faults,
}

const JOURNEYS: [Journey; 8] = [
    Journey::Case,
    Journey::Answered,
    Journey::Popups,
    Journey::List,
    Journey::Search,
    Journey::Disputes,
    Journey::Jobs,
    Journey::Faults,
];

fn go(seat: &mut Seat, journey: Journey, text: &str) -> Judged {
    let half = beginning(text, text.len() / 2).len();
    let progress = Some(RoundProgress { round: 2, cases: 9, answered: 3, mine: 2, left: 4 });
    let window =
        Window { cards: vec![card(text, &text[half..])], why: None, progress, lack: None, agreed: None };
    match journey {
        Journey::Case => {
            seat.hear(response(Outcome::Looked, Some(window)));
            seat.look()?;
            seat.press(KeyCode::Char('g'));
            seat.press(KeyCode::End);
            seat.look()
        }
        Journey::Answered => {
            seat.hear(response(Outcome::Looked, Some(window)));
            seat.hear(response(Outcome::Found(Box::new(card(&text[half..], text))), None));
            seat.look()?;
            let saved =
                Saved { item: ItemId(3), label: text.to_owned(), labels: None, changed: false, found: false };
            seat.hear(response(Outcome::Answered { saved, reveal: Some(Box::new(reveal(text))) }, None));
            seat.look()
        }
        Journey::Popups => {
            seat.hear(response(Outcome::Looked, Some(window)));
            seat.press(KeyCode::Char('n'));
            seat.hear(Message::Paste(text.chars().take(5_000).collect()));
            seat.look()?;
            seat.press(KeyCode::Esc);
            seat.press(KeyCode::Char('?'));
            seat.look()?;
            seat.press(KeyCode::Esc);
            seat.press(KeyCode::Char(':'));
            seat.hear(Message::Paste(text.chars().take(5_000).collect()));
            seat.look()
        }
        Journey::List => {
            seat.chord('t');
            found(seat, text);
            seat.look()?;
            fetched(seat, text);
            seat.look()?;
            seat.press(KeyCode::Enter);
            seat.press(KeyCode::End);
            seat.look()
        }
        Journey::Search => {
            seat.press(KeyCode::Char('/'));
            seat.hear(Message::Paste(text.chars().take(2_000).collect()));
            for c in text.chars().take(5) {
                seat.press(KeyCode::Char(c));
            }
            seat.look()
        }
        Journey::Disputes => {
            seat.chord('d');
            seat.hear(Message::Page(Page::new(Ok(report(text)))));
            seat.look()?;
            seat.press(KeyCode::Enter);
            seat.look()?;
            seat.press(KeyCode::Enter);
            seat.hear(response(
                Outcome::Dispute(DisputeOutcome::Shown(Box::new(disagreement_detail(text)))),
                None,
            ));
            seat.look()?;
            seat.press(KeyCode::End);
            seat.look()
        }
        Journey::Jobs => {
            let progress = Progress {
                job: text.into(),
                stage: text.into(),
                done: u64::MAX / 3,
                total: Some(u64::MAX),
                unit: text.into(),
                rate: Some(f64::MAX),
                eta_s: Some(f64::INFINITY),
                tokens_per_second: Some(f64::NAN),
                epochs: Vec::new(),
            };
            seat.hear(Message::Job(News::Started(JobKind::Tune)));
            seat.hear(Message::Job(News::Progress(JobKind::Tune, progress)));
            seat.hear(Message::Job(News::Ended(JobKind::Scout, End::Failed, text.into())));
            seat.look()?;
            seat.chord('k');
            seat.look()
        }
        Journey::Faults => {
            let fault = || Fault::new(text, text).hint(text);
            seat.hear(Message::Session(Box::new(Response {
                reply_to: ReplyTo::Answer,
                outcome: Err(fault()),
                window: Err(fault()),
                revised: None,
            })));
            seat.look()?;
            for (chord, page) in [
                ('o', Page::new::<Status>(Err(fault()))),
                ('e', Page::new::<Project>(Err(fault()))),
                ('d', Page::new::<AgreementReport>(Err(fault()))),
            ] {
                seat.chord(chord);
                seat.hear(Message::Page(page));
                seat.look()?;
            }
            Ok(())
        }
    }
}

fn found(seat: &mut Seat, text: &str) {
    for effect in std::mem::take(&mut seat.effects) {
        if let Effect::Browse(browse::Request::Search(search)) = effect {
            let items = (1..=60).map(ItemId).collect();
            let found = browse::Found { number: search.number, items, pool: text.len(), state: State::Done };
            seat.hear(Message::Browse(browse::Response::Found(found)));
            return;
        }
    }
}

fn fetched(seat: &mut Seat, text: &str) {
    let short = || Some(text.chars().take(300).collect::<String>());
    let row = |item| Row {
        labels: Vec::new(),
        item,
        id: short(),
        case: Some(CaseId(7)),
        passage: text.chars().take(400).collect(),
        label: short(),
        skipped: false,
        flagged: true,
        noted: true,
        round: Some(i64::MAX),
    };
    let full = |item| FullItem {
        row: row(item),
        text: text.to_owned(),
        note: short(),
        origins: vec![browse::Origin { source: text.chars().take(300).collect(), row: 9, meta: meta(text) }],
        may_answer: true,
        is_suspect: true,
        view: Some(ModelView {
            prelabel: short().map(|label| (label, Some(0.5))),
            chosen: Some("it is near"),
        }),
        others: Others::Shown(vec![OtherAnswer {
            name: short().unwrap_or_default(),
            label: short(),
            note: short(),
        }]),
    };
    for effect in std::mem::take(&mut seat.effects) {
        if let Effect::Browse(browse::Request::Fetch(asked)) = effect {
            let rows = asked.rows.iter().copied().map(row).collect();
            let full = asked.full.map(|item| Box::new(full(item)));
            seat.hear(Message::Browse(browse::Response::Fetched(Ok(browse::Fetched { asked, rows, full }))));
        }
    }
}

fn report(text: &str) -> AgreementReport {
    let short = || text.chars().take(300).collect::<String>();
    AgreementReport {
        lead: true,
        labels: vec![short()],
        uses: Vec::new(),
        warnings: vec![text.to_owned()],
        disputes: vec![
            Dispute {
                item: ItemId(3),
                case: None,
                round: Some(1),
                split: "eval",
                beginning: short(),
                answers: vec![Said { expert: short(), label: Some(short()), labels: None }],
                yours_to_answer: false,
                decided: None,
            },
            Dispute {
                item: ItemId(4),
                case: None,
                round: None,
                split: "audit",
                beginning: short(),
                answers: Vec::new(),
                yours_to_answer: false,
                decided: Some(short()),
            },
        ],
    }
}

fn disagreement_detail(text: &str) -> DisagreementDetail {
    let some = || Some(text.chars().take(2_000).collect::<String>());
    let answer = Answer {
        labels: None,
        expert: some().unwrap_or_default(),
        label: some(),
        first: some(),
        note: some(),
        confidence: Some(9),
        revision: 1,
        overtaken: false,
    };
    let decided = Decided {
        labels: None,
        item: ItemId(3),
        label: some().unwrap_or_default(),
        by: some().unwrap_or_default(),
        reason: some(),
        at_ms: 0,
        overtaken: true,
    };
    DisagreementDetail {
        item: ItemId(3),
        id: None,
        case: None,
        round: None,
        text: text.to_owned(),
        answers: vec![answer],
        decision: Some(decided),
        model: Some(reveal(text)),
        revision: 2,
        waiting: 1,
    }
}

#[cfg(test)]
fn seeds() -> Vec<Vec<u8>> {
    let plain = [
        "A text of some words that is longer than a line of eighty columns, so that it has to be wrapped somewhere.",
        // Combining marks at both ends: neighbouring texts must not end up on one letter.
        "\u{309}\u{30a}\u{303}\u{304}\u{305}\u{306}\u{307}\u{fffd}\u{309}\u{30a}",
        "one\ntwo\n\nthree \u{1f468}\u{200d}\u{1f680} 漢字",
    ];
    plain.iter().map(|text| text.as_bytes().to_vec()).chain(tokens().iter().map(|t| t.to_vec())).collect()
}

/// No text reaches the terminal raw, on whichever screen. The last byte chooses the journey and the size.
///
/// # Errors
/// What happens instead.
pub fn screens(bytes: &[u8]) -> Judged {
    let choice = usize::from(bytes.last().copied().unwrap_or_default());
    let text = text_of(bytes);
    // As much as a pool takes in.
    let text = beginning(&text, 1_000_000);
    let size = SIZES[choice / JOURNEYS.len() % SIZES.len()];
    let mut seat = Seat::new(beginning(text, 200), task(text), size);
    go(&mut seat, JOURNEYS[choice % JOURNEYS.len()], text)
}

#[test]
fn no_text_reaches_the_terminal_raw_on_any_screen() {
    Fuzzer::new("screens", 15).over(&seeds(), screens);
}

/// What is drawable is harmless, and stays the same when it is made drawable once more.
///
/// # Errors
/// What happens instead.
pub fn drawable_text(bytes: &[u8]) -> Judged {
    let text = text_of(bytes);
    let shown = drawable(&text);
    is_harmless(&shown)?;
    if shown.contains('\t') {
        return Err("a tab".into());
    }
    if drawable(&shown) == shown { Ok(()) } else { Err(format!("drawn twice it is another: {shown:?}")) }
}

#[test]
fn what_is_drawable_is_harmless_and_stays_so() {
    Fuzzer::new("drawable text", 5).over(&seeds(), drawable_text);
}

#[test]
fn any_settings_are_taken_or_refused_in_one_sentence() {
    let seeds = vec![
        super::settings::defaults().into_bytes(),
        b"theme = \"light\"\n[keys]\nskip = [\"x\"]\nflag = [\"ctrl-f\", \"F5\"]\n".to_vec(),
    ];
    Fuzzer::new("settings", 2).over(&seeds, |bytes| {
        let text = text_of(bytes);
        match Settings::from_toml(&text) {
            Ok(_) => Ok(()),
            Err(why) if !why.is_empty() => Ok(()),
            Err(_) => Err("a refusal without a reason".into()),
        }
    });
}
