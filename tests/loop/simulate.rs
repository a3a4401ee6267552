//! Simulations with the embedded model on the demo's advertisements, whose labels are known.

use std::path::PathBuf;

use serde_json::Value;

use super::project::{Project, Ran, TASK, ads, program, run};

/// A folder with labelled data, its task, and a cache of its own.
struct Laboratory {
    place: Project,
    data: PathBuf,
    task: PathBuf,
}

impl Laboratory {
    fn new() -> Self {
        let place = Project::none();
        let data = place.write("ads.csv", ads(300));
        let task = place.write("task.toml", TASK);
        Self { place, data, task }
    }

    fn simulate(&self, more: &[&str]) -> Ran {
        let mut command = program();
        command.env("XDG_CACHE_HOME", self.place.path("cache")).arg("simulate").arg(&self.data);
        command.args(["--text", "text", "--gold", "gold"]).args(more);
        if !more.contains(&"--test") {
            command.args(["--test", "100"]);
        }
        run(command)
    }

    fn with_task(&self, more: &[&str]) -> Ran {
        let task = self.task.to_string_lossy();
        let mut all = vec!["--task", &task, "--seeds", "2", "--rounds", "2", "--budget", "15"];
        all.extend(more);
        self.simulate(&all)
    }

    fn report(&self, more: &[&str]) -> Value {
        let mut all = vec!["--json"];
        all.extend(more);
        self.with_task(&all).json()
    }

    /// Finished runs that are kept on disk.
    fn ledger(&self) -> PathBuf {
        let simulations = self.place.path("cache").join("hardcase/simulate");
        let only = std::fs::read_dir(simulations).unwrap().next().unwrap().unwrap();
        only.path().join("runs.jsonl")
    }
}

/// A report without what the clock says.
fn without_times(report: &Value) -> Value {
    match report {
        Value::Array(all) => all.iter().map(without_times).collect(),
        Value::Object(all) => {
            let kept = all.iter().filter(|(name, _)| *name != "seconds_per_round");
            kept.map(|(name, value)| (name.clone(), without_times(value))).collect()
        }
        other => other.clone(),
    }
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn strategies_are_played_on_the_same_seeds_and_what_is_finished_is_not_computed_again() {
    let lab = Laboratory::new();
    let arguments = ["--strategy", "boundary,random", "--seed-labels", "4"];
    let report = lab.report(&arguments);
    assert_eq!(report["dataset"]["items"], 300);
    assert_eq!((&report["dataset"]["pool"], &report["dataset"]["test"]), (&200.into(), &100.into()));
    assert_eq!(report["seeded_by_gold"], true);
    assert_eq!((&report["adapter"], &report["crowd"]), (&"head".into(), &Value::Null));
    assert_eq!(report["full_pool"]["labels"], 200);
    let full = report["full_pool"]["kappa"].as_f64().unwrap();
    assert!(full > 0.5, "advertisements can be told apart: {full}");
    let runs = report["runs"].as_array().unwrap();
    assert_eq!(
        runs.iter().map(|r| r["strategy"].as_str().unwrap()).collect::<Vec<_>>(),
        ["boundary", "random"]
    );
    for run in runs {
        assert_eq!(run["labels"], serde_json::json!([4, 19, 34]));
        let (mean, lo, hi) =
            (numbers(&run["kappa"]["mean"]), numbers(&run["kappa"]["lo"]), numbers(&run["kappa"]["hi"]));
        assert!(
            mean.iter().zip(&lo).all(|(mean, lo)| lo <= mean) && mean.iter().zip(&hi).all(|(m, h)| m <= h)
        );
        assert!((0.0..=1.0).contains(&run["positive_share"].as_f64().unwrap()));
        assert!(run["seconds_per_round"].as_f64().unwrap() > 0.0);
        let reached = mean.iter().position(|kappa| *kappa >= full).map(|at| [4, 19, 34][at]);
        assert_eq!(run["labels_to_full_pool"], serde_json::json!(reached));
    }
    // The same start on each seed: before the first round both have the same labels.
    assert_eq!(runs[0]["kappa"]["mean"][0], runs[1]["kappa"]["mean"][0]);
    let difference = runs[0]["against_random"]["kappa"]["mean"].as_f64().unwrap();
    let last = |run: &Value| *numbers(&run["kappa"]["mean"]).last().unwrap();
    assert!((difference - (last(&runs[0]) - last(&runs[1]))).abs() < 1e-9);

    let kept = std::fs::read_to_string(lab.ledger()).unwrap();
    assert_eq!(kept.lines().count(), 2 * 3, "two seeds of two strategies and the reference");
    // Half of it is lost; what is computed again is what it was.
    let half: String = kept.lines().take(3).map(|line| format!("{line}\n")).collect();
    std::fs::write(lab.ledger(), half + "{\"key\":\"play bou").unwrap();
    assert_eq!(without_times(&report), without_times(&lab.report(&arguments)));
    assert_eq!(std::fs::read_to_string(lab.ledger()).unwrap().lines().count(), 3 + 1 + 3);

    let csv =
        lab.with_task(&["--strategy", "boundary,random", "--seed-labels", "4", "--format", "csv"]).done().out;
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("strategy,labels,kappa,kappa_lo,kappa_hi,ac1"));
    assert!(lines[1].starts_with("boundary,4,") && lines[4].starts_with("random,4,"));
    let table = lab.with_task(&["--strategy", "boundary,random", "--seed-labels", "4"]).done().out;
    for part in ["300 texts", "kappa at 34", "boundary", "all 200 labels of the pool: kappa", "34 labels\n"] {
        assert!(table.contains(part), "no {part:?} in:\n{table}");
    }
}

