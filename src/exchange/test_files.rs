//! What `check` asks of files of texts: how well the active model finds labels that are known, whether it passes texts that it must, and
//! whether its answers stay where a text is changed in ways that mean nothing. The project does not change.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::blind_texts::BlindTexts;
use super::export::Reveal;
use super::perturbed::{CHANGES, Change, perturbed};
use crate::domain::answer::Answer;
use crate::domain::fault::{Fault, Result};
use crate::domain::figure::Figure;
use crate::domain::grouped::counted;
use crate::domain::item::ItemKey;
use crate::domain::label_values::{KnownAnswer, LabelValues};
use crate::domain::predictor::Predictor;
use crate::domain::progress::Watcher;
use crate::domain::read_options::ReadOptions;
use crate::domain::rule::{Rule, Verdict};
use crate::domain::split::Split;
use crate::domain::target::Targets;
use crate::domain::task::Task;
use crate::domain::task_kind::TaskKind;
use crate::formats::{Entry, Reader};
use crate::learn::known_labels::{KnownLabels, staying};
#[cfg(feature = "engine")]
use crate::learn::model::ScoutModel;
use crate::learn::prelabels::active;
#[cfg(feature = "engine")]
use crate::learn::text_model::{TextModel, median_milliseconds};
use crate::store::{Access, Store};
use crate::work::input::open_source;

/// Texts that did not pass which a sentence lists.
const LISTED: usize = 5;
/// Characters of each.
const LONGEST: usize = 60;
/// Texts whose time is taken.
#[cfg(feature = "engine")]
const TIMED: usize = 60;
/// Why a build without models cannot tell.
const NO_MODELS: &str = "this build of hardcase has no models, so it can only look up texts of the pool";

/// The files, and what is asked of them.
#[derive(Clone, Debug)]
pub struct TestFiles {
    /// Texts with known labels.
    pub gold: Option<PathBuf>,
    /// Texts that must get their known label.
    pub must_pass: Option<PathBuf>,
    /// How both are read; `gold` names the column with the known labels.
    pub read: ReadOptions,
    /// What is asked of `gold`: kappa, recall and precision, by stable keys.
    pub targets: Targets,
    /// The share of answers to changed copies of the texts of `must_pass` that must stay.
    pub robustness: Option<f64>,
    /// The most milliseconds that one text may take.
    pub latency: Option<f64>,
    /// The name of the expert who reads the result. Texts that they may still be asked about are left out.
    pub reader: String,
    /// A seed instead of the project's own.
    pub seed: Option<u64>,
}

/// What the files came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct OnFiles {
    pub rules: Vec<Rule>,
    /// How many answers stay where a text of `--must-pass` is changed.
    pub robustness: Option<Robustness>,
    /// What was left out, and why: whole sentences.
    pub notes: Vec<String>,
}

/// The share of answers to changed copies that stay.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Robustness {
    /// Of all copies; `n` counts texts.
    pub all: Figure,
    /// By kind of change.
    pub by_change: BTreeMap<Change, Figure>,
}

/// A text with its known label.
struct Known {
    line: u64,
    text: String,
    gold: Option<String>,
}

/// What scores the texts.
struct Model<'m> {
    #[cfg(not(feature = "engine"))]
    store: &'m Store,
    predictor: &'m Predictor,
    kind: TaskKind,
    watcher: &'m dyn Watcher,
    #[cfg(feature = "engine")]
    texts: TextModel,
}

impl Model<'_> {
    /// What it says of each text; none where this build cannot score it.
    #[cfg(feature = "engine")]
    fn answers(&self, texts: &[&str]) -> Result<Vec<Option<Answer>>> {
        let predicted = self.texts.probabilities(texts, self.watcher)?;
        Ok(predicted.into_iter().map(|p| p.map(|p| self.predictor.answer(self.kind, &p.0))).collect())
    }

    #[cfg(not(feature = "engine"))]
    fn answers(&self, texts: &[&str]) -> Result<Vec<Option<Answer>>> {
        let of = |text: &&str| -> Result<Option<Answer>> {
            let Some(item) = self.store.item_of_key(&ItemKey::of(text))? else { return Ok(None) };
            let p = self.store.prediction(self.predictor.id, item)?;
            Ok(p.map(|p| self.predictor.answer(self.kind, &p)))
        };
        let answers = texts.iter().map(of).collect();
        if self.watcher.stopped() {
            return Err(Fault::new("check the model on these texts", "it was stopped").hint("Run it again"));
        }
        answers
    }
}

