//! Logs out and back, and lines that nobody wrote.

use proptest::prelude::*;

use super::*;
use crate::domain::answer::Answer;
use crate::domain::encoder_reading::{EncoderReading, PoolingChoice};

fn small() -> Log {
    let id = |n| Uuid::from_u128(n);
    Log {
        project: id(1),
        lamport_heard: 3,
        experts: vec![ExpertLine { name: "ana".into(), uuid: id(2), created_ms: 5 }],
        sessions: vec![SessionLine {
            uuid: id(3),
            expert: "ana".into(),
            login: "a".into(),
            uid: 1,
            host: "h".into(),
            process: "1:2".into(),
            program: "hardcase".into(),
            started_ms: 6,
            ended_ms: None,
            ended_how: None,
        }],
        revisions: vec![RevisionLine {
            uuid: id(4),
            generation: 1,
            number: 1,
            session: id(3),
            created_ms: 7,
            toml: "question = 'ü?'\n".into(),
        }],
        models: vec![ModelLine {
            sha256: Hex(vec![9; 32]),
            name: "m".into(),
            path: String::new(),
            architecture: "bert".into(),
            quantisation: "F32".into(),
            dimensions: 4,
            bytes: 8,
            reading: EncoderReading { pooling: Some(PoolingChoice::Cls), prefix: "query: ".into() },
        }],
        predictors: vec![PredictorLine {
            uuid: id(5),
            predicts: "zero-shot".into(),
            model: Hex(vec![9; 32]),
            adapter: None,
            revision: id(4),
            prompt: None,
            labels: vec!["a".into(), "b".into()],
            settings: "{\"anchors\":[[0.1]]}".into(),
            created_ms: 8,
        }],
        rounds: vec![RoundLine {
            uuid: id(6),
            number: 1,
            strategy: "margin".into(),
            budget: 1,
            seed: -1,
            predictor: Some(id(5)),
            note: None,
            created_ms: 9,
            closed_ms: None,
            overlap: None,
        }],
        cases: vec![CaseLine {
            uuid: id(7),
            round: id(6),
            position: 0,
            item: ItemKey::of("one text"),
            text: None,
            split: "eval".into(),
            reason: "margin".into(),
            partner: None,
            similarity: None,
            side: None,
            margin: 0.1,
            inclusion: None,
            overlap: 1,
            withdrawn_ms: None,
            expert: None,
            revealed_ms: None,
            reannotation: None,
        }],
        events: vec![EventLine {
            uuid: id(8),
            lamport: 1,
            session: id(3),
            seq: 1,
            expert: "ana".into(),
            item: ItemKey::of("one text"),
            case: Some(id(7)),
            action: "set".into(),
            target: None,
            labels: Some(Answer::one("a")),
            confidence: Some(3),
            note: Some("why \u{1b}[2J\n".into()),
            revision: id(4),
            seen_prelabel: None,
            revealed: false,
            duration_ms: Some(-4),
            at_ms: 10,
        }],
        expert_events: vec![ExpertEventLine {
            uuid: id(9),
            lamport: 2,
            session: id(3),
            action: "lead".into(),
            expert: "ana".into(),
            other: None,
            at_ms: 11,
        }],
        reveals: vec![RevealLine { expert: "ana".into(), item: ItemKey::of("one text"), at_ms: 12 }],
        label_sources: vec![LabelSourceLine {
            name: "crowd".into(),
            uuid: id(10),
            weight: 0.25,
            changes: 1,
            created_ms: 13,
        }],
        imported_labels: vec![ImportedLabelLine {
            source: "crowd".into(),
            item: ItemKey::of("one text"),
            file: -7,
            place: 0,
            labels: Answer::one("b"),
            at_ms: 14,
        }],
        forgotten: vec![ForgottenLine {
            item: ItemKey::of("one that was removed"),
            split: "eval".into(),
            at_ms: 15,
        }],
        ..Log::default()
    }
}

/// A small log.
pub(in crate::formats) fn specimen() -> Vec<u8> {
    written(&small()).into_bytes()
}

/// The lines of a log with an end that fits them, whatever was done to them: so that a change anywhere is looked at where it is.
pub(in crate::formats) fn sealed(bytes: &[u8]) -> Vec<u8> {
    let is_end = |line: &[u8]| line.windows(12).any(|w| w == b"\"kind\":\"end\"");
    let (mut out, mut sum) = (Vec::new(), Sum::default());
    for line in bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty() && !is_end(line)) {
        if let Ok(text) = std::str::from_utf8(line) {
            sum.add(text.trim());
        }
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    let end = serde_json::to_string(&LineRef::End(&sum.end())).unwrap();
    out.extend_from_slice(end.as_bytes());
    out.push(b'\n');
    out
}

fn written(log: &Log) -> String {
    let mut out = Vec::new();
    write_log(&mut out, log, None).unwrap();
    String::from_utf8(out).unwrap()
}

fn refusal(text: &str) -> String {
    read_log(text.as_bytes(), "x").err().map(|f| f.to_string()).unwrap_or_default()
}

#[test]
fn a_log_comes_back_as_it_went() {
    let log = small();
    let text = written(&log);
    assert_eq!(text.lines().count(), 15);
    assert_eq!(read_log(text.as_bytes(), "x").unwrap(), log);
    let crossed = text.replace('\n', "\r\n");
    assert_eq!(read_log(crossed.as_bytes(), "x").unwrap(), log, "line ends alone are no change");
    let mut out = Vec::new();
    let texts = |_: &ItemKey| Ok(Some("one text".to_owned()));
    assert_eq!(write_log(&mut out, &log, Some(&texts)).unwrap(), 13);
    let back = read_log(&out[..], "x").unwrap();
    assert_eq!(back.cases[0].text.as_deref(), Some("one text"));
}

