//! Many processes at one file: each says what it saw saved, and in the end exactly that is in the log.
//!
//! The labellers are this test binary, started again for each: a session as the workstation has it, in a process of its own. At the same time the real
//! binary imports, scouts where it can, tunes, mines and reports without a pause.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hardcase::desk::session::{OnClose, Remarks, Session};
use hardcase::domain::event::{Action, LabelEvent};
use hardcase::domain::ids::{CaseId, ItemId};
use hardcase::store::Store;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::project::{ADS, Project, run};
use super::skip::skip;

/// The arguments of a labeller: its name, the file, and how many milliseconds it stays.
const SEAT: &str = "HARDCASE_PROOF_SEAT";
/// What stands before each line that a labeller writes once something is on disk.
const SAVED: &str = "saved ";
/// What stands before each time that a labeller took.
const TOOK: &str = "took ";

/// A number from the environment, for the long form of a proof.
pub fn told(name: &str, else_: u64) -> u64 {
    std::env::var(name).map_or(else_, |n| n.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

/// One act of a labeller: who, what, of which item, with which label.
pub type Act = (String, Action, ItemId, Option<String>);

/// Starts a labeller at a project for some time.
pub fn seat(project: &Path, name: &str, stay: Duration) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "crowd::a_labeller_says_what_is_saved_once_it_is", "--ignored", "--nocapture"])
        .args(["--test-threads", "1"])
        .env(SEAT, format!("{}\n{name}\n{}", project.display(), stay.as_millis()))
        .env("LOGNAME", name)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What a labeller that bears this name said was saved, in order.
pub fn acts(name: &str, said: &str) -> Vec<Act> {
    let act = |line: &str| {
        let words: Vec<&str> = line.strip_prefix(SAVED)?.split(' ').collect();
        let action = ACTIONS.into_iter().find(|a| a.as_str() == words[0]).unwrap();
        let label = (words[2] != "-").then(|| words[2].to_owned());
        Some((name.to_owned(), action, ItemId(words[1].parse().unwrap()), label))
    };
    // Without its end a line was not said.
    said.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).filter_map(act).collect()
}

const ACTIONS: [Action; 4] = [Action::Set, Action::Skip, Action::Retract, Action::Restore];

/// What is in the log, as a labeller would have said it.
pub fn logged(store: &Store) -> Vec<Act> {
    let names: HashMap<_, _> = store.experts().unwrap().into_iter().collect();
    let act = |e: LabelEvent| {
        let label = e.event.label().map(str::to_owned);
        (names[&e.event.expert].clone(), e.event.action, e.event.item, label)
    };
    store.events().unwrap().into_iter().map(act).collect()
}

/// Not a test of its own: what the tests here start as a process.
#[test]
#[ignore = "started by other tests, with what it needs in the environment"]
fn a_labeller_says_what_is_saved_once_it_is() {
    let Ok(told) = std::env::var(SEAT) else { return skip(format_args!("{SEAT} names no seat")) };
    let mut words = told.split('\n');
    let (file, name) = (PathBuf::from(words.next().unwrap()), words.next().unwrap());
    let until = Instant::now() + Duration::from_millis(words.next().unwrap().parse().unwrap());
    let seed = u64::from_le_bytes(blake3::hash(name.as_bytes()).as_bytes()[..8].try_into().unwrap());
    let mut labeller = Labeller {
        session: Session::open(&file, name, OnClose::ReleaseCases).unwrap(),
        rng: ChaCha8Rng::seed_from_u64(seed),
        answered: Vec::new(),
        took: BTreeMap::new(),
    };
    say("\n");
    while Instant::now() < until {
        labeller.act();
    }
    let took = std::mem::take(&mut labeller.took);
    labeller.session.close().unwrap();
    for (what, times) in took {
        let times: Vec<String> = times.iter().map(|t| t.as_micros().to_string()).collect();
        say(&format!("{TOOK}{what} {}\n", times.join(" ")));
    }
}

/// In one write, so that a killed process has said a line or not.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes()).and_then(|()| out.flush()).unwrap();
}

struct Labeller {
    session: Session,
    rng: ChaCha8Rng,
    answered: Vec<CaseId>,
    took: BTreeMap<&'static str, Vec<Duration>>,
}

impl Labeller {
    fn timed<T>(&mut self, what: &'static str, act: impl FnOnce(&mut Session) -> T) -> T {
        let begun = Instant::now();
        let out = act(&mut self.session);
        self.took.entry(what).or_default().push(begun.elapsed());
        out
    }

    fn saved(action: Action, item: ItemId, label: Option<&str>) {
        say(&format!("{SAVED}{} {item} {}\n", action.as_str(), label.unwrap_or("-")));
    }