/// Holds the active model against the files.
///
/// # Errors
/// No model yet, a file that cannot be read or has no such column, or a text that must pass without a label of the task.
pub fn on_files(
    project: &Path,
    options: &TestFiles,
    #[cfg(feature = "engine")] model: &ScoutModel,
    watcher: &dyn Watcher,
) -> Result<OnFiles> {
    let attempted = "check the model on these texts";
    let store = Store::open(project, Access::Read)?;
    let predictor = active(&store, attempted)?;
    let task = store.task()?.task;
    let seed = options.seed.unwrap_or(store.project()?.seed);
    let mut found = OnFiles::default();
    let model = Model {
        #[cfg(feature = "engine")]
        texts: TextModel::open(&store, &predictor, model, attempted)?,
        #[cfg(not(feature = "engine"))]
        store: &store,
        predictor: &predictor,
        kind: task.kind,
        watcher,
    };
    let of = Checked { project, store: &store, task: &task, options, model: &model, seed };
    if let Some(file) = &options.gold {
        of.gold(file, &mut found)?;
    }
    if let Some(file) = &options.must_pass {
        of.must_pass(file, &mut found)?;
    }
    if let Some(limit) = options.latency {
        let rule = "median milliseconds for one text";
        found.rules.push(Rule::at_most(rule, limit, of.latency()?));
    }
    Ok(found)
}

/// What a check of files works from.
struct Checked<'c> {
    project: &'c Path,
    store: &'c Store,
    task: &'c Task,
    options: &'c TestFiles,
    model: &'c Model<'c>,
    seed: u64,
}

