//! Settings of every kind, with every field that can hold an id filled, through the map that merges, parts and logs use.

use super::*;
use crate::domain::adapter::*;
use crate::domain::progress::Epoch;
use crate::domain::settings::IdMap;

fn stack() -> Stack {
    Stack { weights: vec![1.0, 0.5], bias: vec![0.1, -0.1] }
}

fn zero_shot_calibration() -> ZeroShot {
    ZeroShot { temperature: 0.5, bias: vec![0.0, 0.25], shares: vec![0.75, 0.25], each: Vec::new() }
}

fn comparison() -> Comparison {
    Comparison { head: 0.5, lora: 0.25, difference: -0.25, error: 0.125, n: 60, worse: false }
}

fn zero_shot() -> ZeroShotSettings {
    let fold = |items: [i64; 2]| AuditFold {
        answers: items.map(|item| (ItemId(item), 1)).into(),
        calibration: zero_shot_calibration(),
    };
    ZeroShotSettings {
        anchors: vec![vec![0.5, 0.5]],
        mean: vec![0.25, 0.25],
        calibration: zero_shot_calibration(),
        shares_from: SharesFrom::Audit(FromAudit {
            n: 4,
            prior: vec![0.5, 0.5],
            strength: 2.0,
            held_out: vec![fold([1, 2]), fold([3, 99])],
        }),
    }
}

fn judge() -> JudgeSettings {
    let label = PromptLabelSettings {
        name: "spam".into(),
        description: "unwanted".into(),
        examples: vec!["win".into()],
    };
    JudgeSettings {
        prompt: PromptSettings {
            layout: PromptLayout::SystemTurn,
            question: "Spam?".into(),
            guideline: "Doubt is spam".into(),
            labels: vec![label],
            examples: vec![("free".into(), 0), ("see you".into(), 0), ("hello".into(), 0)],
            nearest: 0,
        },
        examples: vec![ItemId(4), ItemId(99), ItemId(5)],
        cut: "in the middle".into(),
        tried: vec![PromptTrial {
            layout: PromptLayout::Plain,
            examples: 3,
            nearest: 0,
            loss: 0.5,
            n: 40,
            labelled: true,
            of: 60,
        }],
        calibration: Some(stack()),
        worth: Some(Worth { scout: 0.5, both: 0.25, difference: -0.25, error: 0.125, n: 40, helps: true }),
    }
}

fn states() -> StatesSettings {
    StatesSettings { depth: 2, c: 3.0, cv_log_loss: 0.5, n: 60, fitted_on: "0f".into(), worth: judge().worth }
}

fn combined(readers: &[i64]) -> CombinedSettings {
    let readers: Vec<PredictorId> = readers.iter().copied().map(PredictorId).collect();
    CombinedSettings { stacks: vec![stack(); readers.len() + 1], readers }
}

fn head() -> HeadFit {
    let issue = |item| LabelIssue { item: ItemId(item), label: "spam".into() };
    HeadFit {
        c: 10.0,
        cv_log_loss: Some(0.5),
        folds: 5,
        seed: u64::MAX,
        factor_of_others: Some(0.1),
        label_issues: vec![issue(6), issue(99), issue(7)],
    }
}

fn hyperparameters() -> LoraHyperparameters {
    LoraHyperparameters {
        rank: 16,
        alpha: 16.0,
        learning_rate: 5e-4,
        epochs: 2,
        batch: 16,
        weight_decay: 0.01,
        seed: 7,
    }
}

fn epoch() -> Epoch {
    Epoch {
        on: "all labels".into(),
        epoch: 1,
        loss: 0.5,
        held_out_loss: Some(0.5),
        held_out_kappa: None,
        held_out_kappa_interval: None,
        held_out: 3,
        kind: crate::domain::task_kind::TaskKind::One,
    }
}