    /// Mostly answers the next case; now and then changes an earlier answer, skips, undoes, and perhaps redoes.
    fn act(&mut self) {
        let next = self.timed("case", |s| s.window(2)).unwrap().into_iter().next();
        match (self.rng.gen_range(0..100), next) {
            (0..4, _) => self.turn(),
            (4..8, Some(card)) => {
                let skipped = self.timed("label", |s| s.skip(card.shown.case)).unwrap();
                Self::saved(Action::Skip, skipped.event.item, None);
            }
            (8..92, Some(card)) => self.answer(card.shown.case),
            // Also where there is no case: others may have come to all of them.
            _ => {
                if let Some(at) = self.answered.len().checked_sub(1) {
                    let case = self.answered[self.rng.gen_range(0..=at)];
                    self.answer(case);
                }
            }
        }
    }

    fn answer(&mut self, case: CaseId) {
        let label = if self.rng.gen_bool(0.4) { "clickbait" } else { "fine" };
        let said = self.timed("label", |s| s.answer_and_reveal(case, label, Remarks::default()));
        let (saved, _) = said.unwrap();
        let key = self.session.task().find_label(label).unwrap().id.clone();
        Self::saved(Action::Set, saved.item, Some(&key));
        self.answered.push(case);
    }

    fn turn(&mut self) {
        let Some(back) = self.timed("label", Session::undo).unwrap() else { return };
        Self::saved(Action::Retract, back.item, None);
        // What was taken back and not put back is another's as soon as it is skipped.
        let answered = self.answered.clone();
        self.answered.retain(|case| Some(*case) != back.case);
        if self.rng.gen_bool(0.5) {
            let again = self.timed("label", Session::redo).unwrap().unwrap();
            Self::saved(Action::Restore, again.item, None);
            self.answered = answered;
        }
    }
}

/// Texts that differ, made from the advertisements: `from` counts on.
fn texts(from: usize, n: usize) -> String {
    let ads: Vec<&str> =
        ADS.lines().skip(1).map(|l| l.split(',').nth(1).unwrap_or(l).trim_matches('"')).collect();
    (from..from + n).map(|i| format!("{} no {i}\n", ads[i % ads.len()])).collect()
}

/// A pool with vectors and prelabels, and an open round.
fn pool(n: usize, budget: usize) -> Project {
    let project = Project::empty();
    project.write("texts.txt", texts(0, n));
    project.run("import", &["texts.txt"]).done();
    if cfg!(feature = "engine") {
        project.run("scout", &[]).done();
    } else {
        project.enter_vectors();
    }
    project.run("mine", &["--budget", &budget.to_string()]).done();
    project
}

/// The seal of a row, as the program would have written it.
fn seal(row: &rusqlite::Row<'_>) -> Vec<u8> {
    use rusqlite::types::ValueRef;
    let mut hash = blake3::Hasher::new();
    for column in 0..row.as_ref().column_count() {
        let (kind, bytes) = match row.get_ref(column).unwrap() {
            ValueRef::Null => (0, Vec::new()),
            ValueRef::Integer(n) => (1, n.to_le_bytes().to_vec()),
            ValueRef::Real(x) => (2, x.to_le_bytes().to_vec()),
            ValueRef::Text(text) => (3, text.to_vec()),
            ValueRef::Blob(bytes) => (4, bytes.to_vec()),
        };
        hash.update(&[kind]).update(&(bytes.len() as u64).to_le_bytes()).update(&bytes);
    }
    hash.finalize().as_bytes()[..16].to_vec()
}

/// The seal that a row holds in itself, as the program would have written it.
pub fn seal_rows(file: &rusqlite::Connection) {
    use rusqlite::functions::FunctionFlags;
    use rusqlite::types::ValueRef;
    file.create_scalar_function("check_of", -1, FunctionFlags::SQLITE_DETERMINISTIC, |context| {
        let mut row = Vec::new();
        for column in 0..context.len() {
            let (kind, bytes) = match context.get_raw(column) {
                ValueRef::Null => (0, Vec::new()),
                ValueRef::Integer(n) => (1, n.to_le_bytes().to_vec()),
                ValueRef::Real(x) => (2, x.to_le_bytes().to_vec()),
                ValueRef::Text(text) => (3, text.to_vec()),
                ValueRef::Blob(bytes) => (4, bytes.to_vec()),
            };
            row.push(kind);
            row.extend((bytes.len() as u32).to_le_bytes());
            row.extend(bytes);
        }
        Ok(i64::from_le_bytes(blake3::hash(&row).as_bytes()[..8].try_into().unwrap()))
    })
    .unwrap();
}