impl Checked<'_> {
    fn gold(&self, file: &Path, found: &mut OnFiles) -> Result<()> {
        let name = name_of(file);
        let mut rows = self.read(file, Some(&mut found.notes))?;
        // A text that comes twice is one case: its copies would only narrow the intervals.
        let (in_file, mut seen) = (rows.len(), HashSet::new());
        rows.retain(|row| seen.insert(ItemKey::of(&row.text)));
        if rows.len() < in_file {
            let copies = counted(in_file - rows.len(), "row of", "rows of");
            found.notes.push(format!("{copies} {name} with a text that was there before are left out."));
        }
        let rows = self.without_open(rows, found)?;
        let (rows, of_training) = self.without_training(rows)?;
        if of_training > 0 {
            let texts = counted(of_training, "text of", "texts of");
            found.notes.push(format!("{texts} {name} may teach the model and are left out."));
        }
        let mut known = KnownLabels::new(self.task, &self.column())?;
        let texts: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
        let answers = self.model.answers(&texts)?;
        let unscored = answers.iter().filter(|answer| answer.is_none()).count();
        for (row, answer) in rows.iter().zip(&answers) {
            if let Some(answer) = answer {
                known.add(row.gold.as_deref(), answer);
            }
        }
        if unscored > 0 {
            found.notes.push(self.unscored(unscored, rows.len(), &name));
        }
        let agreement = known.agreement(self.seed);
        if agreement.not_labels > 0 {
            let what = agreement.unknown.as_ref().map(|what| format!(" ({what})")).unwrap_or_default();
            let rows = counted(agreement.not_labels, "row of", "rows of");
            found.notes.push(format!("{rows} {name} have no {} and are left out{what}.", self.wanted()));
        }
        let targets = &self.options.targets;
        if let Some(limit) = targets.kappa {
            found.rules.push(Rule::at_least(
                format!("{} on {name}", self.task.kind.kappa()),
                limit,
                agreement.kappa,
            ));
        }
        let by_label = known.by_label(self.seed);
        for (what, of, figures) in [
            ("recall", &targets.recall, &by_label.recall),
            ("precision", &targets.precision, &by_label.precision),
        ] {
            for (key, limit) in of {
                let figure = figures.get(key).cloned();
                let figure = figure.unwrap_or_else(|| Figure::undefined("the task has no such label"));
                let rule = format!("{what} of '{}' on {name}", self.name(key));
                found.rules.push(Rule::at_least(rule, *limit, figure));
            }
        }
        Ok(())
    }

    fn must_pass(&self, file: &Path, found: &mut OnFiles) -> Result<()> {
        let rows = self.read(file, None)?;
        let in_file = rows.len();
        let rows = self.without_open(rows, found)?;
        let name = name_of(file);
        let mut values = LabelValues::new(self.task, &self.column(), &[])?;
        let mut wanted = Vec::with_capacity(rows.len());
        for row in &rows {
            match row.gold.as_deref().map_or(KnownAnswer::LeftOut, |cell| values.known_answer(cell)) {
                KnownAnswer::Is(answer) => wanted.push(answer),
                KnownAnswer::LeftOut | KnownAnswer::Not => {
                    let why = format!("line {} has no {} in '{}'", row.line, self.wanted(), self.column());
                    let needed = match self.task.kind {
                        TaskKind::One | TaskKind::Scale => "one label",
                        TaskKind::Several => "its labels, or [] for none of them",
                    };
                    return Err(Fault::usage(format!("check the texts of {name}"), why).hint(format!(
                        "Each text that must pass needs {needed}; --label COL names their column"
                    )));
                }
            }
        }
        let texts: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
        let answers = self.model.answers(&texts)?;
        found.rules.push(self.all_pass(&name, in_file, &rows, (&wanted, &answers)));
        let robustness = self.robustness(&texts, &answers)?;
        if let Some(limit) = self.options.robustness {
            let rule = format!("share of answers that stay in changed copies of {name}");
            found.rules.push(Rule::at_least(rule, limit, robustness.all.clone()));
        }
        found.robustness = Some(robustness);
        Ok(())
    }

    /// What a row with known labels must have.
    fn wanted(&self) -> &'static str {
        match self.task.kind {
            TaskKind::One | TaskKind::Scale => "single label of the task",
            TaskKind::Several => "labels of the task alone",
        }
    }

    /// A count of these very texts, not a sample of others: its interval has no width. One that misses its label decides, whatever could not be seen.
    fn all_pass(
        &self,
        name: &str,
        in_file: usize,
        rows: &[Known],
        (wanted, answers): (&[Answer], &[Option<Answer>]),
    ) -> Rule {
        let labels = if self.task.kind.is_several() { "labels" } else { "label" };
        let rule = format!("share of the texts of {name} that get their {labels}");
        let missed: Vec<String> = rows
            .iter()
            .zip(wanted.iter().zip(answers))
            .filter_map(|(row, (wanted, answer))| {
                let answer = answer.as_ref().filter(|answer| *answer != wanted)?;
                let text: String = row.text.chars().take(LONGEST).collect();
                Some(format!(
                    "line {} '{text}' is called '{}', not '{}'",
                    row.line,
                    self.task.in_words(answer),
                    self.task.in_words(wanted)
                ))
            })
            .collect();
        let scored = answers.iter().flatten().count();
        if missed.is_empty() && (in_file == 0 || scored < in_file) {
            let why = match in_file {
                0 => "the file has no text".to_owned(),
                _ => {
                    let open = in_file - rows.len();
                    let mut why = format!("{scored} of {in_file} texts could be scored");
                    if open > 0 {
                        why += &format!("; {open} you may still be asked about");
                    }
                    if scored < rows.len() {
                        why += &format!(
                            "; {}",
                            self.unscored(rows.len() - scored, rows.len(), name).trim_end_matches('.')
                        );
                    }
                    why
                }
            };
            return Rule::at_least(rule, 1.0, Figure::undefined(why));
        }
        let value = (scored - missed.len()) as f64 / scored.max(1) as f64;
        let rule = Rule::at_least(rule, 1.0, Figure::Known { value, lo: value, hi: value, n: scored });
        if rule.verdict == Verdict::Met {
            return rule.because("every text does");
        }
        let more = missed.len().saturating_sub(LISTED);
        let mut why = missed.into_iter().take(LISTED).collect::<Vec<_>>().join("; ");
        if more > 0 {
            why += &format!("; and {more} more");
        }
        rule.because(why)
    }

    /// How many answers stay where the texts are changed.
    fn robustness(&self, texts: &[&str], answers: &[Option<Answer>]) -> Result<Robustness> {
        if cfg!(not(feature = "engine")) {
            let none = || {
                Figure::undefined(
                    "this build of hardcase has no models, and changed texts are not in the pool",
                )
            };
            return Ok(Robustness { all: none(), by_change: CHANGES.map(|change| (change, none())).into() });
        }
        let mut counts: BTreeMap<Change, Vec<(usize, usize)>> = BTreeMap::new();
        let mut all = Vec::with_capacity(texts.len());
        for (text, answer) in texts.iter().zip(answers) {
            let copies = perturbed(text, self.seed);
            let changed: Vec<&str> = copies.iter().map(|(_, copy)| copy.as_str()).collect();
            let of_copies = self.model.answers(&changed)?;
            let mut kept = 0;
            for ((change, _), of_copy) in copies.iter().zip(&of_copies) {
                let stays = of_copy == answer;
                kept += usize::from(stays);
                counts.entry(*change).or_default().push((usize::from(stays), 1));
            }
            all.push((kept, copies.len()));
        }
        let by_change = CHANGES.map(|change| {
            let of = counts.get(&change).map_or(&[][..], Vec::as_slice);
            (change, staying(of, self.seed))
        });
        Ok(Robustness { all: staying(&all, self.seed), by_change: by_change.into() })
    }

    #[cfg(feature = "engine")]
    fn latency(&self) -> Result<Figure> {
        let mut texts = Vec::new();
        for file in [&self.options.gold, &self.options.must_pass].into_iter().flatten() {
            texts.extend(self.read(file, Some(&mut Vec::new()))?.into_iter().map(|row| row.text));
        }
        if texts.is_empty() {
            texts = self.store.sample_texts(TIMED)?;
        }
        texts.truncate(TIMED);
        median_milliseconds(&self.model.texts, &texts, self.model.watcher)
    }

    #[cfg(not(feature = "engine"))]
    #[expect(clippy::unnecessary_wraps, reason = "with models it can fail")]
    fn latency(&self) -> Result<Figure> {
        Ok(Figure::undefined("this build of hardcase has no models, so no time can be taken"))
    }

    fn column(&self) -> String {
        self.options.read.gold.clone().unwrap_or_default()
    }

    fn name(&self, key: &str) -> String {
        self.task.index_of_id(key).map_or_else(|| key.to_owned(), |at| self.task.labels[at].name.clone())
    }

    fn unscored(&self, n: usize, of: usize, name: &str) -> String {
        if cfg!(feature = "engine") {
            format!("{n} of {of} texts of {name} could not be scored.")
        } else {
            format!("{n} of {of} texts of {name} are not in the pool; {NO_MODELS}.")
        }
    }

    /// The rows that have a text. Those that cannot be read are noted; without notes, each row must be read.
    fn read(&self, file: &Path, notes: Option<&mut Vec<String>>) -> Result<Vec<Known>> {
        let name = name_of(file);
        let attempted = format!("check the texts of {name}");
        let source = open_source(file, &self.options.read, &attempted)?;
        let read = ReadOptions { may_be_empty: true, ..source.read_options(&self.options.read) };
        let mut reader = Reader::open(source.into_input(), &file.to_string_lossy(), &read).map_err(|f| {
            f.while_trying(&attempted).or_hint("--label COL names the column with the known labels")
        })?;
        let (mut rows, mut bad) = (Vec::new(), 0);
        while let Some(entry) = reader.next_entry().map_err(|f| f.while_trying(&attempted))? {
            match entry {
                Entry::Row(row) => rows.push(Known { line: row.line, text: row.text, gold: row.gold }),
                Entry::Bad(row) if notes.is_none() => {
                    return Err(Fault::usage(
                        &attempted,
                        format!("line {} cannot be read: {}", row.line, row.why),
                    )
                    .hint("Every text that must pass must be read; mend the line, or take it out"));
                }
                Entry::Bad(_) => bad += 1,
            }
        }
        if let Some(notes) = notes.filter(|_| bad > 0) {
            notes.push(format!("{} of {name} could not be read.", counted(bad, "row", "rows")));
        }
        Ok(rows)
    }

    /// Without the texts that the reader may still be asked about: of these nothing may tell what the model says.
    fn without_open(&self, rows: Vec<Known>, found: &mut OnFiles) -> Result<Vec<Known>> {
        let mut blind = BlindTexts::read(self.store, &self.options.reader, Reveal::No)?;
        let keys: Vec<ItemKey> = rows.iter().map(|row| ItemKey::of(&row.text)).collect();
        let shown = blind.may_show(self.project, &keys)?;
        if blind.left_out() > 0 {
            let texts = counted(blind.left_out(), "text", "texts");
            found.notes.push(format!("{texts} that you may still be asked about are left out."));
        }
        Ok(rows.into_iter().zip(shown).filter_map(|(row, shown)| shown.then_some(row)).collect())
    }

    /// Without the texts of the pool that teach, or could: a model knows these better than others.
    fn without_training(&self, rows: Vec<Known>) -> Result<(Vec<Known>, usize)> {
        let before = rows.len();
        let mut kept = Vec::with_capacity(before);
        for row in rows {
            let item = self.store.item_of_key(&ItemKey::of(&row.text))?;
            let split = item.map(|item| self.store.split_of(item)).transpose()?.flatten();
            if split != Some(Split::Train) {
                kept.push(row);
            }
        }
        let left_out = before - kept.len();
        Ok((kept, left_out))
    }
}

fn name_of(file: &Path) -> String {
    file.file_name().map_or_else(|| file.display().to_string(), |name| name.to_string_lossy().into_owned())
}
