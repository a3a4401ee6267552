//! `models`: the model files of this machine as a list, and the file that a name of it means.

use std::path::{Path, PathBuf};

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::probe::Probe;
use crate::domain::fault::Result;
use crate::domain::grouped::{counted, grouped, size};
use crate::domain::local_model::LocalModel;
use crate::engine::local_models::{self, Machine};

/// The widest column of names.
const WIDEST_NAME: usize = 48;
/// Columns of numbers.
const SIZE: usize = 1;
const CONTEXT: usize = 5;
const SPEED: usize = 6;

/// The models of this machine.
#[derive(Clone, Debug, Serialize)]
pub struct ModelsReport {
    /// In the order of the programs that keep them.
    pub models: Vec<LocalModel>,
    /// Files that go with a model and are none, such as projectors and adapters.
    pub companions: usize,
    /// Files that a program keeps among its models and that are not GGUF.
    pub other_formats: usize,
    /// Clauses about what was not looked at.
    pub remarks: Vec<String>,
    /// Clauses about models whose speed was asked for and is not known.
    pub unmeasured: Vec<String>,
}

/// One model, with its speed here.
#[derive(Clone, Debug, Serialize)]
pub struct ModelReport {
    #[serde(flatten)]
    pub model: LocalModel,
    /// How its speed was measured.
    pub probe: Probe,
}

/// Lists the models. Reads headers alone.
pub fn models() -> ModelsReport {
    let list = local_models::list(&Machine::this());
    ModelsReport {
        models: list.models,
        companions: list.companions,
        other_formats: list.other_formats,
        remarks: list.remarks,
        unmeasured: Vec::new(),
    }
}

/// The model that a person means by a path or a name of the list.
///
/// # Errors
/// A name that no model has, or several; a file that is no model.
pub fn model_of(typed: &Path) -> Result<LocalModel> {
    local_models::model_of(&Machine::this(), typed)
}

/// The file that a person means by a path or a name of the list.
///
/// # Errors
/// A name that no model has, or several.
pub fn model_file(typed: &Path) -> Result<PathBuf> {
    local_models::file_of(&Machine::this(), typed)
}

/// Whether a model can be loaded without driving everything else out of memory.
pub fn fits_memory(model: &LocalModel) -> bool {
    model.bytes <= crate::engine::judge::free_memory()
}

/// `judge, tune`.
fn abilities(model: &LocalModel) -> String {
    let verbs: Vec<&str> = model.can.iter().map(|ability| ability.verb()).collect();
    verbs.join(", ")
}

/// `23`, `4.1`.
fn speed(texts_per_second: f64) -> String {
    if texts_per_second < 10.0 { format!("{texts_per_second:.1}") } else { format!("{texts_per_second:.0}") }
}

impl std::fmt::Display for ModelsReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.models.is_empty() {
            write!(
                f,
                "No GGUF model was found where Ollama, LM Studio, llama.cpp, Hugging Face, GPT4All and Jan keep theirs. HARDCASE_MODELS can \
                 name other folders, and --model takes any path"
            )?;
        } else {
            self.table(f)?;
            write!(f, "\n{}. ", counted(self.models.len(), "model", "models"))?;
            if let Some(command) = self.models.iter().find_map(command) {
                write!(f, "Use one by its name: `{command}`. ")?;
            }
            write!(f, "`hardcase models NAME` measures how fast one reads here")?;
        }
        if self.companions > 0 {
            let files = counted(self.companions, "file that goes", "files that go");
            write!(f, "\nLeft out: {files} with a model, such as a projector for images or an adapter")?;
        }
        if self.other_formats > 0 {
            let files = counted(self.other_formats, "model that is", "models that are");
            write!(f, "\nLeft out: {files} not GGUF")?;
        }
        self.unmeasured.iter().try_for_each(|why| write!(f, "\nNot measured: {why}"))?;
        self.remarks.iter().try_for_each(|remark| write!(f, "\nNot looked at: {remark}"))
    }
}

impl ModelsReport {
    fn table(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let measured = self.models.iter().any(|model| model.texts_per_second.is_some());
        let head = ["name", "size", "kept by", "architecture", "weights", "context", "texts/s", "can"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(self.models.iter().map(row));
        let wide = |column: usize| {
            // What comes last in a row may be a whole sentence.
            let cells = rows.iter().filter(|row| column + 1 < row.len());
            let widest = cells.map(|row| row[column].width()).max().unwrap_or(0);
            if column == 0 { widest.min(WIDEST_NAME) } else { widest }
        };
        let wide: Vec<usize> = (0..head.len() - 1).map(wide).collect();
        for (number, row) in rows.iter().enumerate() {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate().filter(|(column, _)| measured || *column != SPEED) {
                let blanks = match wide.get(column) {
                    Some(wide) if column + 1 < row.len() => " ".repeat(wide.saturating_sub(cell.width())),
                    _ => String::new(),
                };
                let to_the_right = [SIZE, CONTEXT, SPEED].contains(&column);
                line += &if to_the_right { format!("{blanks}{cell}  ") } else { format!("{cell}{blanks}  ") };
            }
            let end = if number + 1 < rows.len() { "\n" } else { "" };
            write!(f, "{}{end}", line.trim_end())?;
        }
        Ok(())
    }
}

/// The cells of a model that can be used, or its first ones and the reason why it cannot.
fn row(model: &LocalModel) -> Vec<String> {
    let kept_by = model.kept_by.clone().unwrap_or_default();
    let mut row = vec![model.name.clone(), size(model.bytes), kept_by];
    match &model.note {
        Some(why) if model.can.is_empty() => row.push(format!("cannot be used: {why}")),
        _ => row.extend([
            model.architecture.clone().unwrap_or_default(),
            model.quantisation.clone().unwrap_or_default(),
            model.context.map(|tokens| grouped(tokens as u64)).unwrap_or_default(),
            model.texts_per_second.map(speed).unwrap_or_default(),
            abilities(model),
        ]),
    }
    row
}

/// A command with this model, where its name needs no quotation marks.
fn command(model: &LocalModel) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@".contains(c);
    let verb = model.can.first()?.verb();
    model.name.chars().all(plain).then(|| format!("hardcase {verb} FILE --model {}", model.name))
}