#[test]
fn an_imperfect_expert_has_a_ceiling_and_a_crowd_is_judged_by_the_gold() {
    let lab = Laboratory::new();
    let report = lab.report(&["--strategy", "random", "--noise", "0.2"]);
    assert_eq!((&report["expert"], &report["seeded_by_gold"]), (&"noise".into(), &false.into()));
    let ceiling = report["expert_expert"]["mean"].as_f64().unwrap();
    // Two who err independently in a fifth of the answers agree on .68; by chance they would on about a half.
    assert!((0.1..0.6).contains(&ceiling), "{ceiling}");
    let crowd = report["crowd"]["kappa"].as_f64().unwrap();
    assert!(crowd < report["full_pool"]["kappa"].as_f64().unwrap(), "{report}");
    assert_eq!(report["runs"][0]["labels"], serde_json::json!([0, 15, 30]));

    let csv = lab.with_task(&["--strategy", "random", "--noise", "0.2", "--format", "csv"]).done().out;
    let row = |name: &str| {
        let line = csv.lines().find(|line| line.starts_with(&format!("{name},"))).unwrap_or_default();
        line.split(',').map(str::to_owned).collect::<Vec<_>>()
    };
    let columns = csv.lines().next().unwrap().split(',').count();
    for (name, labels, kappa) in [
        ("full pool", "200", &report["full_pool"]["kappa"]),
        ("crowd", "200", &report["crowd"]["kappa"]),
        ("two experts", "", &report["expert_expert"]["mean"]),
    ] {
        let cells = row(name);
        assert_eq!((cells.len(), cells[1].as_str()), (columns, labels), "{csv}");
        let [mean, lo, hi] = [2, 3, 4].map(|i| cells[i].parse::<f64>().unwrap());
        assert!((mean - kappa.as_f64().unwrap()).abs() < 1e-6, "{csv}");
        assert!(-1.0 <= lo && lo <= mean && mean <= hi && hi <= 1.0, "{csv}");
    }

    let by_gold = lab.report(&["--strategy", "random", "--noise", "0.2", "--expert", "gold"]);
    assert_eq!((&by_gold["expert"], &by_gold["expert_expert"]), (&"gold".into(), &Value::Null));
    assert_eq!(by_gold["crowd"], report["crowd"], "the crowd is the same");
    let as_crowd = lab.report(&["--strategy", "random", "--crowd", "gold"]);
    assert_eq!(as_crowd["crowd"]["kappa"], as_crowd["full_pool"]["kappa"], "a crowd that is always right");
}