/// A project as it is where people come to it through the network: under a rollback journal, which it keeps while they do.
pub fn come_through_the_network(project: &Project) {
    let file = rusqlite::Connection::open(project.file()).unwrap();
    seal_rows(&file);
    file.execute("UPDATE session SET host = 'elsewhere' WHERE id = (SELECT min(id) FROM session)", ())
        .unwrap();
    let columns = "id, uuid, expert, login, uid, host, process, program, started_ms";
    let sql = format!("SELECT {columns} FROM session ORDER BY id LIMIT 1");
    let (id, seal) = file.query_row(&sql, (), |row| Ok((row.get::<_, i64>(0)?, seal(row)))).unwrap();
    file.execute("UPDATE seal SET hash = ?1 WHERE of = 'session' AND row = ?2", (seal, id)).unwrap();
    let mode: String = file.query_row("PRAGMA journal_mode = DELETE", [], |r| r.get(0)).unwrap();
    assert_eq!(mode, "delete");
}

/// Jobs one after the other, until it is over. How often each was done.
fn jobs(project: &Project, over: &AtomicBool) -> BTreeMap<&'static str, usize> {
    let mut done = BTreeMap::new();
    for turn in 0.. {
        project.write("more.txt", texts(1_000_000 + turn * 400, 400));
        let verbs: [(&str, &[&str]); 6] = [
            ("import", &["more.txt"]),
            ("scout", &[]),
            ("tune", &[]),
            ("mine", &["--budget", "40", "--keep-open"]),
            ("status", &[]),
            ("export", &["--what", "rows"]),
        ];
        for (verb, arguments) in verbs {
            if over.load(Ordering::Relaxed) {
                return done;
            }
            if verb == "scout" && !cfg!(feature = "engine") {
                continue;
            }
            let mut command = project.command(verb, arguments);
            command.arg("--quiet");
            let ran = run(command).done();
            assert_eq!(ran.err, "", "{verb} has something to complain of");
            *done.entry(verb).or_default() += 1;
        }
    }
    done
}

/// What is said of a crowd, and what is printed.
struct Said {
    acts: Vec<Act>,
    took: BTreeMap<String, Vec<u64>>,
}

fn sit(project: &Project, labellers: u64, stay: Duration) -> Said {
    let children: Vec<(String, Child)> = (0..labellers)
        .map(|i| format!("labeller-{i}"))
        .map(|name| (name.clone(), seat(&project.file(), &name, stay).spawn().unwrap()))
        .collect();
    // All of them are read at once: none waits for a full pipe.
    let ends: Vec<_> = children
        .into_iter()
        .map(|(name, child)| (name, std::thread::spawn(move || child.wait_with_output().unwrap())))
        .collect();
    let mut said = Said { acts: Vec::new(), took: BTreeMap::new() };
    for (name, end) in ends {
        let output = end.join().unwrap();
        let (out, err) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(output.status.success(), "{name}: {err}{out}");
        said.acts.extend(acts(&name, &out));
        for line in out.lines().filter_map(|line| line.strip_prefix(TOOK)) {
            let (what, times) = line.split_once(' ').unwrap();
            let times = times.split(' ').map(|t| t.parse::<u64>().unwrap());
            said.took.entry(what.to_owned()).or_default().extend(times);
        }
    }
    said
}

/// How many persons each item's case may be seen by; repeats are their expert's.
fn wishes(project: &Project) -> HashMap<ItemId, usize> {
    let file = rusqlite::Connection::open(project.file()).unwrap();
    let mut statement = file
        .prepare("SELECT item, max(overlap) FROM label_case WHERE reason <> 'repeat' GROUP BY item")
        .unwrap();
    let rows = statement
        .query_map([], |r| Ok((ItemId(r.get(0)?), r.get::<_, i64>(1)?.unsigned_abs() as usize)))
        .unwrap();
    rows.map(Result::unwrap).collect()
}