fn encoder_lora() -> EncoderLora {
    EncoderLora {
        training: hyperparameters(),
        comparison: comparison(),
        verified: ServingCheck { texts: 128, largest: 0.25, mean: 0.125, same_label: 1.0 },
        epochs_ended: vec![epoch()],
        held_out: vec![
            (ItemId(8), vec![0.25, 0.75]),
            (ItemId(99), vec![1.0, 0.0]),
            (ItemId(9), vec![0.5, 0.5]),
        ],
        distilled: Some(Distilled { texts: 7, hash: "ab".into() }),
    }
}

fn judge_lora() -> JudgeLora {
    JudgeLora {
        training: hyperparameters(),
        trained_for: 3,
        comparison: comparison(),
        verified: ServingCheck { texts: 32, largest: 0.25, mean: 0.125, same_label: 1.0 },
        epochs_ended: vec![epoch()],
    }
}

/// Items as `k3`, predictors as `p4`; item 99 and predictor 98 are not known there. Returns which were asked for, too.
fn mapped(
    map: impl FnOnce(&mut IdMap<'_, ItemId, String, PredictorId, String>) -> String,
) -> (String, Vec<i64>) {
    let mut items = Vec::new();
    let json = map(&mut IdMap {
        item: &mut |item: &ItemId| {
            items.push(item.0);
            (item.0 != 99).then(|| format!("k{item}"))
        },
        predictor: &mut |predictor: &PredictorId| (predictor.0 != 98).then(|| format!("p{predictor}")),
    });
    (json, items)
}

/// The ids in the other form, in the order of the text, and the text with the ids taken out.
fn ids_in(json: &str) -> Vec<String> {
    let found = json.split('"').filter(|word| {
        word.strip_prefix(['k', 'p']).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    });
    found.map(str::to_owned).collect()
}

#[test]
fn every_id_in_every_kind_of_settings_is_mapped_and_unknown_items_are_dropped() {
    let predictors: [(PredictorKind, String, &[i64], &[&str]); 6] = [
        (PredictorKind::ZeroShot, write(&zero_shot()), &[1, 2, 3, 99], &["k1", "k2", "k3"]),
        (PredictorKind::Head, Method::Head(AdapterId(1)).settings_json(), &[], &[]),
        (PredictorKind::Lora, Method::Lora(AdapterId(1)).settings_json(), &[], &[]),
        (PredictorKind::Judge, write(&judge()), &[4, 99, 5], &["k4", "k5"]),
        (PredictorKind::States, write(&states()), &[], &[]),
        (PredictorKind::Combined, write(&combined(&[3, 4])), &[], &["p3", "p4"]),
    ];
    assert_eq!(predictors.each_ref().map(|(kind, ..)| *kind), PredictorKind::ALL);
    for (kind, json, asked, want) in predictors {
        let (there, items) = mapped(|ids| kind.map_settings(&json, ids));
        assert_eq!(
            (items, ids_in(&there)),
            (asked.to_vec(), want.iter().map(|id| (*id).to_owned()).collect())
        );
        // Back in the numbers of a file nothing else has changed.
        let mut back = IdMap {
            item: &mut |key: &String| key[1..].parse().ok().map(ItemId),
            predictor: &mut |uuid: &String| uuid[1..].parse().ok().map(PredictorId),
        };
        let (again, _) = mapped(|ids| kind.map_settings(&kind.map_settings(&there, &mut back), ids));
        assert_eq!(again, there, "{kind}");
    }
    let adapters: [(AdapterKind, AdapterSettings, &[i64], &[&str]); 4] = [
        (AdapterKind::Head, AdapterSettings::Head(head()), &[6, 99, 7], &["k6", "k7"]),
        (
            AdapterKind::Lora,
            AdapterSettings::Lora(LoraTraining::Encoder(encoder_lora())),
            &[8, 99, 9],
            &["k8", "k9"],
        ),
        (AdapterKind::Lora, AdapterSettings::Lora(LoraTraining::Judge(judge_lora())), &[], &[]),
        (AdapterKind::Alora, AdapterSettings::Lora(LoraTraining::Judge(judge_lora())), &[], &[]),
    ];
    for (kind, settings, asked, want) in adapters {
        let json = settings.write();
        assert_eq!(AdapterSettings::read(kind, &json), Stored::Known(settings));
        let (there, items) = mapped(|ids| kind.map_settings(&json, ids));
        assert_eq!(
            (items, ids_in(&there)),
            (asked.to_vec(), want.iter().map(|id| (*id).to_owned()).collect())
        );
    }
}

#[test]
fn what_is_stored_is_read_back_as_it_was() {
    let adapter = Some((AdapterId(5), AdapterKind::Alora));
    let judge = JudgeMethod { adapter, prompt: vec![1, 2], settings: Stored::Known(judge()) };
    let methods = [
        (Method::ZeroShot(Stored::Known(zero_shot())), None),
        (Method::Head(AdapterId(1)), Some((AdapterId(1), AdapterKind::Head))),
        (Method::Lora(AdapterId(2)), Some((AdapterId(2), AdapterKind::Lora))),
        (Method::Judge(judge), adapter),
        (Method::States(StatesMethod { prompt: vec![1, 2], settings: Stored::Known(states()) }), None),
        (
            Method::Combined { scout: Scout::Lora(AdapterId(2)), settings: Stored::Known(combined(&[3])) },
            Some((AdapterId(2), AdapterKind::Lora)),
        ),
    ];
    for ((method, adapter), kind) in methods.into_iter().zip(PredictorKind::ALL) {
        let columns = MethodColumns {
            kind,
            adapter,
            prompt: method.prompt().map(<[u8]>::to_vec),
            settings: method.settings_json(),
        };
        assert_eq!(Method::read(columns), Some(method));
    }
    assert_eq!(PredictorKind::ALL.map(PredictorKind::as_str), PredictorKind::NAMES);
    assert_eq!(AdapterKind::ALL.map(AdapterKind::as_str), AdapterKind::NAMES);
    assert!(PredictorKind::NAMES.map(str::parse::<PredictorKind>).iter().all(Result::is_ok));
}

#[test]
fn a_combination_keeps_the_readers_that_are_known_elsewhere_up_to_the_first_that_is_not() {
    let there =
        |readers| mapped(|ids| PredictorKind::Combined.map_settings(&write(&combined(readers)), ids)).0;
    assert_eq!(there(&[98, 3]), LEFT_OUT);
    let Stored::Known(some) = Stored::<CombinedSettings<String>>::read(&there(&[3, 98, 4])) else {
        unreachable!()
    };
    assert_eq!((some.readers, some.stacks.len()), (vec!["p3".to_owned()], 2));
}

#[test]
fn settings_that_cannot_be_read_are_left_out_and_never_carried_with_foreign_numbers() {
    for json in ["no JSON", r#"{"version":7,"examples":[3]}"#, r#"{"version":1,"examples":[3]}"#, LEFT_OUT] {
        let (there, items) = mapped(|ids| PredictorKind::Judge.map_settings(json, ids));
        assert_eq!((there.as_str(), items.len()), (LEFT_OUT, 0));
        let (there, items) = mapped(|ids| AdapterKind::Head.map_settings(json, ids));
        assert_eq!((there.as_str(), items.len()), (LEFT_OUT, 0));
    }
}

#[test]
fn a_part_tells_nobody_what_others_answered() {
    let zero_shot = PredictorKind::ZeroShot.settings_without_answers(&write(&zero_shot()));
    assert!(zero_shot.contains(r#""shares_from":"pool""#), "{zero_shot}");
    let head = AdapterKind::Head.settings_without_answers(&AdapterSettings::Head(head()).write());
    assert!(head.contains(r#""c":10.0"#) && !head.contains("label_issues"), "{head}");
    let lora = AdapterSettings::Lora(LoraTraining::Encoder(encoder_lora())).write();
    let lora = AdapterKind::Lora.settings_without_answers(&lora);
    assert!(lora.contains("comparison") && !lora.contains("0.75") && !lora.contains("[8,"), "{lora}");
    for kind in [PredictorKind::Judge, PredictorKind::States, PredictorKind::Combined] {
        assert_eq!(kind.settings_without_answers(&write(&judge())), LEFT_OUT);
    }
}
