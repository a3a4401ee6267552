//! A project in a folder of its own, and the binary run on it. What every module here starts from.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hardcase::desk::session::{Next, OnClose, Remarks, Session};
use hardcase::domain::encoder_reading::EncoderReading;
use hardcase::domain::ids::{ItemId, PredictorId};
use hardcase::domain::predictor::{Method, Predictor, SharesFrom, ZeroShot, ZeroShotSettings};
use hardcase::domain::settings::Stored;
use hardcase::store::pool::embeddings::Space;
use hardcase::store::pool::predictors::Model;
use hardcase::store::{Access, Store};
use serde_json::Value;
use tempfile::TempDir;

/// The made-up advertisements of the demo: id, text, placement, advertiser, gold.
pub const ADS: &str = include_str!("../../assets/demo/ads.csv");
/// Two labels, `clickbait` on 1 and `fine` on 2.
pub const TASK: &str = include_str!("../../assets/demo/task.toml");
/// Values of the vectors that are made here.
const DIMENSIONS: usize = 64;

/// What one run of the binary gave.
pub struct Ran {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// Fails unless the run ended well.
    #[track_caller]
    pub fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self
    }

    /// The one JSON document on standard output of a run that ended well.
    #[track_caller]
    pub fn json(self) -> Value {
        let ran = self.done();
        serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}", ran.out))
    }

    /// A JSON document on each line of standard output.
    #[track_caller]
    pub fn json_lines(self) -> Vec<Value> {
        let ran = self.done();
        ran.out.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"))).collect()
    }

    /// Fails unless the run was refused with that exit code and exactly one sentence, which holds all of `parts`.
    #[track_caller]
    pub fn refused(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        assert_eq!(self.out, "", "a refusal prints no result");
        assert_eq!(self.err.trim_end().lines().count(), 1, "one line, not:\n{}", self.err);
        // With `--json`, the sentence is in a document.
        let said = match serde_json::from_str::<Value>(&self.err) {
            Ok(document) => format!("hardcase: {}", document["error"].as_str().unwrap_or_default()),
            Err(_) => self.err.clone(),
        };
        assert!(said.starts_with("hardcase: cannot "), "{said}");
        for part in parts {
            assert!(said.contains(part), "no {part:?} in: {said}");
        }
    }
}

/// The binary, with a home of its own: the embedded model is unpacked there once for all tests.
pub fn program() -> std::process::Command {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("loop-home");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hardcase"));
    command
        .env("HOME", &home)
        .env("XDG_DATA_HOME", home.join("data"))
        .env("LOGNAME", "ada")
        .env_remove("HARDCASE_IN_CHILD");
    command
}

/// Runs a prepared command to its end.
#[track_caller]
pub fn run(command: std::process::Command) -> Ran {
    // Only so that a program that hangs fails its test rather than the whole run.
    let output = assert_cmd::Command::from_std(command)
        .timeout(Duration::from_secs(300))
        .output()
        .expect("the program starts");
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
        err: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
    }
}

/// Runs `hardcase ARGUMENTS`.
#[track_caller]
pub fn hardcase<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Ran {
    let mut command = program();
    command.args(arguments);
    run(command)
}

/// A project file alone in a temporary folder.
pub struct Project {
    dir: TempDir,
}