fn repeats(project: &Project) -> HashSet<CaseId> {
    let file = rusqlite::Connection::open(project.file()).unwrap();
    let mut statement = file.prepare("SELECT id FROM label_case WHERE reason = 'repeat'").unwrap();
    let rows = statement.query_map([], |r| Ok(CaseId(r.get(0)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Fails where a case has been labelled by more persons at any moment of the log than it was to be seen by.
fn overlap_is_kept(project: &Project, events: &[LabelEvent]) {
    let (wishes, repeats) = (wishes(project), repeats(project));
    let mut standing: HashMap<ItemId, HashSet<_>> = HashMap::new();
    let mut sets = HashMap::new();
    for e in events.iter().filter(|e| e.event.case.is_none_or(|case| !repeats.contains(&case))) {
        let (item, expert) = (e.event.item, e.event.expert);
        match e.event.action {
            Action::Set => {
                sets.insert(e.uuid, expert);
                standing.entry(item).or_default().insert((expert, e.uuid));
            }
            Action::Retract => {
                let uuid = e.event.target.unwrap();
                standing.entry(item).or_default().remove(&(expert, uuid));
            }
            Action::Restore => {
                let uuid = e.event.target.unwrap();
                if sets.contains_key(&uuid) {
                    standing.entry(item).or_default().insert((expert, uuid));
                }
            }
            _ => {}
        }
        let annotators: HashSet<_> =
            standing.get(&item).into_iter().flatten().map(|(expert, _)| *expert).collect();
        assert!(
            annotators.len() <= wishes[&item],
            "item {item}: {} annotators of {}",
            annotators.len(),
            wishes[&item]
        );
    }
}

fn quantile(times: &mut [u64], q: f64) -> f64 {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * q).round() as usize] as f64 / 1_000.0
}

/// Lets a crowd label while jobs run, and compares what it saw saved with the log.
fn prove(project: &Project, labellers: u64, stay: Duration, what: &str) {
    let over = AtomicBool::new(false);
    let begun = Instant::now();
    let (mut said, done) = std::thread::scope(|scope| {
        let jobs = scope.spawn(|| jobs(project, &over));
        // The jobs end when a labeller fails, too: else the test would wait for them forever.
        let said = std::panic::catch_unwind(|| sit(project, labellers, stay));
        over.store(true, Ordering::Relaxed);
        let done = jobs.join().unwrap();
        (said.unwrap_or_else(|cause| std::panic::resume_unwind(cause)), done)
    });
    let seconds = begun.elapsed().as_secs_f64();

    let store = project.is_whole();
    let events = store.events().unwrap();
    assert!(said.acts.len() as u64 > labellers * 3, "only {} acts were saved", said.acts.len());
    let (mut acknowledged, mut in_file) = (said.acts.clone(), logged(&store));
    let by = |act: &Act| (act.0.clone(), act.1.as_str(), act.2.0, act.3.clone());
    acknowledged.sort_by_key(by);
    in_file.sort_by_key(by);
    assert!(
        acknowledged == in_file,
        "{} acts were saved, {} are in the file",
        acknowledged.len(),
        in_file.len()
    );
    assert!(events.windows(2).all(|w| w[0].lamport < w[1].lamport), "each has a number of its own");
    let mut numbers: HashMap<_, i64> = HashMap::new();
    for event in &events {
        let last = numbers.entry(event.session).or_default();
        assert_eq!(event.seq, *last + 1, "numbers of a session have no gap");
        *last += 1;
    }
    overlap_is_kept(project, &events);

    println!(
        "{what}: {labellers} labellers, {} acts in {seconds:.1} s ({:.0}/s); at the same time {done:?}",
        said.acts.len(),
        said.acts.len() as f64 / seconds
    );
    for (what, times) in &mut said.took {
        println!(
            "  {what}: n {}, p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms",
            times.len(),
            quantile(times, 0.5),
            quantile(times, 0.99),
            quantile(times, 1.0)
        );
    }
}

#[test]
fn what_a_crowd_saw_saved_is_in_the_log_once_with_nothing_else_and_no_case_is_seen_by_too_many() {
    let (labellers, seconds) = (told("HARDCASE_PROOF_LABELLERS", 6), told("HARDCASE_PROOF_SECONDS", 4));
    let cases = usize::try_from(labellers * seconds * 8).unwrap().min(4_000);
    let project = pool(cases * 2 + 600, cases);
    prove(&project, labellers, Duration::from_secs(seconds), "write-ahead log");
}

#[test]
fn a_crowd_on_a_project_with_a_rollback_journal_loses_nothing_either() {
    let (labellers, seconds) =
        (told("HARDCASE_PROOF_LABELLERS", 4).min(8), told("HARDCASE_PROOF_SECONDS", 3));
    let cases = usize::try_from(labellers * seconds * 8).unwrap().min(2_000);
    let project = pool(cases * 2 + 600, cases);
    come_through_the_network(&project);
    prove(&project, labellers, Duration::from_secs(seconds), "rollback journal");
    let file = rusqlite::Connection::open(project.file()).unwrap();
    let mode: String = file.query_row("PRAGMA journal_mode", [], |r| r.get(0)).unwrap();
    assert_eq!(mode, "delete", "nobody went back to the write-ahead log");
    assert!(!project.path("pool.hardcase-wal").exists());
}
