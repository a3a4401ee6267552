//! Scout and judge together. The judge's scores are entered through the library, as another machine's judging would leave them: what follows
//! needs no model, and runs in a label-only build too.

use hardcase::domain::adapter::{AdapterKind, AdapterSettings, HeadFit};
use hardcase::domain::encoder_reading::EncoderReading;
use hardcase::domain::ids::{AdapterId, ItemId, PredictorId};
use hardcase::domain::predictor::{
    JudgeMethod, JudgeSettings, Method, Predictor, PromptLayout, PromptSettings, Scout,
};
use hardcase::domain::settings::Stored;
use hardcase::store::pool::adapters::NewAdapter;
use hardcase::store::pool::predictors::Model;
use hardcase::store::{Access, Store};
use serde_json::Value;

use super::project::{Project, run};

/// What a judge has to say of an item whose gold label is `clickbait` or not.
pub type Opinion = fn(usize, bool) -> f32;

/// Enters a judge that has read every item but the last ten.
pub fn enter_judge(project: &Project, opinion: Opinion) -> PredictorId {
    let gold = project.gold();
    let mut store = Store::open(&project.file(), Access::Job).unwrap();
    let model = Model {
        sha256: vec![7],
        name: "some-judge".into(),
        path: "/nowhere/some-judge.gguf".into(),
        architecture: "llama".into(),
        quantisation: "Q8_0".into(),
        dimensions: 8,
        bytes: 1,
        reading: EncoderReading::default(),
    };
    let task = store.task().unwrap();
    let labels = task.task.label_ids();
    let clickbait = labels.iter().position(|id| id == "clickbait").unwrap();
    let prompt = PromptSettings {
        layout: PromptLayout::Plain,
        question: String::new(),
        guideline: String::new(),
        labels: Vec::new(),
        examples: Vec::new(),
        nearest: 0,
    };
    let settings = JudgeSettings {
        prompt,
        examples: Vec::new(),
        cut: String::new(),
        tried: Vec::new(),
        calibration: None,
        worth: None,
    };
    let judge = Predictor {
        id: PredictorId(0),
        method: Method::Judge(JudgeMethod {
            adapter: None,
            prompt: vec![1],
            settings: Stored::Known(settings),
        }),
        model: store.enter_model(&model).unwrap(),
        revision: task.id,
        labels,
        created_ms: 0,
    };
    let judge = store.add_predictor(&judge).unwrap();
    let mut items: Vec<i64> = gold.keys().copied().collect();
    items.sort_unstable();
    items.truncate(items.len() - 10);
    let mut values = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let p = opinion(i, gold[item] == "clickbait");
        let mut row = [1.0 - p; 2];
        row[clickbait] = p;
        values.extend(row);
    }
    let items: Vec<ItemId> = items.into_iter().map(ItemId).collect();
    store.put_predictions(judge, &items, &values, 2).unwrap();
    judge
}

pub fn answer_round(project: &Project, budget: &str) {
    let gold = project.gold();
    project.run("mine", &["--budget", budget]).done();
    project.answer_all(|item| gold[&item].clone());
}

fn correct(project: &Project, by: &str) -> (usize, usize) {
    let lines = project.run("export", &["--what", "predictions", "--by", by]).json_lines();
    let said: Vec<&Value> = lines.iter().filter(|line| !line["prelabel"].is_null()).collect();
    (said.iter().filter(|line| line["prelabel"] == line["gold"]).count(), said.len())
}

