//! `dataset`: a folder that others can train and measure on: the labelled texts in one file for each use, a data card, a model card, the report, and the hashes of
//! everything. Its version is the hash of what it holds.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::kind::{ExportKind, ExportOption, Exported, Request, Writes};
use super::rows_out::{Rows, RowsOut, answer_cell, least_level, name_of};
use super::visible::{Shows, all_votes};
use crate::domain::answer::{Reached, Verdict, verdicts};
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::grouped::{counted, grouped};
use crate::domain::hex::hex;
use crate::domain::ids::ItemId;
use crate::domain::split::Split;
use crate::domain::task::Task;
use crate::formats::{Cell, ColumnType, OutputFormat};
use crate::store::Store;
use crate::work::output::{write_text, write_to};

pub(super) static DATASET: ExportKind = ExportKind {
    name: "dataset",
    help: "A folder with the labelled texts by their use, a data card, a model card and hashes, which load_dataset reads",
    takes: &[ExportOption::Format],
    shows: Shows::ModelAndAnswers,
    writes: Writes::Folder(dataset),
};

const COLUMNS: [(&str, ColumnType); 6] = [
    ("id", ColumnType::Text),
    ("text", ColumnType::Text),
    ("label", ColumnType::Text),
    ("how", ColumnType::Text),
    ("answers", ColumnType::Integer),
    ("agreeing", ColumnType::Integer),
];

/// The uses, each with the name of its file.
const USES: [(Split, &str); 3] =
    [(Split::Train, "train"), (Split::Eval, "evaluation"), (Split::Audit, "audit")];

/// Sections of the report that the data card repeats.
const SAID: [&str; 3] = ["Agreement", "The whole pool, estimated by the audit", "Limits"];

/// One file of the folder.
struct Part {
    name: String,
    sha256: String,
    bytes: u64,
    rows: Option<usize>,
}

fn dataset(request: &Request<'_>, folder: &Path) -> Result<Exported> {
    let &Request { store, task, visible, options } = request;
    let format = options.format.unwrap_or(&crate::formats::JSONL);
    begin(folder)?;
    let labelled = Labelled::read(request)?;
    let mut parts = Vec::new();
    for (split, name) in USES {
        let path = format!("data/{name}.{}", format.ending);
        let rows = labelled.write(split, store, &folder.join(&path), format)?;
        if rows > 0 {
            parts.push(part(folder, path, Some(rows))?);
        }
    }
    if parts.is_empty() {
        return Err(Fault::usage("export the dataset", "no text has a label that you may see")
            .hint("Label some texts first; a tie has no label until a lead decides"));
    }
    write_text(&folder.join("task.toml"), &task.to_toml()?)?;
    parts.push(part(folder, "task.toml".into(), None)?);
    let version = version(&parts);
    let lines = parts.iter().filter_map(|part| part.rows).sum();
    let card = card(task, &parts, &version, format, labelled.people, options.report.as_deref());
    write_text(&folder.join("README.md"), &card)?;
    let mut said = vec!["README.md"];
    if let Some(report) = &options.report {
        write_text(&folder.join("REPORT.md"), report)?;
        said.push("REPORT.md");
    }
    if let Some(model) = model_card(store, task, options.report.as_deref())? {
        write_text(&folder.join("MODEL.md"), &model)?;
        said.push("MODEL.md");
    }
    for name in said {
        parts.push(part(folder, name.into(), None)?);
    }
    let files: serde_json::Map<String, serde_json::Value> = parts
        .iter()
        .map(|p| (p.name.clone(), json!({ "sha256": p.sha256, "bytes": p.bytes, "rows": p.rows })))
        .collect();
    let manifest = serde_json::to_string_pretty(&json!({ "version": version, "files": files }))
        .map_err(|e| Fault::new("write the manifest", e.to_string()))?;
    // Last: a folder without it was not finished.
    write_text(&folder.join("manifest.json"), &format!("{manifest}\n"))?;
    Ok(Exported { lines, left_out: visible.left_out(Shows::ModelAndAnswers), ..Exported::default() })
}