impl Project {
    /// A folder without a project yet.
    pub fn none() -> Self {
        Self { dir: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A project with the task of the demo and no text.
    pub fn empty() -> Self {
        let project = Self::none();
        let task = project.write("task.toml", TASK);
        hardcase([OsStr::new("new"), project.file().as_os_str(), "--task".as_ref(), task.as_os_str()]).done();
        project
    }

    /// A project with the first `n` advertisements.
    pub fn with_ads(n: usize) -> Self {
        let project = Self::empty();
        let data = project.write("ads.csv", ads(n));
        project.import_ads(&data).done();
        project
    }

    /// The same, with a vector and a zero-shot prelabel for each text, entered through the library: what a label-only build starts from.
    pub fn scouted_elsewhere(n: usize) -> Self {
        let project = Self::with_ads(n);
        project.enter_vectors();
        project
    }

    /// Imports advertisements with their columns.
    #[track_caller]
    pub fn import_ads(&self, data: &Path) -> Ran {
        let data = data.to_str().expect("a temporary path is UTF-8");
        self.run("import", &[data, "--text", "text", "--id", "id", "--gold", "gold", "--meta", "placement"])
    }

    /// The project file.
    pub fn file(&self) -> PathBuf {
        self.path("pool.hardcase")
    }

    /// A path in the project's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file next to the project.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("the temporary folder can be written");
        path
    }

    /// `hardcase VERB FILE ARGUMENTS` on this project, not yet started.
    pub fn command(&self, verb: &str, arguments: &[&str]) -> std::process::Command {
        let mut command = program();
        command.arg(verb).arg(self.file()).args(arguments).current_dir(self.dir.path());
        command
    }

    /// Runs `hardcase VERB FILE ARGUMENTS --quiet`.
    #[track_caller]
    pub fn run(&self, verb: &str, arguments: &[&str]) -> Ran {
        let mut command = self.command(verb, arguments);
        command.arg("--quiet");
        run(command)
    }

    /// The same with `--json`, and its document.
    #[track_caller]
    pub fn json(&self, verb: &str, arguments: &[&str]) -> Value {
        let mut command = self.command(verb, arguments);
        command.args(["--quiet", "--json"]);
        run(command).json()
    }

    /// Everything that can be seen of the texts: the counts, and every row.
    #[track_caller]
    pub fn visible(&self) -> (Value, Value, String) {
        let status = self.json("status", &[]);
        (status["items"].clone(), status["rows"].clone(), self.run("export", &["--what", "rows"]).done().out)
    }

    /// What `next --as NAME --json` prints, through the library: a process for each case and each answer is what most of a long round takes.
    pub fn next_as(&self, name: &str) -> Value {
        let mut session = Session::open(&self.file(), name, OnClose::KeepCases).unwrap();
        let next = match session.next_case().unwrap() {
            Next::Case(case) => serde_json::to_value(case).unwrap(),
            Next::None(why) => serde_json::json!({ "case": null, "why": why.to_string() }),
        };
        session.close().unwrap();
        next
    }

    /// What `answer --as NAME --item ITEM --label LABEL --json` prints, through the library.
    #[track_caller]
    pub fn answer_as(&self, name: &str, item: i64, label: &str) -> Value {
        let mut session = Session::open(&self.file(), name, OnClose::KeepCases).unwrap();
        let saved = session.answer_and_count(ItemId(item), label, Remarks::default()).unwrap();
        session.close().unwrap();
        serde_json::to_value(saved).unwrap()
    }

    /// Has ada answer every case that is open to her, in one session. Returns how many there were.
    pub fn answer_all(&self, label: impl Fn(i64) -> String) -> usize {
        let mut session = Session::open(&self.file(), "ada", OnClose::KeepCases).unwrap();
        let mut answered = 0;
        while let Next::Case(case) = session.next_case().unwrap() {
            session.answer(case.item, label(case.item.0), Remarks::default()).unwrap();
            answered += 1;
        }
        session.close().unwrap();
        answered
    }

    /// A project that several tests begin with: made by the first of them, in whichever process, and copied for each.
    #[cfg(feature = "engine")]
    pub fn made_once(name: &str, make: impl FnOnce() -> Self) -> Self {
        // Another build of the program may make another project.
        let built = std::fs::metadata(env!("CARGO_BIN_EXE_hardcase")).unwrap();
        let built = built.modified().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("loop-projects").join(name);
        std::fs::create_dir_all(&kept).unwrap();
        let lock = std::fs::File::create(kept.join("lock")).unwrap();
        lock.lock().unwrap();
        let folder = kept.join(built.to_string());
        if !folder.exists() {
            for old in
                std::fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().path()).filter(|p| p.is_dir())
            {
                std::fs::remove_dir_all(old).unwrap();
            }
            let half_made = kept.join("half-made");
            copy_files(make().dir.path(), &half_made);
            std::fs::rename(&half_made, &folder).unwrap();
        }
        let project = Self::none();
        copy_files(&folder, project.dir.path());
        project
    }

