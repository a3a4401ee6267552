//! The report of a simulation as text: one line per strategy, the learning curves, and what they are compared with.

use std::fmt::{self, Display, Formatter};

use super::chart::Chart;
use super::dataset::NearCopies;
use super::random_needs::RandomNeeds;
use super::report::{Run, SimulateReport, Terms, WholePool};
use crate::domain::task_kind::TaskKind;
use crate::stats::estimate::seeds::Spread;

impl Display for SimulateReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.write_data(f)?;
        let width = self.runs.iter().map(|run| run.strategy.len()).max().unwrap_or(0).max("strategy".len());
        let labels = self.runs.iter().filter_map(|run| run.curves.labels.last()).max().copied().unwrap_or(0);
        let name = self.terms.kind.kappa();
        let kappa = format!("{name} at {labels}");
        writeln!(f, "\n{:width$}  {kappa:22}  {:25}  {:5}  s/round", "strategy", "minus random", "area")?;
        for run in &self.runs {
            write_kappa(f, run, width)?;
        }
        // Of a scale the mean absolute error; of several labels macro and micro F1.
        let (second, f1) = match self.terms.kind {
            TaskKind::One => ("AC1", "F1"),
            TaskKind::Several => ("macro", "micro"),
            TaskKind::Scale => ("error", "F1"),
        };
        writeln!(
            f,
            "\n{:width$}  {second:5}  {f1:5}  {:5}  {:>9}  {:>9}  first ten",
            "strategy", "AP", "positives", "found"
        )?;
        for run in &self.runs {
            write_others(f, run, width)?;
        }
        if self.terms.kind.is_several() {
            writeln!(f, "macro, micro: F1, the mean of the labels' and that of all labels together.")?;
        }
        self.write_labels(f)?;
        self.write_adapters(f, width)?;
        writeln!(f)?;
        self.write_reference(f)?;
        let curves = self.runs.iter().map(|run| (run.strategy.as_str(), &run.curves));
        write!(f, "\n{}", Chart::of(curves, self.full_pool.kappa).titled(self.terms.kind.kappa()))
    }
}

impl SimulateReport {
    fn write_data(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let data = &self.dataset;
        let labels: Vec<String> = data.labels.iter().map(|(name, n)| format!("{n} {name}")).collect();
        let labels = match &labels[..] {
            few if few.len() <= 8 => few.join(", "),
            many => format!("{} labels", many.len()),
        };
        let positive = &data.positive;
        writeln!(
            f,
            "{} texts ({labels}).\nFor each seed, a pool of {} ({} {positive}) and a test set of {} ({} {positive}). Rarest label: {positive}.",
            data.items,
            data.pool,
            mean(data.positive_in_pool),
            data.test,
            mean(data.positive_in_test),
        )?;
        if let Some(played) = self.terms.in_words() {
            writeln!(f, "Options: {played}")?;
        }
        if self.terms.seed_labels > data.pool {
            let (asked, pool) = (self.terms.seed_labels, data.pool);
            writeln!(
                f,
                "--seed-labels asks for {asked} labels, but the pool has only {pool}, so nothing was left for a round."
            )?;
        } else if self.terms.labels > data.pool {
            let (asked, pool) = (self.terms.labels, data.pool);
            writeln!(f, "The rounds ask for {asked} labels, but the pool has only {pool} and was used up.")?;
        }
        match data.unlabelled {
            0 => {}
            1 => writeln!(f, "1 row without a known label was left out.")?,
            n => writeln!(f, "{n} rows without a known label were left out.")?,
        }
        let copies = data.near_copies;
        if copies.texts > 0 {
            let one = copies.texts == 1;
            let (texts, differ) = if one { ("text", "differs") } else { ("texts", "differ") };
            let fate = match (copies.are, one) {
                (NearCopies::Kept, true) => "was kept (--fold-copies leaves it out)",
                (NearCopies::Kept, false) => "were kept (--fold-copies leaves them out)",
                (NearCopies::Folded, true) => "was left out",
                (NearCopies::Folded, false) => "were left out",
            };
            let have = if copies.of_another_label == 1 { "has" } else { "have" };
            writeln!(
                f,
                "{} {texts} {differ} from an earlier one only in case, digits, links and names, and {fate}.\n{} of them {have} another label than the \
                 earlier one.",
                copies.texts, copies.of_another_label
            )?;
        }
        Ok(())
    }