#[test]
fn a_good_judge_is_combined_with_the_scout_until_it_no_longer_helps() {
    let project = Project::scouted_elsewhere(200);
    answer_round(&project, "60");
    // Right 19 times in 20, and always too fond of clickbait.
    enter_judge(&project, |i, clickbait| match (i % 20 == 0, clickbait) {
        (false, true) => 0.99,
        (false, false) => 0.6,
        (true, true) => 0.6,
        (true, false) => 0.99,
    });
    project.run("tune", &[]).done();
    let status = project.json("status", &[]);
    assert_eq!(status["prelabels"], "combined", "{status}");
    assert_eq!(status["judge"]["worth"]["helps"], true, "{status}");
    assert_eq!(status["scored"], 200, "a text that the judge has not read has the scout's prelabel");
    let ((both, of), (head, _)) = (correct(&project, "active"), correct(&project, "head"));
    assert!(of == 200 && both > head, "{both} against {head} of {of}");
    // Calibrated, its fondness is gone.
    let (right, read) = correct(&project, "judge");
    assert!(read == 190 && right >= 160, "{right} of {read}");
    let text = project.run("status", &[]).done().out;
    assert!(text.contains("The judge some-judge has scored 190 texts. It helps: log-loss is"), "{text}");

    // Rounds go on upon it, and so does the next tuning.
    answer_round(&project, "30");
    project.run("tune", &[]).done();
    assert_eq!(project.json("status", &[])["prelabels"], "combined");
    assert_eq!(project.json("status", &[])["scored"], 200);
    assert_eq!(correct(&project, "judge").1, 190, "tidying up keeps what the judge said");
    // Nothing new: it stays as it is.
    assert_eq!(project.json("tune", &[])["verdict"], "nothing-new");
    assert_eq!(project.json("status", &[])["prelabels"], "combined");

    // A newer judge that guesses is not listened to, and the one that helps is still.
    enter_judge(&project, |i, _| if (i * 7919) % 100 < 50 { 0.9 } else { 0.1 });
    answer_round(&project, "20");
    project.run("tune", &[]).done();
    let status = project.json("status", &[]);
    assert_eq!(
        (&status["prelabels"], &status["judge"]["worth"]["helps"]),
        (&"combined".into(), &false.into()),
        "{status}"
    );
    assert!(correct(&project, "active") > correct(&project, "head"));
}

#[test]
fn what_a_judge_makes_of_texts_inside_is_learned_from_counted_and_pruned() {
    let project = Project::scouted_elsewhere(200);
    answer_round(&project, "60");
    // It guesses, but one of its depths tells the labels apart, in two of eight small features; another is huge in all texts.
    let judge = enter_judge(&project, |i, _| if (i * 7919) % 100 < 50 { 0.9 } else { 0.1 });
    let gold = project.gold();
    let mut items: Vec<i64> = gold.keys().copied().collect();
    items.sort_unstable();
    let mut states = Vec::new();
    for item in &items {
        let of = |feature: i64| ((item * 7919 + feature * 104_729) % 97) as f32 / 97.0;
        let mut row: Vec<f32> = (0..32).map(of).collect();
        row[0] += 900.0;
        row[if gold[item] == "clickbait" { 16 } else { 17 }] += 1.0;
        states.extend(row);
    }
    let items: Vec<ItemId> = items.into_iter().map(ItemId).collect();
    let mut store = Store::open(&project.file(), Access::Job).unwrap();
    store.put_hidden_states(judge, &items, &states, 32).unwrap();
    drop(store);
    project.run("tune", &[]).done();
    assert_eq!(project.json("status", &[])["prelabels"], "combined");
    let ((both, of), (head, _)) = (correct(&project, "active"), correct(&project, "head"));
    assert!(of == 200 && both > head && both > 180, "{both} against {head} of {of}");
    let (right, read) = correct(&project, "states");
    assert!(read == 200 && right > 180, "{right} of {read}");
    let said = project.run("doctor", &[]).done().out;
    assert!(said.contains("what judges make of 200 texts inside takes 12,800 bytes"), "{said}");

    // Of a judge that is no longer among the newest two they are dropped, and what was learned stays.
    assert_eq!(project.json("adapter", &["prune"])["hidden_states"], 0);
    for prompt in [2, 3] {
        let mut store = Store::open(&project.file(), Access::Job).unwrap();
        let newest = store.judges().unwrap().remove(0);
        let Method::Judge(method) = newest.method.clone() else { unreachable!() };
        let method = Method::Judge(JudgeMethod { prompt: vec![prompt], ..method });
        store.add_predictor(&Predictor { method, ..newest }).unwrap();
    }
    assert_eq!(project.json("adapter", &["prune"])["hidden_states"], 200);
    assert_eq!(correct(&project, "states"), (right, read));
    answer_round(&project, "10");
    project.run("tune", &[]).done();
    assert!(!project.run("doctor", &[]).done().out.contains("hidden states"));
}

