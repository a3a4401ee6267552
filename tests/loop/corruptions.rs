//! Damaged files: whatever happens to the bytes of a project, each command refuses it or reads it right, and a repair accounts for what is
//! gone. `HARDCASE_PROOF_CORRUPTIONS` is how many there are; 1,000 is the long form.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use hardcase::desk::session::{Next, OnClose, Remarks, Session};
use hardcase::domain::fault::Result as Outcome;
use hardcase::exchange::export::{ExportOptions, History, Reveal, export, export_kind, output_format};
use hardcase::insight::status::status;
use hardcase::store::{Access, Store};
use hardcase::upkeep::doctor::examine;
use hardcase::upkeep::repair::{RepairReport, repair};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::imported_labels::import_wrong_labels;
use super::project::{Project, hardcase};

const PAGE: usize = 4_096;

/// How many files are damaged.
fn count() -> u64 {
    std::env::var("HARDCASE_PROOF_CORRUPTIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(60)
}

/// The bytes of a project and of the log next to it.
#[derive(Clone)]
struct Bytes {
    file: Vec<u8>,
    log: Option<Vec<u8>>,
}

impl Bytes {
    fn read(path: &Path) -> Self {
        let log = path.with_extension("hardcase-wal");
        Self { file: std::fs::read(path).unwrap(), log: log.exists().then(|| std::fs::read(log).unwrap()) }
    }

    /// Writes them to `path`, with nothing else next to them.
    fn write(&self, path: &Path) {
        for end in ["hardcase-wal", "hardcase-shm"] {
            let _ = std::fs::remove_file(path.with_extension(end));
        }
        std::fs::write(path, &self.file).unwrap();
        if let Some(log) = &self.log {
            std::fs::write(path.with_extension("hardcase-wal"), log).unwrap();
        }
    }
}

/// A project with labels of a crowd that two experts have labelled, with corrections, notes, a skip and what was taken back: as it lies when everybody
/// has left, and with its last labels in the log.
fn labelled() -> (Project, Bytes, Bytes) {
    let project = Project::scouted_elsewhere(160);
    import_wrong_labels(&project, 160, &["--weight", "0.5"]);
    project.run("mine", &["--budget", "48"]).done();
    let label = |session: &mut Session, cases: usize| {
        for n in 0..cases {
            let Next::Case(case) = session.next_case().unwrap() else { return };
            let note = (n % 5 == 0).then(|| format!("note {n}: a reason in some words"));
            let said = if (n * 7) % 3 == 0 { "clickbait" } else { "fine" };
            match n % 11 {
                10 => drop(session.skip(case.item).unwrap()),
                _ => drop(session.answer(case.item, said, Remarks { note, ..Remarks::default() }).unwrap()),
            }
            if n % 9 == 8 {
                session.undo().unwrap();
            }
        }
    };
    for (name, cases) in [("ada", 30), ("bob", 20)] {
        let mut session = Session::open(&project.file(), name, OnClose::ReleaseCases).unwrap();
        label(&mut session, cases);
        session.close().unwrap();
    }
    let rested = Bytes::read(&project.file());
    assert!(rested.log.is_none());
    let mut session = Session::open(&project.file(), "ada", OnClose::ReleaseCases).unwrap();
    label(&mut session, 12);
    let busy = Bytes::read(&project.file());
    assert!(busy.log.as_ref().is_some_and(|log| log.len() > 12 * PAGE));
    session.close().unwrap();
    (project, rested, busy)
}

/// What a disk, a cable or a copy that was cut short does to bytes; in words.
fn damage(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng) -> String {
    let length = bytes.len();
    let pages = length / PAGE;
    match rng.gen_range(0..10) {
        0..=2 => {
            let (at, bit) = (rng.gen_range(0..length), rng.gen_range(0..8));
            bytes[at] ^= 1 << bit;
            format!("bit {bit} of byte {at} turned")
        }
        3 => {
            let n = rng.gen_range(2..40);
            for _ in 0..n {
                let at = rng.gen_range(0..length);
                bytes[at] ^= 1 << rng.gen_range(0..8);
            }
            format!("{n} bits turned")
        }
        4 => {
            let at = rng.gen_range(0..length);
            let n = rng.gen_range(1..64).min(length - at);
            rng.fill(&mut bytes[at..at + n]);
            format!("{n} bytes at {at} overwritten")
        }
        5 => {
            let keep = rng.gen_range(0..length);
            bytes.truncate(keep);
            format!("cut to {keep} bytes")
        }
        6 if pages > 0 => {
            let page = rng.gen_range(0..pages);
            bytes[page * PAGE..(page + 1) * PAGE].fill(0);
            format!("page {page} zeroed")
        }
        7 => {
            let sector = rng.gen_range(0..length.div_ceil(512));
            let end = length.min((sector + 1) * 512);
            bytes[sector * 512..end].fill(0);
            format!("sector {sector} zeroed")
        }
        8 if pages > 1 => {
            let (a, b) = (rng.gen_range(0..pages), rng.gen_range(0..pages));
            for i in 0..PAGE {
                bytes.swap(a * PAGE + i, b * PAGE + i);
            }
            format!("pages {a} and {b} swapped")
        }
        _ => {
            let page = rng.gen_range(0..pages.max(1));
            let end = length.min((page + 1) * PAGE);
            rng.fill(&mut bytes[page * PAGE..end]);
            format!("page {page} overwritten")
        }
    }
}

/// What of a line of an export is a label: everything but how its case came about.
fn essence(line: &Value) -> String {
    let fields = [
        "item",
        "text",
        "expert",
        "label",
        "confidence",
        "note",
        "revealed",
        "seen",
        "revision",
        "duration_ms",
        "at",
        "person",
    ];
    fields.map(|field| line[field].to_string()).join("|")
}

/// A kind of export by its name, and whether its history goes with it.
type What = (&'static str, History);
const LABELS: What = ("labels", History::Standing);
const HISTORY: What = ("labels", History::All);
const ROWS: What = ("rows", History::Standing);
const EVENTS: What = ("events", History::Standing);

fn exported(file: &Path, what: What, to: &Path) -> Outcome<Vec<Value>> {
    exported_with(Reveal::No, file, what, to)
}

fn exported_with(reveal: Reveal, file: &Path, (kind, history): What, to: &Path) -> Outcome<Vec<Value>> {
    let options = ExportOptions {
        reveal,
        history,
        format: (kind != "events").then(|| output_format("jsonl").unwrap()),
        out: Some(to.to_owned()),
        ..ExportOptions::read_by("ada")
    };
    export(file, export_kind(kind).unwrap(), &options)?;
    let text = std::fs::read_to_string(to).unwrap();
    Ok(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// What was true before the damage.
struct Truth {
    /// Standing labels.
    standing: BTreeSet<String>,
    /// Every label that was ever given.
    ever: BTreeSet<String>,
    events: usize,
    /// Imported rows.
    rows: usize,
    /// Imported labels.
    imported: BTreeSet<String>,
}

/// The labels that existed before the project, each with its text, source and value.
fn imported(path: &Path, to: &Path) -> BTreeSet<String> {
    let lines = exported_with(Reveal::Yes, path, EVENTS, to).unwrap();
    let imported = lines.iter().filter(|line| line["kind"] == "imported-label");
    imported.map(Value::to_string).collect()
}

impl Truth {
    fn of(bytes: &Bytes, folder: &Path) -> Self {
        let (path, out) = (folder.join("truth.hardcase"), folder.join("truth.jsonl"));
        bytes.write(&path);
        // The lead's view of all, also of what she may still be asked about.
        let all = |what| exported_with(Reveal::Yes, &path, what, &out).unwrap();
        let standing = all(LABELS).iter().map(essence).collect();
        let history = all(HISTORY);
        let ever = history.iter().filter(|line| line["action"] == "set").map(essence).collect();
        let rows = exported_with(Reveal::Yes, &path, ROWS, &out).unwrap().len();
        Self { standing, ever, events: history.len(), rows, imported: imported(&path, &out) }
    }
}

/// How the commands met a damaged file.
#[derive(Default, Debug)]
struct Tally {
    read_right: usize,
    read_refused: usize,
    nothing_to_repair: usize,
    repaired_whole: usize,
    repaired_with_losses: usize,
    repair_refused: usize,
    events_lost: usize,
}

fn quietly<T>(what: &str, case: &str, work: impl FnOnce() -> T) -> T {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(value) => value,
        Err(_) => panic!("{what} panicked: {case}"),
    }
}

#[test]
fn a_damaged_file_is_refused_or_repaired_with_a_report_and_never_changed_in_silence() {
    let (project, rested, busy) = labelled();
    let folder = project.path("damaged");
    std::fs::create_dir(&folder).unwrap();
    let truths = [Truth::of(&rested, &folder), Truth::of(&busy, &folder)];
    assert!(truths.iter().all(|truth| truth.imported.len() > 100));
    assert!(truths[0].standing.len() > 30 && truths[1].standing.len() > truths[0].standing.len());
    let mut tally = Tally::default();
    for seed in 0..count() {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let with_log = seed % 3 == 2;
        let (truth, whole) = if with_log { (&truths[1], &busy) } else { (&truths[0], &rested) };
        let mut bytes = whole.clone();
        let mut case = format!("{seed}:");
        for _ in 0..*[1, 1, 1, 2].choose(&mut rng).unwrap() {
            let (what, where_to) = match &mut bytes.log {
                Some(log) if rng.gen_bool(0.7) && !log.is_empty() => ("log", log),
                _ => ("file", &mut bytes.file),
            };
            if !where_to.is_empty() {
                case = format!("{case} {what}: {};", damage(where_to, &mut rng));
            }
        }
        let path = folder.join("pool.hardcase");
        let out = folder.join("out.jsonl");
        let afresh = || bytes.write(&path);
        looked_at(&path, &case, afresh);
        afresh();
        match quietly("export", &case, || exported_with(Reveal::Yes, &path, LABELS, &out)) {
            Ok(lines) => {
                tally.read_right += 1;
                // A log that was cut off where a commit ends is that of an earlier moment: nothing in it tells.
                let given = if with_log { &truth.ever } else { &truth.standing };
                for line in &lines {
                    assert!(given.contains(&essence(line)), "{case} a label that nobody gave: {line}");
                }
                let all = lines.len() == truth.standing.len();
                assert!(
                    all || with_log || bytes.file.len() < whole.file.len(),
                    "{case} {} labels are gone without a word",
                    truth.standing.len() - lines.len()
                );
            }
            Err(fault) => {
                tally.read_refused += 1;
                assert!(fault.to_string().starts_with("cannot "), "{case} {fault}");
            }
        }
        afresh();
        let report = quietly("repair", &case, || repair(&path));
        repaired(report, &bytes, truth, (&path, &case), &mut tally);
        if seed % 20 == 3 {
            by_the_binary(&path, &case, afresh);
        }
        std::fs::remove_dir_all(&folder).unwrap();
        std::fs::create_dir(&folder).unwrap();
    }
    eprintln!("{} damaged files: {tally:?}", count());
    assert!(tally.repaired_whole + tally.repaired_with_losses > 0 && tally.read_refused > 0, "{tally:?}");
}

/// `doctor`, `status`, `next` and `answer` come to an end, whatever they find.
fn looked_at(path: &Path, case: &str, afresh: impl Fn()) {
    afresh();
    quietly("doctor", case, || drop(examine(path)));
    afresh();
    quietly("status", case, || drop(status(path, "ada")));
    afresh();
    quietly("next and answer", case, || {
        let Ok(mut session) = Session::open(path, "bob", OnClose::ReleaseCases) else { return };
        if let Ok(Next::Case(next)) = session.next_case() {
            let _ = session.answer(next.item, "fine", Remarks::default());
        }
        let _ = session.close();
    });
}

/// A repair that went through left a whole project with nothing but true labels, and counted what is gone; one that did not left the file as
/// it was.
fn repaired(
    report: Outcome<RepairReport>,
    bytes: &Bytes,
    truth: &Truth,
    (path, case): (&Path, &str),
    tally: &mut Tally,
) {
    let report = match report {
        Ok(report) => report,
        Err(fault) => {
            tally.repair_refused += 1;
            assert!(
                fault.to_string().contains("backup")
                    || fault.to_string().contains("newer")
                    || fault.exit_code() == 2,
                "{case} {fault}"
            );
            let now = Bytes::read(path);
            assert!(
                now.file == bytes.file && now.log == bytes.log,
                "{case} a refused repair changed the file"
            );
            return;
        }
    };
    let out = path.with_extension("jsonl");
    if let Some(aside) = &report.set_aside {
        let kept = Bytes::read(aside);
        assert!(kept.file == bytes.file && kept.log == bytes.log, "{case} the damaged file is kept");
    } else {
        tally.nothing_to_repair += 1;
        let now = Bytes::read(path);
        assert!(
            now.file == bytes.file && now.log == bytes.log,
            "{case} nothing to repair, and the file changed"
        );
    }
    let store =
        Store::open(path, Access::Read).unwrap_or_else(|fault| panic!("{case} after the repair: {fault}"));
    assert_eq!(store.integrity_check().unwrap(), Vec::<String>::new(), "{case}");
    drop(store);
    // Where an answer of ada's is gone, she may be asked again.
    let lines = exported_with(Reveal::Yes, path, HISTORY, &out).unwrap();
    let lost = truth.events - lines.len().min(truth.events);
    let rows = exported_with(Reveal::Yes, path, ROWS, &out).unwrap().len();
    let told = report.losses.iter().any(|loss| loss.contains("imports") || loss.starts_with("imported rows"));
    assert!(
        rows == truth.rows || told,
        "{case} {} of {} rows, and nothing is said:\n{report}",
        rows,
        truth.rows
    );
    let imported = imported(path, &out);
    let told = report.losses.iter().any(|loss| loss.contains("imported labels"));
    assert!(imported.is_subset(&truth.imported), "{case} a label that nobody imported:\n{report}");
    assert!(
        told || imported.len() == truth.imported.len(),
        "{case} {} of {} imported labels, and nothing is said:\n{report}",
        imported.len(),
        truth.imported.len()
    );
    for line in lines.iter().filter(|line| line["action"] == "set") {
        let told = report.notes.iter().any(|note| note.contains("could not be checked"));
        assert!(
            told || truth.ever.contains(&essence(line)),
            "{case} a label that nobody gave: {line}\n{report}"
        );
    }
    // A log that is cut is the same as one of an earlier moment: nothing in it tells.
    let cut = case.contains("log: cut");
    assert!(
        cut || report.events_lost >= lost || report.perhaps_more,
        "{case} {lost} events are gone:\n{report}"
    );
    if report.set_aside.is_some() {
        assert_eq!(report.events, lines.len(), "{case}");
        tally.events_lost += lost;
        *(if lost == 0 { &mut tally.repaired_whole } else { &mut tally.repaired_with_losses }) += 1;
    } else {
        assert!(cut || lost == 0, "{case} events are gone, and nothing is said");
    }
}

/// The same by the real program: an exit code of its own, one sentence, no panic.
fn by_the_binary(path: &Path, case: &str, afresh: impl Fn()) {
    let file = path.to_str().unwrap();
    let verbs: [&[&str]; 6] = [
        &["doctor", file],
        &["status", file],
        &["export", file, "--what", "labels"],
        &["next", file, "--as", "bob"],
        &["answer", file, "--item", "3", "--label", "fine", "--as", "bob"],
        &["doctor", file, "--repair"],
    ];
    for verb in verbs {
        afresh();
        let ran = hardcase(verb);
        assert!(
            ran.code.is_some_and(|code| (0..=3).contains(&code)),
            "{case} {verb:?}: {:?}\n{}",
            ran.code,
            ran.err
        );
        assert!(!ran.err.contains("panicked"), "{case} {verb:?}: {}", ran.err);
        assert!(ran.code == Some(0) || ran.err.contains("hardcase: cannot "), "{case} {verb:?}: {}", ran.err);
    }
}

#[test]
fn a_label_with_a_flipped_bit_is_refused_by_every_export_and_left_out_and_named_by_a_repair() {
    let (project, rested, _) = labelled();
    let (path, out) = (project.path("flipped.hardcase"), project.path("flipped.jsonl"));
    let truth = Truth::of(&rested, &project.path("."));
    // The note of an event, in its table.
    let note = b"note 5: a reason";
    let at = rested.file.windows(note.len()).position(|w| w == note).unwrap();
    let mut bytes = rested.clone();
    bytes.file[at + 9] ^= 1;
    bytes.write(&path);
    for what in [LABELS, HISTORY, ROWS] {
        let refusal = exported(&path, what, &out).unwrap_err().to_string();
        assert!(refusal.contains("1 label events are not as they were written"), "{refusal}");
    }
    let file = path.to_str().unwrap();
    hardcase(["export", file, "--what", "events"]).refused(1, &["damaged", "--repair"]);
    let doctor = hardcase(["doctor", file]);
    assert_eq!(doctor.code, Some(3));
    assert!(doctor.out.contains("BAD  file") && doctor.out.contains("--repair"), "{}", doctor.out);
    let report = hardcase(["doctor", file, "--repair", "--accept-losses", "--json"]).json();
    assert_eq!((&report["events_lost"], &report["perhaps_more"]), (&1.into(), &false.into()), "{report}");
    assert!(report["missing"][0].as_str().unwrap().contains(" on "), "{report}");
    let told = |field: &str| report[field].as_array().unwrap().len();
    assert_eq!((told("losses"), told("notes")), (1, 1), "nothing else is lost: {report}");
    let after: BTreeSet<String> =
        exported_with(Reveal::Yes, &path, LABELS, &out).unwrap().iter().map(essence).collect();
    assert!(after.is_subset(&truth.ever) && after.len() + 1 >= truth.standing.len());
    assert!(hardcase(["doctor", file, "--repair"]).done().out.contains("nothing to repair"));

    // A copy from before the damage brings it back.
    let copy = project.path("copy.hardcase");
    rested.write(&copy);
    hardcase(["merge", file, copy.to_str().unwrap()]).done();
    let after: BTreeSet<String> =
        exported_with(Reveal::Yes, &path, LABELS, &out).unwrap().iter().map(essence).collect();
    assert_eq!(after, truth.standing);
}

#[test]
fn a_log_that_is_damaged_in_the_middle_is_refused() {
    let (project, _, busy) = labelled();
    let path = project.path("torn.hardcase");
    let mut bytes = busy.clone();
    let log = bytes.log.as_mut().unwrap();
    let middle = log.len() / 2;
    log[middle] ^= 16;
    bytes.write(&path);
    let file = path.to_str().unwrap();
    for verb in ["status", "export", "next"] {
        hardcase([verb, file]).refused(1, &["-wal", "is damaged", "--repair"]);
    }
    assert!(Bytes::read(&path).log == bytes.log, "it was left as it is");
    let report = hardcase(["doctor", file, "--repair", "--accept-losses", "--json"]).json();
    assert!(
        report["perhaps_more"] == true && report["found"][0].as_str().unwrap().contains("-wal"),
        "{report}"
    );
}
