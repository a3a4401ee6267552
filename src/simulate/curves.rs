//! The learning curves as CSV: a row for each strategy and point, and one for each figure that they are compared with.

use super::report::{Curve, Curves, SimulateReport, WholePool};
use crate::domain::fault::{Fault, Result};
use crate::domain::task_kind::TaskKind;
use crate::formats::{CSV, Cell, Column, ColumnType, RowWriter};
use crate::work::output::output_fault;

/// The curves of every strategy and of random samples, then the figures of the whole pool, a crowd and two experts, of which only kappa is
/// known. With a header, and without a newline at the end.
///
/// # Errors
/// None in practice: it is written to memory.
pub fn curves_csv(report: &SimulateReport) -> Result<String> {
    let figures = match report.terms.kind {
        TaskKind::One => ["kappa", "ac1", "f1", "average_precision"],
        TaskKind::Several => ["mean_label_kappa", "macro_f1", "micro_f1", "average_precision"],
        TaskKind::Scale => ["weighted_kappa", "absolute_error", "f1", "average_precision"],
    };
    let mut columns =
        vec![Column::new("strategy", ColumnType::Text), Column::new("labels", ColumnType::Integer)];
    let names = figures.iter().flat_map(|name| ["", "_lo", "_hi"].map(|end| format!("{name}{end}")));
    columns.extend(names.map(|name| Column::new(name, ColumnType::Float)));
    let mut bytes = Vec::new();
    let failed = |e: std::io::Error| output_fault("the curves", &e);
    let mut writer = RowWriter::new(&mut bytes, &CSV, columns).map_err(failed)?;
    let random = ("random samples", &report.random_samples);
    let runs = report.runs.iter().map(|run| (run.strategy.as_str(), &run.curves));
    for (name, curves) in runs.chain([random]) {
        for at in 0..curves.labels.len() {
            writer.write_row(&cells(name, curves, at, report.terms.kind)).map_err(failed)?;
        }
    }
    let whole = |pool: &WholePool| (Some(pool.labels), pool.kappa, pool.interval);
    let experts = report.expert_expert.map(|s| (None, Some(s.mean), Some(s)));
    for (name, single) in [
        ("full pool", Some(whole(&report.full_pool))),
        ("crowd", report.crowd.as_ref().map(whole)),
        ("two experts", experts),
    ] {
        if let Some((labels, mean, ends)) = single {
            let kappa = [mean, ends.map(|s| s.lo), ends.map(|s| s.hi)].map(number);
            let unknown = std::iter::repeat_n(Cell::Null, 3 * (figures.len() - 1));
            let row: Vec<Cell> =
                [name.into(), labels.into()].into_iter().chain(kappa).chain(unknown).collect();
            writer.write_row(&row).map_err(failed)?;
        }
    }
    writer.finish().map_err(failed)?;
    let text = String::from_utf8(bytes).map_err(|e| Fault::new("write the curves", e.to_string()))?;
    Ok(text.trim_end().to_owned())
}

fn cells(name: &str, curves: &Curves, at: usize, kind: TaskKind) -> Vec<Cell> {
    let Curves { labels, kappa, absolute_error, ac1, macro_f1, f1, average_precision } = curves;
    let second = match kind {
        TaskKind::One => ac1,
        TaskKind::Several => macro_f1,
        TaskKind::Scale => absolute_error,
    };
    let mut cells = vec![name.into(), labels[at].into()];
    for Curve { mean, lo, hi } in [kappa, second, f1, average_precision] {
        cells.extend([mean, lo, hi].map(|values| number(values[at])));
    }
    cells
}

fn number(value: Option<f64>) -> Cell {
    value.filter(|v| v.is_finite()).map_or(Cell::Null, |value| Cell::Decimal { value, places: 6 })
}
