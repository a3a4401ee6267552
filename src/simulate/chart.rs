//! Learning curves drawn with letters, for any terminal and any log file.

use std::fmt::{self, Display, Formatter};

use super::report::Curves;

const WIDTH: usize = 64;
const HEIGHT: usize = 16;
/// Width of the whole chart, legend included.
const COLUMNS: usize = 80;
const MARGIN: &str = "       ";
const GAP: &str = "   ";

/// Mean kappa of several strategies over the labels.
pub struct Chart {
    /// Rows from the top.
    cells: Vec<Vec<char>>,
    names: Vec<(char, String)>,
    bottom: f64,
    top: f64,
    labels: usize,
    whole: Option<f64>,
    title: &'static str,
}

impl Chart {
    /// Of named curves; `whole` is the kappa of the whole pool, drawn as a dotted line.
    pub fn of<'a>(curves: impl Iterator<Item = (&'a str, &'a Curves)>, whole: Option<f64>) -> Self {
        let curves: Vec<(&str, &Curves)> = curves.collect();
        let known = || curves.iter().flat_map(|(_, c)| c.kappa.mean.iter().copied().flatten()).chain(whole);
        let bottom = (known().fold(f64::INFINITY, f64::min).min(0.9) * 10.0).floor() / 10.0;
        let top = (known().fold(f64::NEG_INFINITY, f64::max).max(bottom + 0.1) * 10.0).ceil() / 10.0;
        let labels = curves.iter().filter_map(|(_, c)| c.labels.last()).max().copied().unwrap_or(1).max(1);
        let mut chart = Self {
            cells: vec![vec![' '; WIDTH]; HEIGHT],
            names: Vec::new(),
            bottom,
            top,
            labels,
            whole: whole.filter(|w| w.is_finite()),
            title: "kappa",
        };
        if !(bottom.is_finite() && top.is_finite()) {
            return chart;
        }
        if let Some(whole) = chart.whole {
            let row = chart.row(whole);
            chart.cells[row].iter_mut().step_by(2).for_each(|cell| *cell = '·');
        }
        for ((name, curve), letter) in curves.iter().zip('a'..='z') {
            chart.names.push((letter, (*name).to_owned()));
            chart.draw(curve, letter);
        }
        chart
    }

    /// With the name of its figure above it.
    pub fn titled(self, title: &'static str) -> Self {
        Self { title, ..self }
    }

    fn row(&self, kappa: f64) -> usize {
        let part = (self.top - kappa) / (self.top - self.bottom);
        ((part * (HEIGHT - 1) as f64).round().max(0.0) as usize).min(HEIGHT - 1)
    }

    fn draw(&mut self, curve: &Curves, letter: char) {
        let points: Vec<(f64, f64)> = (curve.labels.iter().zip(&curve.kappa.mean))
            .filter_map(|(&n, kappa)| Some((n as f64 / self.labels as f64, (*kappa)?)))
            .collect();
        for column in 0..WIDTH {
            let x = column as f64 / (WIDTH - 1) as f64;
            let Some(step) = points.windows(2).find(|two| two[0].0 <= x && x <= two[1].0) else { continue };
            let part = (x - step[0].0) / (step[1].0 - step[0].0).max(f64::MIN_POSITIVE);
            let row = self.row(step[0].1 + part * (step[1].1 - step[0].1));
            let cell = &mut self.cells[row][column];
            // Where curves meet, the later one would hide the earlier.
            *cell = if matches!(*cell, ' ' | '·') || *cell == letter { letter } else { '*' };
        }
    }
}

impl Display for Chart {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        for (at, row) in self.cells.iter().enumerate() {
            let value = self.top - (self.top - self.bottom) * at as f64 / (HEIGHT - 1) as f64;
            let axis = if at % 5 == 0 { format!("{value:5.2}") } else { "     ".to_owned() };
            let line: String = row.iter().collect();
            writeln!(f, "{axis} │{}", line.trim_end())?;
        }
        writeln!(f, "      └{}", "─".repeat(WIDTH))?;
        let (first, last) = ("0", self.labels.to_string());
        writeln!(f, "       {first}{}{last} labels", " ".repeat(WIDTH.saturating_sub(1 + last.len())))?;
        let mut legend: Vec<String> =
            self.names.iter().map(|(letter, name)| format!("{letter} {name}")).collect();
        if self.names.len() > 1 {
            legend.push("* several".into());
        }
        if self.whole.is_some() {
            legend.push("· all labels of the pool".into());
        }
        let mut used = 0;
        for (at, entry) in legend.iter().enumerate() {
            let long = entry.chars().count() + GAP.len();
            let before = match at {
                0 => MARGIN.to_owned(),
                _ if MARGIN.len() + used + long > COLUMNS + GAP.len() => {
                    used = 0;
                    format!("\n{MARGIN}")
                }
                _ => GAP.to_owned(),
            };
            used += long;
            write!(f, "{before}{entry}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Curve;
    use super::*;

    #[test]
    fn the_legend_of_every_strategy_stays_within_80_columns_and_names_each_once() {
        let kappa = Curve { mean: vec![Some(0.1), Some(0.5)], ..Curve::default() };
        let empty = Curve::default();
        let curves = Curves {
            labels: vec![0, 60],
            kappa,
            absolute_error: Curve::default(),
            ac1: empty.clone(),
            macro_f1: empty.clone(),
            f1: empty.clone(),
            average_precision: empty,
        };
        let names: Vec<&str> = crate::mining::strategies::names().collect();
        let drawn = Chart::of(names.iter().map(|name| (*name, &curves)), Some(0.6)).to_string();
        assert!(drawn.lines().all(|line| line.chars().count() <= COLUMNS), "{drawn}");
        let legend = drawn.split_once(" labels\n").unwrap().1;
        for (name, letter) in names.iter().zip('a'..) {
            assert_eq!(legend.matches(&format!("{letter} {name}")).count(), 1, "{legend}");
        }
        assert!(legend.contains("* several") && legend.ends_with("· all labels of the pool"), "{legend}");
    }
}
