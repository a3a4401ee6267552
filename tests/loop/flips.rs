//! Single bits that a disk turns, anywhere in a project: each output is what it was, or is refused.
//! `HARDCASE_PROOF_FLIPS` is how many are tried; 1,000 is the long form.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use hardcase::desk::session::Next;
use hardcase::desk::session::{OnClose, Remarks, Session};
use hardcase::exchange::export::{ExportOptions, History, export, export_kind, output_format};
use hardcase::insight::status::status;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::imported_labels::import_wrong_labels;
use super::project::{Project, hardcase};

const PAGE: usize = 4_096;

fn count() -> u64 {
    std::env::var("HARDCASE_PROOF_FLIPS").ok().and_then(|n| n.parse().ok()).unwrap_or(60)
}

/// Rows with a text twice and ids of their own, prelabelled, with labels of a crowd, mined and labelled by two, one of whom has a case before her and
/// a note half written.
fn project() -> Project {
    let project = Project::scouted_elsewhere(120);
    import_wrong_labels(&project, 120, &["--weight", "0.5"]);
    project.run("mine", &["--budget", "40"]).done();
    for (name, cases) in [("ada", 24), ("bob", 12)] {
        let mut session = Session::open(&project.file(), name, OnClose::ReleaseCases).unwrap();
        for n in 0..cases {
            let Next::Case(case) = session.next_case().unwrap() else { break };
            let note = (n % 4 == 0).then(|| format!("note {n}"));
            let label = if (n * 7) % 3 == 0 { "clickbait" } else { "fine" };
            session.answer(case.item, label, Remarks { note, ..Remarks::default() }).unwrap();
        }
        session.close().unwrap();
    }
    let mut session = Session::open(&project.file(), "ada", OnClose::KeepCases).unwrap();
    let Next::Case(case) = session.next_case().unwrap() else { panic!("she has cases left") };
    session.keep_draft(case.item, "half a note").unwrap();
    session.close().unwrap();
    project
}

/// The pages of each table and index, by its name.
fn pages(file: &Path) -> Vec<Vec<usize>> {
    let file = rusqlite::Connection::open(file).unwrap();
    let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut statement = file.prepare("SELECT name, pageno FROM dbstat").unwrap();
    let rows = statement.query_map((), |r| Ok((r.get(0)?, r.get::<_, i64>(1)?))).unwrap();
    for (name, page) in rows.map(Result::unwrap) {
        by_name.entry(name).or_default().push(usize::try_from(page).unwrap());
    }
    by_name.into_values().collect()
}

/// Any byte of the file, or any of a page of any table, in turn: most of a file are vectors.
fn place(seed: u64, length: usize, pages: &[Vec<usize>], rng: &mut ChaCha8Rng) -> usize {
    if seed.is_multiple_of(2) {
        return rng.gen_range(0..length);
    }
    let page = pages.choose(rng).and_then(|pages| pages.choose(rng)).unwrap();
    (page - 1) * PAGE + rng.gen_range(0..PAGE)
}

/// What each output says; the reason where it is refused.
fn outputs(file: &Path, to: &Path) -> BTreeMap<&'static str, Result<String, String>> {
    let mut all = BTreeMap::new();
    let kinds = [
        ("labels", "labels", History::Standing),
        ("history", "labels", History::All),
        ("predictions", "predictions", History::Standing),
        ("rows", "rows", History::Standing),
        ("final", "final", History::Standing),
        ("events", "events", History::Standing),
    ];
    for (name, kind, history) in kinds {
        let format = (kind != "events").then(|| output_format("jsonl").unwrap());
        let options =
            ExportOptions { history, format, out: Some(to.to_owned()), ..ExportOptions::read_by("ada") };
        let made = catch_unwind(AssertUnwindSafe(|| export(file, export_kind(kind).unwrap(), &options)));
        let made = made.unwrap_or_else(|_| panic!("{name} panicked"));
        all.insert(
            name,
            made.map(|_| std::fs::read_to_string(to).unwrap()).map_err(|fault| fault.to_string()),
        );
        let _ = std::fs::remove_file(to);
    }
    let said = status(file, "ada").map(|status| serde_json::to_string(&status).unwrap());
    all.insert("status", said.map_err(|fault| fault.to_string()));
    all
}

#[test]
fn a_bit_that_turns_anywhere_in_the_file_changes_no_output_in_silence() {
    let project = project();
    let whole = std::fs::read(project.file()).unwrap();
    let (file, to) = (project.path("flipped.hardcase"), project.path("out.jsonl"));
    std::fs::write(&file, &whole).unwrap();
    let (truth, pages) = (outputs(&file, &to), pages(&file));
    for (name, said) in &truth {
        assert!(said.is_ok(), "{name}: {said:?}");
    }
    let (mut refused, mut silent) = (0, Vec::new());
    for seed in 0..count() {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (at, bit) = (place(seed, whole.len(), &pages, &mut rng), rng.gen_range(0..8));
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << bit;
        for end in ["-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(format!("{}{end}", file.display()));
        }
        std::fs::write(&file, &bytes).unwrap();
        for (name, said) in outputs(&file, &to) {
            match said {
                Err(why) => {
                    refused += 1;
                    assert!(why.starts_with("cannot "), "{why}");
                }
                Ok(said) if Ok(&said) == truth[name].as_ref() => {}
                Ok(_) => silent.push(format!("bit {bit} of byte {at}: {name}")),
            }
        }
    }
    eprintln!("{} flips: {refused} outputs refused, {} changed in silence", count(), silent.len());
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn every_verb_that_reads_or_writes_labels_refuses_a_file_with_an_altered_one() {
    let project = project();
    let mut bytes = std::fs::read(project.file()).unwrap();
    let note = b"note 4";
    let at = bytes.windows(note.len()).position(|w| w == note).unwrap();
    bytes[at + 5] ^= 1;
    std::fs::write(project.file(), &bytes).unwrap();
    let verbs: [&[&str]; 11] = [
        &["status"],
        &["agreement"],
        &["tune"],
        &["mine"],
        &["next"],
        &["answer", "--item", "1", "--label", "fine"],
        &["report"],
        &["export", "--what", "labels"],
        &["backup"],
        &["expert", "list"],
        &["task", "--show"],
    ];
    for verb in verbs {
        let mut arguments = vec![verb[0].to_owned()];
        arguments.push(project.file().to_str().unwrap().to_owned());
        arguments.extend(verb[1..].iter().map(|word| (*word).to_owned()));
        hardcase(arguments).refused(1, &["1 label events are not as they were written", "--repair"]);
    }
    assert_eq!(std::fs::read(project.file()).unwrap(), bytes, "nothing was written");
    let repaired = hardcase(["doctor", project.file().to_str().unwrap(), "--repair"]);
    assert_eq!(repaired.code, Some(3), "{}", repaired.out);
    assert!(repaired.out.contains("1 lost"), "{}", repaired.out);
    project.run("status", &[]).done();
}
