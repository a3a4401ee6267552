//! The label log as JSONL: a head that names the project, then one thing on each line, after everything that it refers to, and a last line
//! that counts those before it and holds their hash.
//!
//! A log that comes back may have been through anybody's hands. Each line is held to its form, its sizes and its references before
//! anything of it is used, and one that is not understood is refused with its number.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::adapter::AdapterKind;
use crate::domain::event::Action;
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::imported_label::{checked_source_name, checked_weight};
use crate::domain::item::ItemKey;
use crate::domain::log::*;
use crate::domain::predictor::PredictorKind;
use crate::domain::sanitize::sanitize_line;
use end::{EndLine, Sum};
use values::{Checked, counts, long, one_of, order, short, time};

/// What the first line calls the file. Development versions wrote `events`, in a form that was never released.
const NAME: &str = "event-log";
const DEVELOPMENT_NAME: &str = "events";
/// The form that is written, and the newest that is read.
const VERSION: u32 = 1;
/// The longest line, in bytes: settings hold vectors of some thousand values.
const LONGEST_LINE: u64 = 16 << 20;
/// The longest reason for a refusal, in characters: it may quote the line.
const LONGEST_QUOTE: usize = 200;

/// Why a last line that is not whole is refused.
const CUT: &str = "the log breaks off in the middle of it: it was cut short";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    hardcase: String,
    version: u32,
    project: Uuid,
    lamport_heard: i64,
}

