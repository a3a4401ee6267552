//! `predict`: scores new texts with the active model. The project does not change.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::blind_texts::BlindTexts;
use crate::domain::fault::{Fault, Result};
use crate::domain::item::ItemKey;
use crate::domain::prediction::Probabilities;
use crate::domain::progress::{Progress, Watcher};
use crate::domain::read_options::ReadOptions;
use crate::exchange::export::{Reveal, RowsOut, probabilities_cell};
use crate::formats::{ColumnType, Entry, OutputFormat, Reader, Row, chosen_format};
use crate::learn::kind::load;
use crate::learn::model::ScoutModel;
use crate::learn::prelabels::active;
use crate::store::{Access, Store};
use crate::work::input::open_source;
use crate::work::output::write_to;

/// Texts scored at a time.
const CHUNK: usize = 4_096;

const COLUMNS: [(&str, ColumnType); 5] = [
    ("id", ColumnType::Text),
    ("line", ColumnType::Integer),
    ("text", ColumnType::Text),
    ("prelabel", ColumnType::Text),
    ("probabilities", ColumnType::Json),
];

/// Where predictions come from and go to.
#[derive(Clone, Debug)]
pub struct PredictOptions {
    /// How to read the data.
    pub read: ReadOptions,
    /// Where none is given, the extension of `out` decides, and then the default.
    pub format: Option<&'static OutputFormat>,
    /// Standard output where no file is named.
    pub out: Option<PathBuf>,
    /// The name of the expert who reads it. Texts that they may still be asked about are written without the model's view.
    pub reader: String,
    pub reveal: Reveal,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scored {
    /// Rows.
    pub texts: usize,
    /// Of these, rows without the model's view, because the reader may still be asked about their text.
    pub left_out: usize,
}

/// Scores every row of `data`.
///
/// # Errors
/// No active model yet, a row that cannot be read, or a model that cannot be used.
pub fn predict(
    project: &Path,
    data: &Path,
    model: &ScoutModel,
    options: &PredictOptions,
    watcher: &dyn Watcher,
) -> Result<Scored> {
    let attempted = format!("score {}", data.display());
    let store = Store::open(project, Access::Read)?;
    let predictor = active(&store, &attempted)?;
    let task = store.task()?.task;
    let mut blind = BlindTexts::read(&store, &options.reader, options.reveal)?;
    let names: Vec<String> = predictor
        .labels
        .iter()
        .map(|key| task.index_of_id(key).map_or_else(|| key.clone(), |i| task.labels[i].name.clone()))
        .collect();
    let scorer = load(&store, &predictor)?;
    let chosen = model.choose(&store)?;
    if store.model(predictor.model)?.is_none_or(|m| m.sha256 != chosen.model.sha256) {
        return Err(Fault::usage(
            &attempted,
            format!("the project was scouted with another model than {}", chosen.model.name),
        )
        .hint("Leave --model out, or name the file of the model that it was scouted with"));
    }
    let bytes = predictor.space().adapter.map(|adapter| store.adapter_bytes(adapter)).transpose()?.flatten();
    let encoder = chosen.load_adapted(bytes.as_deref())?;
    let source = open_source(data, &attempted)?;
    let size = source.size;
    let name = data.to_string_lossy().into_owned();
    let mut reader =
        Reader::open(source.stream, &name, &options.read).map_err(|f| f.while_trying(&attempted))?;
    watcher.note(&format!("{name}: {}", reader.detected()));
    let format = chosen_format(options.format, options.out.as_deref());
    let mut written = 0;
    write_to(options.out.as_deref(), |out| {
        let mut out = RowsOut { out, format, what: "the predictions" }.with_columns(&COLUMNS)?;
        loop {
            let rows = read_chunk(&mut reader, &name, &attempted)?;
            if rows.is_empty() {
                break;
            }
            let texts: Vec<&str> = rows.iter().map(|r| r.text.as_str()).collect();
            let mut predicted = vec![None; rows.len()];
            encoder.embed(&texts, &mut |indices, vectors| {
                let scored = scorer.probabilities(vectors);
                for (index, p) in indices.iter().zip(scored.rows()) {
                    predicted[*index] = Some(Probabilities(p.to_vec()));
                }
                if watcher.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            if watcher.stopped() {
                let hint = "A file that you named with -o was left as it was. Run the same command again";
                return Err(Fault::new(&attempted, "it was stopped").hint(hint));
            }
            let keys: Vec<ItemKey> = texts.iter().map(|text| ItemKey::of(text)).collect();
            let shown = blind.may_show(project, &keys)?;
            for ((row, p), shown) in rows.iter().zip(&predicted).zip(shown) {
                let p = p.as_ref().filter(|_| shown);
                out.write(&[
                    row.external_id.clone().into(),
                    row.line.into(),
                    row.text.as_str().into(),
                    p.map(|p| names[p.top()].clone()).into(),
                    p.map(|p| probabilities_cell(&names, p)).into(),
                ])?;
            }
            watcher.report(&Progress {
                job: "predict".into(),
                stage: "scoring".into(),
                done: size.map_or(reader.bytes_read(), |s| reader.bytes_read().min(s)),
                total: size,
                unit: "bytes".into(),
                rate: None,
                eta_s: None,
                tokens_per_second: None,
                epochs: Vec::new(),
            });
        }
        written = out.finish()?;
        Ok(())
    })?;
    Ok(Scored { texts: written, left_out: blind.left_out() })
}

fn read_chunk(reader: &mut Reader, name: &str, attempted: &str) -> Result<Vec<Row>> {
    let mut rows = Vec::with_capacity(CHUNK);
    while rows.len() < CHUNK {
        match reader.next_entry().map_err(|f| f.while_trying(attempted))? {
            Some(Entry::Row(row)) => rows.push(row),
            Some(Entry::Bad(bad)) => return Err(bad.fault(name).while_trying(attempted)),
            None => break,
        }
    }
    Ok(rows)
}