impl std::fmt::Display for ModelReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let model = &self.model;
        write!(f, "{}: ", model.name)?;
        let facts = [&model.architecture, &model.quantisation];
        let facts = facts.into_iter().flatten().map(|fact| format!("{fact}, ")).collect::<String>();
        let files = if model.files > 1 { format!(" in {} files", model.files) } else { String::new() };
        write!(f, "{facts}{}{files}", size(model.bytes))?;
        if let Some(context) = model.context {
            write!(f, ", reads {} tokens at a time", grouped(context as u64))?;
        }
        write!(f, ". It can {}", abilities(model))?;
        if let Some(note) = &model.note {
            write!(f, "; {note}")?;
        }
        let probe = &self.probe;
        write!(
            f,
            ". It reads about {} texts a second here, measured on {} of {:.0} words on average after {:.1} s of loading; longer texts take longer in \
             proportion. Its file is {}",
            speed(probe.texts_per_second),
            counted(probe.texts, "advertisement", "advertisements"),
            probe.words,
            probe.loading_seconds,
            model.path.display()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::local_model::Ability;

    fn model(name: &str, can: &[Ability], note: Option<&str>) -> LocalModel {
        let readable = !can.is_empty();
        LocalModel {
            name: name.into(),
            also: Vec::new(),
            kept_by: Some("Ollama".into()),
            path: "/m".into(),
            files: 1,
            bytes: 2_019_377_376,
            architecture: readable.then(|| "llama".into()),
            quantisation: readable.then(|| "Q4_K".into()),
            parameters: readable.then_some(3_212_749_888),
            context: readable.then_some(131_072),
            can: can.to_vec(),
            note: note.map(str::to_owned),
            texts_per_second: None,
        }
    }

    fn report(models: Vec<LocalModel>) -> ModelsReport {
        ModelsReport { models, companions: 0, other_formats: 0, remarks: Vec::new(), unmeasured: Vec::new() }
    }

    #[test]
    fn the_list_is_a_table_and_what_cannot_be_used_says_why() {
        let judge = model("llama3.2:3b", &[Ability::Judge, Ability::Tune], None);
        let broken = model("half", &[], Some("it is truncated"));
        let mut all = report(vec![judge.clone(), broken]);
        all.companions = 2;
        all.remarks.push("/x cannot be read: permission denied".into());
        all.unmeasured.push("b: it is larger than the free memory".into());
        let said = [
            "name           size  kept by  architecture  weights  context  can",
            "llama3.2:3b  2.0 GB  Ollama   llama         Q4_K     131,072  judge, tune",
            "half         2.0 GB  Ollama   cannot be used: it is truncated",
            "2 models. Use one by its name: `hardcase judge FILE --model llama3.2:3b`. `hardcase models NAME` measures how fast one reads here",
            "Left out: 2 files that go with a model, such as a projector for images or an adapter",
            "Not measured: b: it is larger than the free memory",
            "Not looked at: /x cannot be read: permission denied",
        ];
        assert_eq!(all.to_string().lines().collect::<Vec<_>>(), said);
        let mut measured = report(vec![LocalModel { texts_per_second: Some(4.06), ..judge }]);
        measured.other_formats = 1;
        let measured = measured.to_string();
        let line = "llama3.2:3b  2.0 GB  Ollama   llama         Q4_K     131,072      4.1  judge, tune";
        assert_eq!(measured.lines().nth(1), Some(line));
        assert!(measured.ends_with("\nLeft out: 1 model that is not GGUF"), "{measured}");
        assert!(report(Vec::new()).to_string().starts_with("No GGUF model was found"));
    }

    #[test]
    fn one_model_is_told_in_sentences() {
        let probe = Probe { texts_per_second: 12.3, texts: 123, words: 22.1, loading_seconds: 3.04 };
        let one = ModelReport { model: model("llama3.2:3b", &[Ability::Judge, Ability::Tune], None), probe };
        assert_eq!(
            one.to_string(),
            "llama3.2:3b: llama, Q4_K, 2.0 GB, reads 131,072 tokens at a time. It can judge, tune. It reads about 12 texts a second here, measured \
             on 123 advertisements of 22 words on average after 3.0 s of loading; longer texts take longer in proportion. Its file is /m"
        );
    }
}
