//! Reports of `hardcase simulate --json` as tables of Markdown.

use serde_json::Value;

/// Every strategy on every set: kappa at the last labels, and less random seed by seed.
pub fn strategies(reports: &[(String, Value)]) -> String {
    let mut text = String::new();
    for (name, report) in reports {
        let runs = list(&report["runs"]);
        let labels = runs.first().and_then(|run| list(&run["labels"]).last().cloned()).unwrap_or_default();
        text += &format!(
            "**{name}**: pool {}, test {}, {} seeds; all labels of the pool: {}\n\n",
            report["dataset"]["pool"],
            report["dataset"]["test"],
            runs.iter().find_map(|run| run["against_random"]["auc"]["n"].as_u64()).unwrap_or(0),
            number(&report["full_pool"]["kappa"]),
        );
        text += &format!(
            "| strategy | kappa at {labels} | less random | area | F1 | AP | of {} | random needs | s/round |\n|---|---|---|---|---|---|---|---|---|\n",
            report["dataset"]["positive"].as_str().unwrap_or("the rarest label"),
        );
        let mut runs: Vec<&Value> = runs.iter().collect();
        let last = |run: &Value| list(&run["kappa"]["mean"]).last().and_then(Value::as_f64).unwrap_or(0.0);
        runs.sort_by(|a, b| last(b).total_cmp(&last(a)));
        for run in runs {
            let strategy = run["strategy"].as_str().unwrap_or_default();
            let of_random = if strategy == "random" {
                "".to_owned()
            } else {
                interval(&run["against_random"]["kappa"], true)
            };
            text += &format!(
                "| {strategy} | {} | {of_random} | {} | {} | {} | {:.0} % | {} | {:.2} |\n",
                ends(&run["kappa"]),
                number(&run["auc"]),
                number(list(&run["f1"]["mean"]).last().unwrap_or(&Value::Null)),
                number(list(&run["average_precision"]["mean"]).last().unwrap_or(&Value::Null)),
                100.0 * run["positive_share"].as_f64().unwrap_or(0.0),
                if strategy == "random" { String::new() } else { needs(&run["random_needs"]) },
                run["seconds_per_round"].as_f64().unwrap_or(0.0),
            );
        }
        text.push('\n');
    }
    text.trim_end().to_owned() + "\n"
}

/// A few clean labels against all of a crowd's.
pub fn crowd(reports: &[(String, Value)]) -> String {
    let mut text = "| set | curated labels | kappa | crowd labels | kappa | gold labels of the pool |\n|---|---|---|---|---|---|\n".to_owned();
    for (name, report) in reports {
        for run in list(&report["runs"]).iter().filter(|run| run["strategy"] != "random") {
            text += &format!(
                "| {name} | {} | {} | {} | {} | {} |\n",
                list(&run["labels"]).last().unwrap_or(&Value::Null),
                ends(&run["kappa"]),
                report["crowd"]["labels"],
                interval(&report["crowd"]["interval"], false),
                interval(&report["full_pool"]["interval"], false),
            );
        }
    }
    text
}

/// The adapter beside the head on the last labels of each strategy.
pub fn adapters(reports: &[(String, Value)]) -> String {
    let mut text =
        "| set | strategy | seeds | head | LoRA | difference |\n|---|---|---|---|---|---|\n".to_owned();
    for (name, report) in reports {
        for run in list(&report["runs"]) {
            text += &format!(
                "| {name} | {} | {} | {} | {} | {} |\n",
                run["strategy"].as_str().unwrap_or_default(),
                run["lora"]["kappa"]["n"],
                ends(&run["kappa"]),
                interval(&run["lora"]["kappa"], false),
                interval(&run["lora"]["gain"], true),
            );
        }
    }
    text
}

/// Labels until ten positives are in hand.
pub fn cold(reports: &[(String, Value)]) -> String {
    let mut text = String::new();
    for (at, (name, report)) in reports.iter().enumerate() {
        let runs = list(&report["runs"]);
        if at == 0 {
            let names: Vec<&str> = runs.iter().filter_map(|run| run["strategy"].as_str()).collect();
            text += &format!("| pool | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
        }
        let cells: Vec<String> = runs
            .iter()
            .map(|run| match run["until_ten_positives"]["mean"].as_f64() {
                Some(mean) => format!("{mean:.0}"),
                None => "not in all seeds".to_owned(),
            })
            .collect();
        text += &format!("| {name} | {} |\n", cells.join(" | "));
    }
    text
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn number(value: &Value) -> String {
    value.as_f64().map_or("–".to_owned(), |v| format!("{v:.3}"))
}

/// The last mean of a curve with its interval.
fn ends(curve: &Value) -> String {
    let last = |name: &str| list(&curve[name]).last().and_then(Value::as_f64);
    match (last("mean"), last("lo"), last("hi")) {
        (Some(mean), Some(lo), Some(hi)) => format!("{mean:.3} ({lo:.3} to {hi:.3})"),
        (mean, ..) => mean.map_or("–".to_owned(), |mean| format!("{mean:.3}")),
    }
}

fn interval(spread: &Value, signed: bool) -> String {
    match (spread["mean"].as_f64(), spread["lo"].as_f64(), spread["hi"].as_f64()) {
        (Some(mean), Some(lo), Some(hi)) if signed => format!("{mean:+.3} ({lo:+.3} to {hi:+.3})"),
        (Some(mean), Some(lo), Some(hi)) => format!("{mean:.3} ({lo:.3} to {hi:.3})"),
        _ => "–".to_owned(),
    }
}

fn needs(needs: &Value) -> String {
    match (needs["labels"].as_f64(), needs["ratio"].as_f64()) {
        (Some(labels), Some(ratio)) => format!("{labels:.0} ({ratio:.1} ×)"),
        _ if needs["undefined"].is_string() => "–".to_owned(),
        _ => format!("more than {}", needs["tried"]),
    }
}