#[test]
fn what_is_no_log_is_refused_in_a_sentence() {
    assert!(refusal("").contains("it is empty"));
    assert!(refusal("id,text\n1,a\n").contains("line 1: it is not a copy of a project"));
    let head = |was: &str, is: &str| refusal(&written(&small()).replacen(was, is, 1));
    assert!(head("\"version\":1", "\"version\":2").contains("a newer hardcase wrote it"));
    assert!(head("\"event-log\"", "\"events\"").contains("a development version of hardcase wrote it"));
    assert!(refusal(&format!("{}\n", "x".repeat(17 << 20))).contains("line 1: it is longer than 16 MiB"));
}

#[test]
fn a_log_that_was_cut_short_or_changed_is_refused() {
    let text = written(&small());
    let lines: Vec<&str> = text.lines().collect();
    for whole in 1..lines.len() {
        let said = refusal(&(lines[..whole].join("\n") + "\n"));
        assert!(said.contains("the line that ends it is missing: it was cut short"), "{whole}: {said}");
    }
    for cut in text.len() - 300..text.len() - 1 {
        let said = refusal(&text[..cut]);
        assert!(said.contains("cut short"), "{cut}: {said}");
    }
    let gone = [&lines[..10], &lines[11..]].concat().join("\n");
    let said = refusal(&gone);
    assert!(said.contains("line 14: 13 lines come before it where 14 were written"), "{said}");
    let changed = text.replacen("\"at_ms\":12", "\"at_ms\":13", 1);
    let said = refusal(&changed);
    assert!(said.contains("line 15: ") && said.contains("was changed after it was written"), "{said}");
    let longer = format!("{text}{}\n", lines[10]);
    assert!(refusal(&longer).contains("line 16: it comes after the line that ends the log"));
}

#[test]
fn each_line_is_held_to_its_form_its_values_and_what_came_before() {
    let text = written(&small());
    let refusal = |text: &str| refusal(std::str::from_utf8(&sealed(text.as_bytes())).unwrap());
    for (was, is, why) in [
        ("\"uid\":1", "\"uid\":\"1\"", "invalid type"),
        ("\"name\":\"ana\"", "\"name\":\"a\\u0007\"", "not a name"),
        ("\"reason\":\"margin\"", "\"reason\":\"whim\"", "'whim' is not a known reason"),
        ("\"split\":\"eval\"", "\"split\":\"test\"", "is not a split"),
        ("\"margin\":0.1", "\"margin\":7.0", "between 0 and 1"),
        ("\"overlap\":1", "\"overlap\":-1", "overlap"),
        ("\"action\":\"set\"", "\"action\":\"retract\"", "labels where"),
        ("\"labels\":[\"a\"],\"confidence\"", "\"labels\":[\"a\",\"b\"],\"confidence\"", "one label"),
        ("\"labels\":[\"a\"],\"confidence\"", "\"label\":\"a\",\"confidence\"", "unknown field"),
        ("\"confidence\":3", "\"confidence\":4", "1, 2 or 3"),
        ("\"at_ms\":10", "\"at_ms\":9000000000000000", "not a time"),
        ("\"lamport\":1,", "\"lamport\":0,", "Lamport"),
        ("\"dimensions\":4", "\"dimensions\":0", "dimensions"),
        ("\"settings\":\"{", "\"settings\":\"{{", "not JSON"),
        ("\"action\":\"lead\"", "\"action\":\"same\"", "two names"),
        ("\"number\":1,\"strategy\"", "\"number\":0,\"strategy\"", "round 0"),
        ("\"weight\":0.25", "\"weight\":1.25", "between 0 and 1"),
        ("\"source\":\"crowd\"", "\"source\":\"team\"", "its source of labels did not come before it"),
        ("\"name\":\"crowd\"", "\"name\":\" crowd\"", "not a name of a source"),
        ("\"labels\":[\"b\"]", "\"labels\":[]", "an answer has one label"),
        ("\"kind\":\"reveal\"", "\"kind\":\"secret\"", "unknown variant"),
        ("\"at_ms\":12", "\"at_ms\":12,\"x\":1", "unknown field"),
    ] {
        let bad = text.replacen(was, is, 1);
        let line =
            text.lines().zip(bad.lines()).position(|(a, b)| a != b).unwrap_or_else(|| panic!("{was}")) + 1;
        let said = refusal(&bad);
        assert!(said.contains(&format!("line {line}: ")) && said.contains(why), "{is}: {said}");
    }
    let lines: Vec<&str> = text.lines().collect();
    for gone in 1..lines.len() - 3 {
        let rest: Vec<&str> = lines.iter().enumerate().filter(|(i, _)| *i != gone).map(|(_, l)| *l).collect();
        let needed = !["\"event\"", "\"expert-event\"", "\"reveal\""].iter().any(|k| lines[gone].contains(k));
        assert_eq!(refusal(&rest.join("\n")).contains("before it"), needed, "{}", lines[gone]);
    }
    let twice = format!("{text}{}\n", lines[9]);
    assert!(refusal(&twice).contains("came before"), "{}", refusal(&twice));
}

proptest! {
    #[test]
    fn no_bytes_at_all_make_it_panic(at in 0usize..3_000, byte: u8, cut in 0usize..3_000) {
        let mut bytes = specimen();
        let n = bytes.len();
        bytes[at % n] = byte;
        bytes.truncate(1 + cut % n);
        let _ = read_log(&bytes[..], "x");
        let _ = read_log(&sealed(&bytes)[..], "x");
    }
}
