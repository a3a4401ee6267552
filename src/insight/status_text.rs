//! The status as text, for the verb `status`. The Progress screen draws the same figures itself.

use super::ceiling::Ceiling;
use super::next_round::NextRound;
use super::status::{Balance, Status};
use crate::domain::figure::Figure;
use crate::domain::grouped::counted;
use crate::domain::repeat::ONE_IN;

impl Status {
    /// What the model is compared with.
    pub fn ceiling(&self) -> Option<Ceiling<'_>> {
        Ceiling::of(&self.kappa.expert_expert, &self.kappa.self_agreement)
    }

    /// Whether more than one round is open, or an open round needs more than one annotator.
    pub fn needs_several_annotators(&self) -> bool {
        self.open_rounds.len() > 1
            || self.open_rounds.iter().any(|round| round.more > 0 || round.by.len() > 1)
    }

    /// Each label by itself, where a text may have several.
    fn each_label(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(several) = &self.kappa.several else { return Ok(()) };
        if several.model_expert.iter().all(|kappa| kappa.value().is_none()) {
            return Ok(());
        }
        writeln!(f, "  micro F1            {}", several.micro_f1)?;
        writeln!(f, "  macro F1            {}", several.macro_f1)?;
        let of_labels = several.model_expert.iter().zip(&several.expert_expert);
        for (name, (model, experts)) in self.label_names.iter().zip(of_labels) {
            write!(f, "    {name}: kappa {model}")?;
            match experts {
                Figure::Known { .. } => writeln!(f, "; of the experts {experts}")?,
                Figure::Undefined { .. } => writeln!(f)?,
            }
        }
        Ok(())
    }

    fn self_agreement(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self.kappa.self_agreement {
            Figure::Known { n, .. } => {
                let ceiling = if let Some(Ceiling::Own(_)) = self.ceiling() { " (ceiling)" } else { "" };
                format!("experts with themselves, {n} repeated cases{ceiling}")
            }
            Figure::Undefined { .. } => "experts, themselves".to_owned(),
        };
        writeln!(f, "  {name} {}", self.kappa.self_agreement)?;
        match self.shown_again {
            0 => Ok(()),
            n => writeln!(
                f,
                "    ({n} {} so far. One case in {ONE_IN} comes back blind, to measure how consistent answers are; these answers train nothing.)",
                if n == 1 { "answer to a repeated case" } else { "answers to repeated cases" }
            ),
        }
    }

    /// The targets, a line each, and the budget.
    fn finish_line(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.targets.is_empty() && self.budget.is_none() {
            return Ok(());
        }
        writeln!(f, "\nFinish line (lower ends of 95 % intervals decide)")?;
        for target in &self.targets {
            writeln!(f, "  {}", target.rule)?;
            if let Some(says) = target.what_is_missing() {
                writeln!(f, "    {says}")?;
            }
        }
        self.budget.map_or(Ok(()), |budget| writeln!(f, "  {budget}"))
    }

    /// The slices in which model and experts certainly agree less, a line each.
    fn weak_slices(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(weak) = &self.weak_slices else { return Ok(()) };
        for slice in weak.slices.iter().filter(|slice| slice.below_all) {
            let (name, agree) = (slice.name(), &slice.agreement);
            writeln!(
                f,
                "  less on {name}: model and experts agree on {agree}; on all hard cases {}",
                weak.all
            )?;
        }
        Ok(())
    }

    /// How many answers may be wrong, and how to review them.
    fn label_issues(&self) -> Option<String> {
        let issues = match self.label_issues_by_expert.values().sum::<usize>() {
            0 => return None,
            1 => "1 answer may be wrong".to_owned(),
            n => format!("{n} answers may be wrong"),
        };
        let whose: Vec<String> =
            self.label_issues_by_expert.iter().map(|(name, n)| format!("{n} of {name}")).collect();
        Some(format!(
            "{issues} ({}). To review yours, search for `suspect` in the list of texts in the workstation.",
            whose.join(", ")
        ))
    }
}