    /// Each label's kappa after the last round, where a text may have several.
    fn write_labels(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.runs.iter().all(|run| run.label_kappas.is_empty()) {
            return Ok(());
        }
        let width =
            self.dataset.labels.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).max(5);
        write!(f, "\n{:width$}  {:>6}", "label", "texts")?;
        self.runs.iter().try_for_each(|run| write!(f, "  {:22}", run.strategy))?;
        writeln!(f)?;
        for (at, (name, texts)) in self.dataset.labels.iter().enumerate() {
            write!(f, "{name:width$}  {texts:>6}")?;
            for run in &self.runs {
                write!(f, "  {:22}", interval(run.label_kappas.get(at).copied().flatten()))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    fn write_adapters(&self, f: &mut Formatter<'_>, width: usize) -> fmt::Result {
        let mut adapted = self.runs.iter().filter_map(|run| Some((run, run.lora?))).peekable();
        if adapted.peek().is_some() {
            writeln!(f, "\n{:width$}  {:22}  {:22}", "LoRA", self.terms.kind.kappa(), "minus the head's")?;
        }
        for (run, lora) in adapted {
            let name = &run.strategy;
            writeln!(f, "{name:width$}  {:22}  {:22}", interval(lora.kappa), signed(lora.gain))?;
        }
        Ok(())
    }

    fn write_reference(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let kappa = self.terms.kind.kappa();
        let whole = |pool: &WholePool| match pool.interval {
            Some(spread) => interval(Some(spread)),
            None => number(pool.kappa),
        };
        writeln!(
            f,
            "With all {} labels of the pool: {kappa} {}",
            self.full_pool.labels,
            whole(&self.full_pool)
        )?;
        if let Some(crowd) = &self.crowd {
            writeln!(f, "With all {} labels of the crowd: {kappa} {}", crowd.labels, whole(crowd))?;
        }
        if let Some(spread) = self.expert_expert {
            writeln!(f, "Two such experts with each other: {kappa} {}", interval(Some(spread)))?;
        }
        for run in self.runs.iter().filter(|run| run.strategy != "random") {
            writeln!(f, "{}", needs(&run.random_needs, &run.strategy))?;
        }
        Ok(())
    }
}

impl Terms {
    /// As they were typed, if any were.
    fn in_words(&self) -> Option<String> {
        let said = [
            (self.seed_labels > 0).then(|| format!("--seed-labels {}", self.seed_labels)),
            (self.existing > 0).then(|| {
                format!(
                    "--existing {} --existing-errors {} --existing-weight {}",
                    self.existing, self.existing_errors, self.existing_weight
                )
            }),
            (self.noise > 0.0).then(|| format!("--noise {}", self.noise)),
            self.votes.then(|| "--votes".to_owned()),
            self.with_splits.then(|| "--with-splits".to_owned()),
            self.prevalence.map(|share| format!("--prevalence {share}")),
        ];
        let said: Vec<String> = said.into_iter().flatten().collect();
        (!said.is_empty()).then(|| said.join(", "))
    }
}

/// How many random labels are needed to reach a strategy's kappa, in one sentence.
fn needs(needs: &RandomNeeds, name: &str) -> String {
    let (labels, lo, hi, own, tried, n) = match needs {
        RandomNeeds::Known { labels, lo, hi, own, tried, n, .. } => (*labels, *lo, *hi, *own, *tried, n),
        RandomNeeds::Undefined { undefined } => {
            return format!("Random labels needed to reach {name}: {undefined}.");
        }
    };
    let times = |labels: f64| labels / own.max(1) as f64;
    match (labels, lo, hi) {
        (Some(labels), Some(lo), hi) => {
            let (most, most_times) = hi.map_or_else(
                || (format!("more than {tried}"), format!("more than {:.1}", times(tried as f64))),
                |hi| (format!("{hi:.0}"), format!("{:.1}", times(hi))),
            );
            format!(
                "To reach {name} with {own} labels, {labels:.0} random labels are needed ({lo:.0} to {most}, n = {n}):\n  {:.1} times as many ({:.1} to {most_times}).",
                times(labels),
                times(lo),
            )
        }
        (_, lo, _) => {
            let least = lo.map_or(String::new(), |lo| format!("; by the interval, {lo:.0} may be enough"));
            format!(
                "To reach {name} with {own} labels, not even all {tried} labels of the pool are enough (n = {n}{least})."
            )
        }
    }
}

/// Kappa after the last round, its paired difference from `random`, and the mean along the curve.
fn write_kappa(f: &mut Formatter<'_>, run: &Run, width: usize) -> fmt::Result {
    let last = run.curves.kappa.mean.len().saturating_sub(1);
    let at = |ends: &[Option<f64>]| ends.get(last).copied().flatten();
    let kappa = match (run.curves.kappa.last(), at(&run.curves.kappa.lo), at(&run.curves.kappa.hi)) {
        (Some(mean), Some(lo), Some(hi)) => format!("{mean:.3} ({lo:.3} to {hi:.3})"),
        (mean, ..) => number(mean),
    };
    let random = match run.against_random {
        Some(difference) if run.strategy != "random" => signed(difference.kappa),
        _ => String::new(),
    };
    let (name, area, seconds) = (&run.strategy, number(run.auc), run.seconds_per_round);
    writeln!(f, "{name:width$}  {kappa:22}  {random:25}  {area:5}  {seconds:7.2}")
}

/// Other figures after the last round, and how much of the rarest label was found.
fn write_others(f: &mut Formatter<'_>, run: &Run, width: usize) -> fmt::Result {
    let ten = run.until_ten_positives.map_or("–".to_owned(), |s| format!("{:.0}", s.mean));
    writeln!(
        f,
        "{:width$}  {:5}  {:5}  {:5}  {:>7.1} %  {:>7.0} %  {ten:>9}",
        run.strategy,
        number(run.curves.absolute_error.last().or(run.curves.macro_f1.last()).or(run.curves.ac1.last())),
        number(run.curves.f1.last()),
        number(run.curves.average_precision.last()),
        100.0 * run.positive_share,
        100.0 * run.positives_found,
    )
}

/// A mean of counts, with one decimal if the seeds differ.
fn mean(count: f64) -> String {
    if count.fract() == 0.0 { format!("{count:.0}") } else { format!("{count:.1}") }
}

fn number(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.3}"))
}

fn interval(spread: Option<Spread>) -> String {
    match spread {
        Some(Spread { mean, lo, hi, .. }) if lo.is_finite() => format!("{mean:.3} ({lo:.3} to {hi:.3})"),
        other => number(other.map(|s| s.mean)),
    }
}

fn signed(spread: Option<Spread>) -> String {
    match spread {
        Some(Spread { mean, lo, hi, .. }) if lo.is_finite() => {
            format!("{mean:+.3} ({lo:+.3} to {hi:+.3})")
        }
        other => other.map_or("–".to_owned(), |s| format!("{:+.3}", s.mean)),
    }
}