/// Makes the folder, or takes one in which nothing is.
fn begin(folder: &Path) -> Result<()> {
    let attempted = format!("write the dataset to {}", folder.display());
    let failed = |e: io::Error| Fault::new(&attempted, io_reason(&e)).because(e);
    match std::fs::read_dir(folder) {
        Ok(mut there) => {
            if there.next().is_some() {
                return Err(Fault::usage(&attempted, "something is in that folder")
                    .hint("Name a new folder, or empty that one"));
            }
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(failed(e)),
    }
    std::fs::create_dir_all(folder.join("data")).map_err(failed)
}

/// The texts with a label that the reader may see, with their uses.
struct Labelled {
    texts: BTreeMap<ItemId, (Split, Verdict, Cell)>,
    /// How many people gave these labels.
    people: usize,
}

impl Labelled {
    fn read(request: &Request<'_>) -> Result<Self> {
        let &Request { store, task, visible, .. } = request;
        let mut votes = all_votes(store)?;
        votes.retain(|vote| !visible.open.contains(&vote.item) && visible.shows_view_of(vote.item));
        let mut texts = BTreeMap::new();
        for (item, verdict) in verdicts(&votes, task.kind) {
            let label = verdict.answer.as_ref().map(|answer| answer_cell(task, answer));
            if let (Some(label), Some(split)) = (label, store.split_of(item)?) {
                texts.insert(item, (split, verdict, label));
            }
        }
        let people: std::collections::BTreeSet<_> = store
            .standing_labels()?
            .into_iter()
            .filter(|(item, ..)| texts.contains_key(item))
            .map(|(_, person, _)| person)
            .collect();
        Ok(Self { texts, people: people.len() })
    }

    /// Writes the texts of one use. Returns how many; of none there is no file.
    fn write(
        &self,
        split: Split,
        store: &Store,
        path: &Path,
        format: &'static OutputFormat,
    ) -> Result<usize> {
        if !self.texts.values().any(|(of, ..)| *of == split) {
            return Ok(0);
        }
        let mut rows = 0;
        let task = store.task()?.task;
        let (least_level, lists) = (least_level(&task), task.kind.is_several());
        write_to(Some(path), |out| {
            let mut out =
                RowsOut { out, format, what: "the dataset", least_level, lists }.with_columns(&COLUMNS)?;
            store.for_each_item(|item, text, id, _| match self.texts.get(&item) {
                Some((of, verdict, label)) if *of == split => self.row(&mut out, (text, id), verdict, label),
                _ => Ok(()),
            })?;
            rows = out.finish()?;
            Ok(())
        })?;
        Ok(rows)
    }

    fn row(
        &self,
        out: &mut Rows<'_>,
        (text, id): (&str, Option<&str>),
        verdict: &Verdict,
        label: &Cell,
    ) -> Result<()> {
        let answers = verdict.experts;
        out.write(&[
            id.into(),
            text.into(),
            label.clone(),
            Reached::as_str(verdict.reached).into(),
            answers.into(),
            verdict.agreeing.into(),
        ])
    }
}

fn part(folder: &Path, name: String, rows: Option<usize>) -> Result<Part> {
    let failed = |e: io::Error| Fault::new(format!("read {name} again"), io_reason(&e)).because(e);
    let mut file = File::open(folder.join(&name)).map_err(failed)?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut piece = vec![0; 64 << 10];
    loop {
        let n = file.read(&mut piece).map_err(failed)?;
        if n == 0 {
            break;
        }
        hash.update(&piece[..n]);
        bytes += n as u64;
    }
    let sha256 = hex(&hash.finalize());
    Ok(Part { name, sha256, bytes, rows })
}

/// The hash of the names and hashes of what the folder holds, without what is said of it.
fn version(parts: &[Part]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(format!("{}\0{}\n", part.name, part.sha256));
    }
    hex(&hash.finalize())[..16].to_owned()
}

fn card(
    task: &Task,
    parts: &[Part],
    version: &str,
    format: &OutputFormat,
    people: usize,
    report: Option<&str>,
) -> String {
    let data: Vec<(&str, &Part, usize)> = parts
        .iter()
        .filter_map(|part| Some((part.name.strip_prefix("data/")?.split('.').next()?, part, part.rows?)))
        .collect();
    let lines: usize = data.iter().map(|(.., rows)| rows).sum();
    let size = match lines {
        0..1_000 => "n<1K",
        1_000..10_000 => "1K<n<10K",
        10_000..100_000 => "10K<n<100K",
        100_000..1_000_000 => "100K<n<1M",
        _ => "1M<n<10M",
    };
    let files: String =
        data.iter().map(|(name, part, _)| format!("  - split: {name}\n    path: {}\n", part.name)).collect();
    let name = if task.name.trim().is_empty() { "Labelled texts" } else { task.name.trim() };
    let mut card = format!(
        "---\npretty_name: {}\n# Fill in an identifier of https://hf.co/docs/hub/repositories-licenses\nlicense: unknown\ntask_categories:\n- text-classification\nsize_categories:\n- {size}\nconfigs:\n- config_name: default\n  data_files:\n{files}---\n\n# {}\n\nVersion `{version}`: the hash of its files, which `manifest.json` lists. Made with hardcase {}.\n",
        json!(name),
        plain(name),
        env!("CARGO_PKG_VERSION"),
    );
    card += &format!("\n## What\n\n{}\n", quoted(&task.question));
    if !task.guideline.trim().is_empty() {
        card += &format!("\nExperts had this guideline:\n\n{}\n", quoted(&task.guideline));
    }
    if task.kind.is_scale() {
        card += "\nEach text has one level of a scale. The levels in order, the lowest first:\n";
    }
    card += "\n| label | meaning |\n|---|---|\n";
    for label in &task.labels {
        card += &format!("| {} | {} |\n", plain(&label.name), plain(&label.description));
    }
    card += "\n| file | use | texts |\n|---|---|---|\n";
    for (name, part, rows) in &data {
        let (_, what) = FOR.iter().find(|(of, _)| of == name).unwrap_or(&FOR[0]);
        card += &format!("| `{}` | {what} | {} |\n", part.name, grouped(*rows as u64));
    }
    card += &format!(
        "\nColumns: `id` (of the imported file), `text`, `label`, `how` it was reached ({}), `answers` (people who labelled it) and how many of them are `agreeing`.\n\nRead it with `datasets.load_dataset(\"FOLDER\", split=\"{}\")` ({}).\n",
        "single, agreed, majority or adjudicated",
        data.first().map_or("train", |(name, ..)| name),
        format.name,
    );
    card += &format!(
        "\n## Who and how\n\n{} gave these labels, each before they saw what a model or others said. Texts were chosen by a model for being hard to decide, and by lot for the audit: the training and evaluation files are harder than the pool that they come from, and their shares of labels are not those of the pool. A text without a label on which people agreed, or a lead decided, is left out.\n",
        counted(people, "person", "people")
    );
    if let Some(report) = report {
        for title in SAID {
            if let Some(said) = section(report, title) {
                card += &format!("\n## {title}\n\n{}\n", said.trim());
            }
        }
        card += "\n`REPORT.md` has the whole report.\n";
    }
    card
}