    /// The gold label of each item, from the export that alone may read it.
    pub fn gold(&self) -> std::collections::HashMap<i64, String> {
        self.run("export", &["--what", "predictions"])
            .json_lines()
            .iter()
            .filter_map(|line| Some((line["item"].as_i64()?, line["gold"].as_str()?.to_owned())))
            .collect()
    }

    /// Fails unless the file is whole by SQLite's slow check, references included.
    #[track_caller]
    pub fn is_whole(&self) -> Store {
        let store = Store::open(&self.file(), Access::Read).unwrap();
        assert_eq!(store.integrity_check().unwrap(), Vec::<String>::new());
        store
    }

    /// Enters a vector and a zero-shot prelabel for each text.
    pub fn enter_vectors(&self) {
        let mut store = Store::open(&self.file(), Access::Job).unwrap();
        let revision = store.task().unwrap();
        let model = Model {
            sha256: vec![1; 32],
            name: "bag of words".into(),
            path: "/nowhere/bag-of-words.gguf".into(),
            architecture: "bert".into(),
            quantisation: "F32".into(),
            dimensions: DIMENSIONS,
            bytes: 1,
            reading: EncoderReading::default(),
        };
        let id = store.enter_model(&model).unwrap();
        let (mut items, mut vectors) = (Vec::new(), Vec::new());
        store
            .for_each_item(|item, text, _, _| {
                items.push(item);
                vectors.extend(vector(text));
                Ok(())
            })
            .unwrap();
        store.put_vectors(Space::base(id), &items, &vectors, DIMENSIONS).unwrap();
        let anchors: Vec<Vec<f32>> =
            revision.task.anchors().iter().map(|texts| vector(&texts.join(" "))).collect();
        let score = |v: &[f32], a: &[f32]| v.iter().zip(a).map(|(v, a)| v * a).sum::<f32>();
        let scores = ndarray::Array2::from_shape_fn((items.len(), anchors.len()), |(i, label)| {
            score(&vectors[i * DIMENSIONS..(i + 1) * DIMENSIONS], &anchors[label])
        });
        let shares = revision.task.shares();
        let calibration = match revision.task.kind.is_several() {
            true => ZeroShot::fit_each(scores.view(), &shares),
            false => ZeroShot::fit(scores.view(), &shares),
        };
        let probabilities = calibration.probabilities(scores.view());
        let labels = anchors.len();
        let settings =
            ZeroShotSettings { anchors, mean: Vec::new(), calibration, shares_from: SharesFrom::Pool };
        let predictor = Predictor {
            id: PredictorId(0),
            method: Method::ZeroShot(Stored::Known(settings)),
            model: id,
            revision: revision.id,
            labels: revision.task.labels.iter().map(|l| l.id.clone()).collect(),
            created_ms: 0,
        };
        let predictor = store.add_predictor(&predictor).unwrap();
        let flat: Vec<f32> = probabilities.iter().copied().collect();
        store.put_predictions(predictor, &items, &flat, labels).unwrap();
        store.activate(predictor).unwrap();
    }
}

/// Copies the files of a folder, those of its folders left out.
#[cfg(feature = "engine")]
fn copy_files(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// The header and the first `n` advertisements; each stands on one line.
pub fn ads(n: usize) -> String {
    ADS.lines().take(n + 1).map(|line| format!("{line}\n")).collect()
}

/// A text as counts of its hashed words, unit length.
pub fn vector(text: &str) -> Vec<f32> {
    let mut counts = vec![0.0f32; DIMENSIONS];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
        let hash = blake3::hash(word.to_lowercase().as_bytes());
        counts[usize::from(hash.as_bytes()[0]) % DIMENSIONS] += 1.0;
    }
    let length = counts.iter().map(|c| c * c).sum::<f32>().sqrt().max(1.0);
    counts.iter().map(|c| c / length).collect()
}