#[test]
fn an_earlier_head_that_is_used_again_is_combined_with_the_judge_that_helps() {
    let project = Project::scouted_elsewhere(200);
    answer_round(&project, "60");
    enter_judge(&project, |i, clickbait| match (i % 10 == 0, clickbait) {
        (false, true) | (true, false) => 0.99,
        (false, false) | (true, true) => 0.01,
    });
    project.run("tune", &[]).done();
    answer_round(&project, "30");
    project.run("tune", &[]).done();
    let heads: Vec<i64> = {
        let all = project.json("adapter", &["list"]);
        all.as_array().unwrap().iter().map(|a| a["adapter"].as_i64().unwrap()).collect()
    };
    let [earlier, later] = heads[..] else { panic!("{heads:?}") };
    for adapter in [earlier, later] {
        project.run("adapter", &["use", &adapter.to_string()]).done();
        let status = project.json("status", &[]);
        assert_eq!((&status["prelabels"], &status["scored"]), (&"combined".into(), &200.into()), "{status}");
        let store = Store::open(&project.file(), Access::Read).unwrap();
        let active = store.active_predictor().unwrap().unwrap();
        assert_eq!(active.scout(), Some(Scout::Head(AdapterId(adapter))));
    }
    let ((both, of), (head, _)) = (correct(&project, "active"), correct(&project, "head"));
    assert!(of == 200 && both > head, "{both} against {head} of {of}");
}

#[test]
fn an_unreadable_model_is_named_once_with_what_to_do_and_stops_nothing() {
    let project = Project::scouted_elsewhere(100);
    answer_round(&project, "40");
    project.run("tune", &[]).done();
    let (head, elsewhere) = {
        let mut store = Store::open(&project.file(), Access::Job).unwrap();
        let active = store.active_predictor().unwrap().unwrap();
        let fit = HeadFit {
            c: 1.0,
            cv_log_loss: None,
            folds: 0,
            seed: 1,
            factor_of_others: None,
            label_issues: Vec::new(),
        };
        let head = store
            .add_adapter(&NewAdapter {
                kind: AdapterKind::Head,
                model: active.model,
                parent: None,
                round: None,
                revision: active.revision,
                labels: active.labels.clone(),
                settings: AdapterSettings::Head(fit),
                training_hash: [0; 32],
                training_n: 40,
                bytes: b"not a head".to_vec(),
            })
            .unwrap();
        let predictor = Predictor { method: Method::Head(head), ..active.clone() };
        store.add_predictor(&predictor).unwrap();
        // One whose bytes were never here, as in a part of the project, is not damage.
        let elsewhere = Predictor { method: Method::ZeroShot(Stored::LeftOut), ..active };
        (head, store.add_predictor(&elsewhere).unwrap())
    };
    let ran = run(project.command("mine", &["--budget", "10"])).done();
    let named = format!("the head (adapter {head}) cannot be read");
    assert_eq!(ran.err.matches(&named).count(), 1, "{}", ran.err);
    assert!(ran.err.contains("`hardcase tune FILE`"), "{}", ran.err);
    assert!(!ran.err.contains("zero-shot model"), "{elsewhere}: {}", ran.err);
    assert_eq!(project.json("status", &[])["prelabels"], "head");
}

/// Without a judge whose settings can be read the scout decides alone.
#[cfg(feature = "engine")]
#[test]
fn a_scout_that_decides_alone_again_has_prelabelled_every_text() {
    let Some(model) = super::judge::model("tinystories-656k-q8_0.gguf") else { return };
    let project = super::judge::labelled(1);
    enter_judge(&project, |i, clickbait| match (i % 10 == 0, clickbait) {
        (false, true) | (true, false) => 0.9,
        (false, false) | (true, true) => 0.1,
    });
    answer_round(&project, "30");
    project.run("tune", &[]).done();
    assert_eq!(project.json("status", &[])["prelabels"], "combined");
    {
        let mut store = Store::open(&project.file(), Access::Job).unwrap();
        let judge = store.judges().unwrap().remove(0);
        let Method::Judge(method) = judge.method.clone() else { unreachable!() };
        let method = Method::Judge(JudgeMethod { settings: Stored::LeftOut, ..method });
        store.set_settings(&Predictor { method, ..judge }).unwrap();
    }
    project.run("judge", &["--model", model.to_str().unwrap(), "--limit", "5", "--threads", "1"]).done();
    let status = project.json("status", &[]);
    assert_eq!((&status["prelabels"], &status["scored"]), (&"head".into(), &400.into()), "{status}");
    assert_eq!(correct(&project, "active"), correct(&project, "head"));
}