#[test]
fn a_thinned_pool_is_reported_with_the_other_settings_of_the_simulation() {
    let lab = Laboratory::new();
    let terms = ["--strategy", "random", "--prevalence", "0.1", "--seed-labels", "500", "--noise", "0.1"];
    let report = lab.report(&terms);
    let facts = &report["dataset"];
    for part in ["pool", "test"] {
        let positive = facts[format!("positive_in_{part}")].as_f64().unwrap();
        let share = positive / facts[part].as_f64().unwrap();
        assert!((share - 0.1).abs() < 0.01, "{part}: {share}");
    }
    assert_eq!((&report["terms"]["prevalence"], &report["terms"]["votes"]), (&0.1.into(), &false.into()));
    assert!(
        report["runs"][0]["random_needs"]["undefined"].as_str().unwrap().contains("2 of the 3 seeds needed")
    );
    let said = lab.with_task(&terms).done().out;
    for part in [
        "Options: --seed-labels 500, --noise 0.1, --prevalence 0.1",
        "--seed-labels asks for 500 labels, but the pool has only ",
    ] {
        assert!(said.contains(part), "no {part:?} in:\n{said}");
    }
    let many = lab.with_task(&["--strategy", "random", "--seed-labels", "190"]).done().out;
    assert!(many.contains("The rounds ask for 220 labels, but the pool has only "), "{many}");
    assert!(
        said.lines().skip_while(|line| *line != "kappa").all(|line| line.chars().count() <= 80),
        "{said}"
    );
}

#[test]
fn what_cannot_be_simulated_is_refused_in_one_sentence() {
    let lab = Laboratory::new();
    lab.with_task(&["--strategy", "guess"]).refused(2, &["simulate 'guess'", "The strategies are"]);
    lab.with_task(&["--noise", "1.5"]).refused(2, &["--noise"]);
    for nothing in [["--pool", "0"], ["--test", "0"]] {
        lab.with_task(&nothing).refused(2, &["--pool and --test must be at least 1"]);
    }
    lab.with_task(&["--prevalence", "0.0001"]).refused(2, &["none with the label '", "Give a larger share"]);
    lab.with_task(&["--votes", "clickbait"]).refused(2, &["LABEL=COLUMN"]);
    lab.with_task(&["--votes", "clickbait=id"]).refused(2, &["votes for 'fine'"]);
    lab.with_task(&["--crowd", "nowhere"]).refused(2, &["nowhere"]);
    let few = lab.place.write("few.csv", ads(12));
    for (more, parts) in [
        (vec!["--gold", "gold"], vec!["12 texts", "20"]),
        (vec!["--gold", "id"], vec!["12 texts", "20"]),
        (vec![], vec!["--gold COLUMN"]),
    ] {
        let mut command = program();
        command.env("XDG_CACHE_HOME", lab.place.path("cache")).arg("simulate").arg(&few);
        command.args(["--text", "text"]).args(more);
        run(command).refused(2, &parts);
    }
}

#[test]
fn a_language_model_is_played_with_and_every_model_has_its_line() {
    let Some(model) = super::judge::model("tinystories-656k-q8_0.gguf") else { return };
    let place = Project::none();
    let data = place.write("ads.csv", ads(120));
    let task = place.write("task.toml", TASK);
    let play = |more: &[&str]| {
        let mut command = program();
        command.arg("simulate").arg(&data).args(["--text", "text", "--gold", "gold", "--seeds", "1"]);
        command.args(["--rounds", "2", "--budget", "20", "--threads", "1", "--judge"]).arg(&model).args(more);
        run(command)
    };
    let without = play(&[]);
    assert!(without.code == Some(2) && without.err.contains("--task"), "{}", without.err);
    let task = task.to_str().unwrap();
    let other = play(&["--task", task, "--strategy", "random"]);
    assert!(other.code == Some(2) && other.err.contains("cannot be used with"), "{}", other.err);
    let report = play(&["--task", task, "--json"]).json();
    assert_eq!(
        (&report["texts"], &report["answers"], &report["seeds"]),
        (&120.into(), &40.into(), &1.into())
    );
    let rows = report["rows"].as_array().unwrap();
    let found = |when: &str, model: &str| {
        let row = rows.iter().find(|row| (row["when"] == when) && (row["model"] == model)).unwrap();
        row["kappa"]["mean"].as_f64()
    };
    assert!(found("no answers", "scout").is_some() && found("no answers", "judge").is_some(), "{report}");
    let together = found("all rounds", "all together").unwrap();
    assert!((-1.0..=1.0).contains(&together), "{report}");
    assert!(found("the best prompt", "all together").is_some(), "{report}");
    let said = play(&["--task", task]).done().out;
    assert!(said.contains("no answers           scout "), "{said}");
}