const FOR: [(&str, &str); 3] = [
    ("train", "training"),
    ("evaluation", "how well a model does on hard cases"),
    ("audit", "how well it does on the whole pool: drawn by lot"),
];

fn model_card(store: &Store, task: &Task, report: Option<&str>) -> Result<Option<String>> {
    let Some(predictor) = store.active_predictor()? else { return Ok(None) };
    let model = store.model(predictor.model)?;
    let base = model.as_ref().map_or_else(
        || "a model that the project does not hold".to_owned(),
        |model| format!("{} (SHA-256 `{}`)", plain(&model.name), hex(&model.sha256)),
    );
    let labels: Vec<String> = predictor.labels.iter().map(|label| plain(&name_of(task, label))).collect();
    let mut card = format!(
        "# The model\n\nThe model that was active when this was written.\n\n| | |\n|---|---|\n| kind | {} |\n| reads texts with | {base} |\n| labels | {} |\n\n`hardcase predict` runs it, and `hardcase adapter export` writes its weights. It answers one question, about texts like those that it was trained on; texts of another kind or time need an audit of their own.\n",
        predictor.kind(),
        labels.join(", "),
    );
    for title in ["The model", SAID[1]] {
        if let Some(said) = report.and_then(|report| section(report, title)) {
            let title = if title == "The model" { "Figures" } else { title };
            card += &format!("\n## {title}\n\n{}\n", said.trim());
        }
    }
    Ok(Some(card))
}

/// What the report says under a heading of the second level.
fn section<'a>(report: &'a str, title: &str) -> Option<&'a str> {
    let heading = format!("\n## {title}\n");
    let from = report.find(&heading)? + heading.len();
    let rest = &report[from..];
    Some(&rest[..rest.find("\n## ").unwrap_or(rest.len())])
}

/// Words of people in a line or a cell of Markdown.
fn plain(words: &str) -> String {
    let mut out = String::new();
    for c in words.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '<' | '>' | '&' | '~' | '!' => {
                out.extend(['\\', c])
            }
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Words of people as a quotation.
fn quoted(words: &str) -> String {
    words
        .trim()
        .lines()
        .map(|line| format!("> {}", plain(line)).trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_depends_on_names_and_contents_alone() {
        let part = |name: &str, sha256: &str| Part {
            name: name.into(),
            sha256: sha256.into(),
            bytes: 1,
            rows: None,
        };
        let one = version(&[part("a", "1"), part("b", "2")]);
        assert_eq!(one, version(&[Part { bytes: 9, ..part("a", "1") }, part("b", "2")]));
        assert_ne!(one, version(&[part("a", "2"), part("b", "2")]));
        assert_eq!(one.len(), 16);
    }

    #[test]
    fn a_section_of_the_report_ends_where_the_next_begins() {
        let report = "# R\n\n## Agreement\n\nk\n\n### Cases\n\nn\n\n## Limits\n\n- one\n";
        assert_eq!(section(report, "Agreement").map(str::trim), Some("k\n\n### Cases\n\nn"));
        assert_eq!(section(report, "Limits").map(str::trim), Some("- one"));
        assert_eq!(section(report, "None"), None);
    }

    #[test]
    fn words_of_people_are_no_markup() {
        assert_eq!(plain("a|b\n<img> `x`"), "a\\|b \\<img\\> \\`x\\`");
        assert_eq!(quoted("a\n\n# b"), "> a\n>\n> \\# b");
    }
}