/// Of more labels only those that somebody has given are listed.
const FEW: usize = 12;

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.question)?;
        writeln!(
            f,
            "  texts      {} (from {} rows), {} with a prelabel",
            self.items, self.rows, self.scored
        )?;
        let is_listed = |b: &Balance| self.balance.len() <= FEW || b.labels > 0;
        let listed = self.balance.iter().filter(|(_, b)| is_listed(b));
        let mut balance: Vec<String> =
            listed.map(|(name, b)| format!("{} {name} ({} training)", b.labels, b.training)).collect();
        let rest = self.balance.len() - balance.len();
        if rest > 0 {
            balance.push(format!("none of {}", counted(rest, "other label", "other labels")));
        }
        writeln!(f, "  labels     {}: {}", self.labels, balance.join(", "))?;
        for imported in &self.imported_labels {
            writeln!(f, "             {imported}")?;
        }
        if let Some(r) = self.round_cases.filter(|_| !self.needs_several_annotators()) {
            writeln!(
                f,
                "  round      {}: {} of {} cases labelled, {} skipped",
                self.round, r.labelled, r.cases, r.skipped
            )?;
        }
        for round in self.open_rounds.iter().filter(|_| self.needs_several_annotators()) {
            writeln!(f, "  round      {}: {round}", round.round)?;
        }
        if self.untied_labels > 0 {
            writeln!(
                f,
                "             {} of the labels came from a login not tied to their name (`hardcase expert FILE list`)",
                self.untied_labels
            )?;
        }
        let kind = self.kappa.kind;
        writeln!(f, "\nHard cases (evaluation), {} with 95 % interval", kind.cohens_kappa())?;
        writeln!(f, "  model and experts   {}", self.kappa.model_expert)?;
        if let Some(error) = &self.kappa.model_error {
            writeln!(f, "  mean absolute error {error}")?;
        }
        if let Figure::Known { .. } = self.kappa.ac1 {
            writeln!(f, "  the same, as AC1    {}", self.kappa.ac1)?;
        }
        let known = self.kappa.expert_expert.value().is_some();
        let only = known && !matches!(self.ceiling(), Some(Ceiling::Experts(_)));
        let experts = if only { "experts          " } else { "experts (ceiling)" };
        writeln!(f, "  {experts}   {}", self.kappa.expert_expert)?;
        if let Figure::Known { .. } = self.kappa.expert_expert {
            writeln!(f, "  model, same cases   {}", self.kappa.model_on_shared)?;
        }
        if let Some(error @ Figure::Known { .. }) = &self.kappa.experts_error {
            writeln!(f, "  experts' error      {error}")?;
        }
        if let Figure::Known { .. } = self.experts_agree.alpha {
            writeln!(f, "  {:<19} {}", format!("experts, {}", kind.alpha()), self.experts_agree.alpha)?;
            if kind.is_one() {
                writeln!(f, "  experts, AC1        {}", self.experts_agree.ac1)?;
            }
        }
        self.each_label(f)?;
        match self.disagreements.undecided {
            0 => {}
            1 => writeln!(f, "  1 disagreement is undecided: `hardcase adjudicate FILE --list`")?,
            n => writeln!(f, "  {n} disagreements are undecided: `hardcase adjudicate FILE --list`")?,
        }
        self.self_agreement(f)?;
        for says in [&self.no_ceiling, &self.unclear].into_iter().flatten() {
            writeln!(f, "  {says}")?;
        }
        for point in &self.curve {
            let after = match (point.after_round, point.audit) {
                (Some(round), _) => format!("after round {round}"),
                (None, 0) => "before labelling".to_owned(),
                (None, n) => format!("{n} audit answers"),
            };
            writeln!(f, "    {after:<17} {:<9} {:>4} labels   {}", point.kind, point.training, point.kappa)?;
        }
        writeln!(f, "  {}", self.gain.says)?;
        if let Some(outlook) = self.next_round.as_ref().and_then(NextRound::by_curve) {
            writeln!(f, "  {outlook}")?;
        }
        self.weak_slices(f)?;
        writeln!(f, "\nWhole pool (audit), {}", counted(self.audit.n, "case", "cases"))?;
        match &self.audit.absolute_error {
            None => writeln!(f, "  kappa      {}", self.audit.kappa)?,
            Some(error) => {
                writeln!(f, "  {}      {}", kind.kappa(), self.audit.kappa)?;
                writeln!(f, "  mean absolute error {error}")?;
            }
        }
        if let Figure::Known { .. } = self.audit.ac1 {
            writeln!(f, "  AC1        {}", self.audit.ac1)?;
        }
        if let Figure::Known { .. } = self.calibration_error {
            writeln!(f, "  its probabilities are off by {} on average", self.calibration_error)?;
        }
        for line in self.shares_in_words.iter().chain(&self.audit_in_words) {
            writeln!(f, "  {line}")?;
        }
        self.finish_line(f)?;
        let skipped: usize = self.skipped.values().sum();
        if skipped > 0 {
            let says = counted(skipped, "case was skipped and is", "cases were skipped and are");
            writeln!(f, "\n{says} not counted above.")?;
        }
        if let Some(judge) = &self.judge {
            writeln!(f, "\n{judge}")?;
        }
        if let Some(says) = self.label_issues() {
            writeln!(f, "\n{says}")?;
        }
        if let Some(job) = &self.last_job {
            writeln!(f, "\nLast job: {job}")?;
        }
        write!(f, "Next: {}", self.advice)
    }
}