macro_rules! lines {
    ($($kind:literal $variant:ident $line:ident $list:ident),+ $(,)?) => {
        #[derive(Deserialize)]
        #[serde(tag = "kind")]
        enum Line {
            $(#[serde(rename = $kind)] $variant($line),)+
            #[serde(rename = "end")]
            End(EndLine),
        }

        #[derive(Serialize)]
        #[serde(tag = "kind")]
        enum LineRef<'a> {
            $(#[serde(rename = $kind)] $variant(&'a $line),)+
            #[serde(rename = "end")]
            End(&'a EndLine),
        }

        impl Line {
            fn into(self, log: &mut Log) {
                match self {
                    $(Self::$variant(line) => log.$list.push(line),)+
                    // It speaks of the file, and nothing of it is in the log.
                    Self::End(_) => {}
                }
            }
        }

        fn each_line<E>(log: &Log, mut each: impl FnMut(LineRef<'_>) -> std::result::Result<(), E>) -> std::result::Result<(), E> {
            $(log.$list.iter().try_for_each(|line| each(LineRef::$variant(line)))?;)+
            Ok(())
        }
    };
}

lines! {
    "expert" Expert ExpertLine experts,
    "session" Session SessionLine sessions,
    "revision" Revision RevisionLine revisions,
    "model" Model ModelLine models,
    "adapter" Adapter AdapterLine adapters,
    "predictor" Predictor PredictorLine predictors,
    "round" Round RoundLine rounds,
    "case" Case CaseLine cases,
    "event" Event EventLine events,
    "expert-event" ExpertEvent ExpertEventLine expert_events,
    "reveal" Reveal RevealLine reveals,
    "label-source" LabelSource LabelSourceLine label_sources,
    "imported-label" ImportedLabel ImportedLabelLine imported_labels,
    "forgotten" Forgotten ForgottenLine forgotten,
}

/// Where the text of a case comes from; none leaves texts out.
pub type LogText<'a> = Option<&'a dyn Fn(&ItemKey) -> Result<Option<String>>>;

/// Writes a log. Returns how many lines, without the head and the end.
///
/// # Errors
/// `out` cannot be written, or a text cannot be read.
pub fn write_log(out: &mut dyn Write, log: &Log, text: LogText<'_>) -> Result<usize> {
    let fault = |e: std::io::Error| Fault::new("write the export", io_reason(&e)).because(e);
    let (mut lines, mut sum) = (0, Sum::default());
    let head = Head {
        hardcase: NAME.into(),
        version: VERSION,
        project: log.project,
        lamport_heard: log.lamport_heard,
    };
    let mut put = |sum: &mut Sum, line: serde_json::Result<String>| {
        let line = line.map_err(|e| Fault::new("write the export", e.to_string()))?;
        sum.add(&line);
        writeln!(out, "{line}").map_err(fault)
    };
    put(&mut sum, serde_json::to_string(&head))?;
    each_line(log, |line| {
        lines += 1;
        match (line, text) {
            (LineRef::Case(case), Some(text)) => {
                let case = CaseLine { text: text(&case.item)?, ..case.clone() };
                put(&mut sum, serde_json::to_string(&LineRef::Case(&case)))
            }
            (line, _) => put(&mut sum, serde_json::to_string(&line)),
        }
    })?;
    let end = sum.end();
    put(&mut sum, serde_json::to_string(&LineRef::End(&end)))?;
    Ok(lines)
}

/// Reads a log. `name` is what a fault calls it.
///
/// # Errors
/// A line that is not understood, is too long, or refers to what did not come before it: with its number. A log that was cut short, or changed
/// after it was written.
pub fn read_log(from: impl Read, name: &str) -> Result<Log> {
    let attempted = || format!("read the log {name}");
    let mut lines = BufReader::new(from);
    let (mut known, mut sum) = (Known::default(), Sum::default());
    let mut read = None::<Log>;
    let mut ended = false;
    for number in 1u64.. {
        let refuse = |why: String| {
            let why = sanitize_line(&why, LONGEST_QUOTE);
            Fault::usage(attempted(), format!("line {number}: {why}"))
                .hint("Nothing of it was taken in; name what `hardcase export FILE --what events` wrote")
        };
        let mut bytes = Vec::new();
        lines
            .by_ref()
            .take(LONGEST_LINE + 1)
            .read_until(b'\n', &mut bytes)
            .map_err(|e| Fault::new(attempted(), io_reason(&e)).because(e))?;
        if bytes.is_empty() {
            break;
        }
        if bytes.len() as u64 > LONGEST_LINE {
            return Err(refuse("it is longer than 16 MiB, and no line of a log is".into()));
        }
        let is_ended = bytes.ends_with(b"\n");
        let text = std::str::from_utf8(&bytes).map_err(|e| {
            let breaks_off = e.error_len().is_none() && !is_ended;
            refuse(if breaks_off { CUT } else { "it is not UTF-8 text" }.into())
        })?;
        let text = text.trim();
        if ended {
            return Err(refuse("it comes after the line that ends the log".into()));
        }
        match &mut read {
            None => read = Some(read_head(text).map_err(refuse)?),
            Some(log) => {
                let line = read_line(text, is_ended).map_err(refuse)?;
                known.check(&line).map_err(refuse)?;
                if let Line::End(end) = &line {
                    sum.check(end).map_err(refuse)?;
                    ended = true;
                }
                line.into(log);
            }
        }
        sum.add(text);
    }
    match read {
        Some(log) if ended => Ok(log),
        Some(_) => Err(Fault::usage(attempted(), "the line that ends it is missing: it was cut short")
            .hint("Nothing of it was taken in; get it whole, or export it again")),
        None => Err(Fault::usage(attempted(), "it is empty")
            .hint("Name a copy of the project, or a log of its labels")),
    }
}

fn read_line(text: &str, is_ended: bool) -> std::result::Result<Line, String> {
    serde_json::from_str(text).map_err(|e| {
        if e.is_eof() && !is_ended {
            return CUT.to_owned();
        }
        let message = e.to_string();
        message.split(" at line ").next().unwrap_or(&message).to_owned()
    })
}

/// An empty log of the project that the head names.
fn read_head(text: &str) -> std::result::Result<Log, String> {
    let none = "it is not a copy of a project, and not a log of labels";
    let head: Head = serde_json::from_str(text).map_err(|_| none.to_owned())?;
    match head.hardcase.as_str() {
        NAME => {}
        DEVELOPMENT_NAME => {
            return Err(
                "a development version of hardcase wrote it, in a form that was never released".into()
            );
        }
        _ => return Err(none.into()),
    }
    if head.version > VERSION {
        return Err(format!(
            "a newer hardcase wrote it (form {}; this program knows {VERSION})",
            head.version
        ));
    }
    counts("lamport_heard", head.lamport_heard)?;
    Ok(Log { project: head.project, lamport_heard: head.lamport_heard, ..Log::default() })
}

/// What the lines so far have named.
#[derive(Default)]
struct Known {
    names: HashSet<String>,
    sources: HashSet<String>,
    uuids: HashSet<(&'static str, Uuid)>,
    models: HashSet<Hex>,
    places: HashSet<(Uuid, i64)>,
    several: answers::Several,
}

impl Known {
    fn check(&mut self, line: &Line) -> Checked {
        match line {
            Line::Expert(e) => {
                let name = e.name.trim();
                if name.is_empty() || name != e.name || name.len() > 100 || name.chars().any(char::is_control)
                {
                    return Err("that is not a name of an expert".into());
                }
                time("created_ms", Some(e.created_ms))?;
                if !self.names.insert(e.name.clone()) {
                    return Err(format!("the expert {} came before", e.name));
                }
                self.first("expert", e.uuid)
            }
            Line::Session(s) => {
                self.expert(&s.expert)?;
                for text in [&s.login, &s.host, &s.process, &s.program] {
                    short(text)?;
                }
                one_of("ended_how", s.ended_how.as_deref(), &["closed", "lost"])?;
                if s.ended_how.is_some() != s.ended_ms.is_some() {
                    return Err("ended_ms and ended_how go together".into());
                }
                time("started_ms", Some(s.started_ms))?;
                time("ended_ms", s.ended_ms)?;
                counts("uid", s.uid)?;
                self.first("session", s.uuid)
            }
            Line::Revision(r) => {
                self.has("session", Some(r.session))?;
                counts("generation", r.generation)?;
                counts("number", r.number)?;
                time("created_ms", Some(r.created_ms))?;
                long(&r.toml)?;
                self.several.take(r);
                self.first("revision", r.uuid)
            }
            Line::Model(m) => {
                for text in [&m.name, &m.path, &m.architecture, &m.quantisation, &m.reading.prefix] {
                    short(text)?;
                }
                if m.sha256.0.len() != 32 || !(1..=1 << 20).contains(&m.dimensions) {
                    return Err("a model has a hash of 32 bytes and a number of dimensions".into());
                }
                counts("bytes", m.bytes)?;
                self.models.insert(m.sha256.clone());
                Ok(())
            }
            Line::Adapter(a) => {
                one_of("adapts", Some(&a.adapts), &AdapterKind::NAMES)?;
                self.made(&a.model, a.revision, &a.labels, &a.settings)?;
                self.has("adapter", a.parent)?;
                counts("training_n", a.training_n)?;
                time("created_ms", Some(a.created_ms))?;
                self.first("adapter", a.uuid)
            }
            Line::Predictor(p) => {
                one_of("predicts", Some(&p.predicts), &PredictorKind::NAMES)?;
                self.made(&p.model, p.revision, &p.labels, &p.settings)?;
                self.has("adapter", p.adapter)?;
                time("created_ms", Some(p.created_ms))?;
                self.first("predictor", p.uuid)
            }
            Line::Round(r) => {
                self.has("predictor", r.predictor)?;
                if r.predictor.is_none() != (r.number == 0) {
                    return Err("a round but round 0 names the predictor that it was mined from".into());
                }
                short(&r.strategy)?;
                long(r.note.as_deref().unwrap_or_default())?;
                counts("number", r.number)?;
                counts("budget", r.budget)?;
                time("created_ms", Some(r.created_ms))?;
                time("closed_ms", r.closed_ms)?;
                self.first("round", r.uuid)
            }
            Line::Case(c) => self.case(c),
            Line::Event(e) => self.event(e),
            Line::ExpertEvent(e) => {
                one_of("action", Some(&e.action), &["lead", "expert", "same", "apart"])?;
                if matches!(e.action.as_str(), "same" | "apart") != e.other.is_some() {
                    return Err("two names are the same or apart, one leads".into());
                }
                self.has("session", Some(e.session))?;
                self.expert(&e.expert)?;
                e.other.as_ref().map_or(Ok(()), |other| self.expert(other))?;
                order(e.lamport)?;
                time("at_ms", Some(e.at_ms))?;
                self.first("expert event", e.uuid)
            }
            Line::Reveal(r) => {
                self.expert(&r.expert)?;
                time("at_ms", Some(r.at_ms))
            }
            Line::LabelSource(s) => {
                if checked_source_name(&s.name).map_or(true, |name| name != s.name) {
                    return Err("that is not a name of a source of labels".into());
                }
                checked_weight(s.weight).map_err(|_| "a weight lies between 0 and 1".to_owned())?;
                counts("changes", s.changes)?;
                time("created_ms", Some(s.created_ms))?;
                if !self.sources.insert(s.name.clone()) {
                    return Err(format!("the source of labels {} came before", s.name));
                }
                self.first("source of labels", s.uuid)
            }
            Line::Forgotten(f) => {
                one_of("split", Some(&f.split), &["train", "eval", "audit"])?;
                time("at_ms", Some(f.at_ms))
            }
            Line::ImportedLabel(l) => {
                if !self.sources.contains(&l.source) {
                    return Err("its source of labels did not come before it".into());
                }
                counts("place", l.place)?;
                time("at_ms", Some(l.at_ms))?;
                self.several.labels_of(&l.labels, None)?.iter().try_for_each(|label| short(label))
            }
            // It names nothing: the lines before it are held to it where it is read.
            Line::End(_) => Ok(()),
        }
    }

    fn case(&mut self, c: &CaseLine) -> Checked {
        self.has("round", Some(c.round))?;
        c.expert.as_ref().map_or(Ok(()), |name| self.expert(name))?;
        c.split.parse::<crate::domain::split::Split>()?;
        c.reason.parse::<crate::domain::case::Reason>()?;
        c.side.as_deref().map_or(Ok(()), |side| side.parse::<crate::domain::case::Side>().map(drop))?;
        if c.partner.is_some() && (c.similarity.is_none() || c.side.is_none()) {
            return Err("a similar text has its similarity and its side".into());
        }
        if c.expert.is_some() && c.reason != "repeat" {
            return Err("only a repeat is for one expert alone".into());
        }
        if c.text.as_ref().is_some_and(|text| ItemKey::of(text) != c.item) {
            return Err("the text is not the one that its key names".into());
        }
        let share = |value: Option<f64>| value.is_none_or(|v| (0.0..=1.0).contains(&v));
        if !share(Some(c.margin))
            || !share(c.inclusion)
            || !c.similarity.is_none_or(|s| (-1.01..=1.01).contains(&s))
        {
            return Err("margin and inclusion lie between 0 and 1, the similarity between -1 and 1".into());
        }
        if !(0..=1_000).contains(&c.overlap) {
            return Err("the overlap lies between 0 and 1,000".into());
        }
        counts("position", c.position)?;
        time("withdrawn_ms", c.withdrawn_ms)?;
        time("revealed_ms", c.revealed_ms)?;
        self.first("case", c.uuid)
    }

    fn event(&mut self, e: &EventLine) -> Checked {
        let action: Action = e.action.parse()?;
        if matches!(action, Action::Set | Action::Adjudicate) != e.labels.is_some() {
            return Err("an event has labels where it sets or adjudicates, and nowhere else".into());
        }
        for answer in [&e.labels, &e.seen_prelabel].into_iter().flatten() {
            self.several.labels_of(answer, Some(e.revision))?.iter().try_for_each(|label| short(label))?;
        }
        if matches!(action, Action::Retract | Action::Restore) && e.target.is_none() {
            return Err("what is taken back or put back is not named".into());
        }
        if e.confidence.is_some_and(|c| !(1..=3).contains(&c)) {
            return Err("the confidence is 1, 2 or 3".into());
        }
        long(e.note.as_deref().unwrap_or_default())?;
        self.has("session", Some(e.session))?;
        self.has("revision", Some(e.revision))?;
        self.has("case", e.case)?;
        self.expert(&e.expert)?;
        order(e.lamport)?;
        if e.seq < 1 {
            return Err("the first number of a session is 1".into());
        }
        counts("seq", e.seq)?;
        counts("duration_ms", e.duration_ms.unwrap_or(0).saturating_abs())?;
        time("at_ms", Some(e.at_ms))?;
        if !self.places.insert((e.session, e.seq)) {
            return Err(format!("number {} of that session came before", e.seq));
        }
        self.first("event", e.uuid)
    }

    /// What adapters and predictors have in common.
    fn made(&self, model: &Hex, revision: Uuid, labels: &[String], settings: &str) -> Checked {
        if !self.models.contains(model) {
            return Err("its model did not come before it".into());
        }
        self.has("revision", Some(revision))?;
        labels.iter().try_for_each(|label| short(label))?;
        serde_json::from_str::<serde::de::IgnoredAny>(settings)
            .map(drop)
            .map_err(|_| "its settings are not JSON".into())
    }

    fn first(&mut self, kind: &'static str, uuid: Uuid) -> Checked {
        if self.uuids.insert((kind, uuid)) { Ok(()) } else { Err(format!("the {kind} {uuid} came before")) }
    }

    fn has(&self, kind: &'static str, uuid: Option<Uuid>) -> Checked {
        match uuid {
            Some(uuid) if !self.uuids.contains(&(kind, uuid)) => {
                Err(format!("the {kind} {uuid} did not come before it"))
            }
            _ => Ok(()),
        }
    }

    fn expert(&self, name: &str) -> Checked {
        if self.names.contains(name) { Ok(()) } else { Err("its expert did not come before it".into()) }
    }
}

mod answers;
mod end;
#[cfg(test)]
pub(super) mod tests;
mod values;
