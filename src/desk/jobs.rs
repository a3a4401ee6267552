//! Jobs as child processes: the same program with the verb a person would type, its progress read as JSON lines.
//!
//! A crash there ends the job, never the screen, and loses no label. A child outlives the screen that started it, unless it is stopped.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use super::grown::{ChangedFile, Counting, Grown, grown};
pub use super::job_kind::JobKind;
use super::local_models::judges;
use super::results::{Results, Wanted, Written, count, write};
use super::written_path::written_path;
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::local_model::LocalModel;
use crate::domain::progress::Progress;
use crate::insight::quality::Quality;
use crate::insight::status::status;
use crate::store::log::runs::{Outcome, Run};
use crate::store::{Access, Store};

/// How often the progress of another process's job is read.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Recent runs among which running ones are looked for: one of each kind, and some that have ended.
const RECENT: usize = 2 * JobKind::ALL.len();

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It finished.
    Done,
    /// It was stopped; what it finished is kept.
    Stopped,
    /// It failed, or its process was killed.
    Failed,
}

/// A message from a job.
#[derive(Clone, Debug)]
pub enum News {
    /// It has started.
    Started(JobKind),
    Progress(JobKind, Progress),
    /// A note while it runs.
    Note(JobKind, String),
    /// It ended; with its last message.
    Ended(JobKind, End, String),
    /// The models of this machine that can judge.
    Judges(Vec<LocalModel>),
    /// How much results of this kind would hold, in a sentence; or why that is not known.
    Counted(Results, std::result::Result<String, String>),
    /// How good the labels are; or why that is not known.
    Quality(std::result::Result<Quality, String>),
    /// What became of results that were to be written.
    Results(Written),
    /// What the project does not know of yet.
    Grown(Grown),
}

type Report = Arc<dyn Fn(News) + Send + Sync>;

/// The jobs of a project, as one screen sees them.
pub struct Jobs {
    program: PathBuf,
    project: PathBuf,
    expert: String,
    report: Report,
    running: Arc<Mutex<Vec<(JobKind, u32)>>>,
    followed: Arc<Mutex<Vec<JobKind>>>,
    stopping: Arc<AtomicBool>,
}

impl Jobs {
    /// Jobs of a project; `report` is called on other threads with what they say.
    ///
    /// # Errors
    /// The path of the program is not known.
    pub fn new(project: &Path, expert: &str, report: impl Fn(News) + Send + Sync + 'static) -> Result<Self> {
        let program = std::env::current_exe()
            .map_err(|e| Fault::new("find this program, to start jobs with it", io_reason(&e)).because(e))?;
        Ok(Self {
            program,
            // Whole, because a job may run in another folder.
            project: std::path::absolute(project).unwrap_or_else(|_| project.to_owned()),
            expert: expert.to_owned(),
            report: Arc::new(report),
            running: Arc::default(),
            followed: Arc::default(),
            stopping: Arc::default(),
        })
    }

    /// Starts jobs one after the other. If one fails or is stopped, the rest are not started.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn start(&self, kinds: Vec<JobKind>) -> Result<()> {
        self.begin(kinds.into_iter().map(|kind| (kind, self.command(kind))).collect())
    }

    /// Has a language model judge: the one of this name, or the GGUF file of this path, as a person writes it, or the last one if it is empty.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn judge(&self, model: &str) -> Result<()> {
        let mut command = self.command(JobKind::Judge);
        if let Some(model) = written_path(model) {
            // One argument, because a file name may begin with a dash.
            let mut word = OsString::from("--model=");
            word.push(model);
            command.arg(word);
        }
        self.begin(vec![(JobKind::Judge, command)])
    }

    /// Looks for what the project does not know of yet: new rows of its files, texts that the model has not read. Returns at once; what cannot be
    /// read says nothing.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn look_for_new(&self) -> Result<()> {
        let (project, report) = (self.project.clone(), Arc::clone(&self.report));
        spawn("new texts", move || {
            if let Ok(grown) = grown(&project, Counting::Rows) {
                report(News::Grown(grown));
            }
        })
    }

    /// Adds what is new in these files, and then has the model read it, where this build can.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn add_new(&self, files: &[ChangedFile]) -> Result<()> {
        self.begin(self.to_add(files, cfg!(feature = "engine")))
    }

    fn to_add(&self, files: &[ChangedFile], has_engine: bool) -> Vec<(JobKind, Command)> {
        let mut commands: Vec<(JobKind, Command)> = Vec::new();
        for file in files {
            let mut command = self.command(JobKind::Import);
            command.arg("--").arg(&file.name).current_dir(&file.from);
            commands.push((JobKind::Import, command));
        }
        if has_engine {
            commands.push((JobKind::Scout, self.command(JobKind::Scout)));
        }
        commands
    }

    /// Lists the models of this machine that can judge. Returns at once.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn list_judges(&self) -> Result<()> {
        let (program, report) = (self.program.clone(), Arc::clone(&self.report));
        spawn("models", move || report(News::Judges(judges(&program))))
    }

    /// Counts what results of this kind would hold. Returns at once.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn count_results(&self, results: Results) -> Result<()> {
        let (program, report) = (self.program.clone(), Arc::clone(&self.report));
        let (project, expert) = (self.project.clone(), self.expert.clone());
        spawn("count", move || report(News::Counted(results, count(&program, &project, &expert, results))))
    }

    /// Reads how good the labels are. Returns at once.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn assess(&self) -> Result<()> {
        let (project, expert, report) = (self.project.clone(), self.expert.clone(), Arc::clone(&self.report));
        let read = move || status(&project, &expert).map(|status| Quality::of(&status));
        spawn("quality", move || report(News::Quality(read().map_err(|fault| fault.to_string()))))
    }

    /// Writes results. Returns at once.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn write_results(&self, wanted: Wanted) -> Result<()> {
        let (program, report) = (self.program.clone(), Arc::clone(&self.report));
        let (project, expert) = (self.project.clone(), self.expert.clone());
        spawn("results", move || report(News::Results(write(&program, &project, &expert, wanted))))
    }

    fn begin(&self, commands: Vec<(JobKind, Command)>) -> Result<()> {
        self.stopping.store(false, Ordering::Relaxed);
        let (report, running) = (Arc::clone(&self.report), Arc::clone(&self.running));
        let stopping = Arc::clone(&self.stopping);
        spawn("jobs", move || {
            for (kind, command) in commands {
                let end = run(kind, command, &report, &running, &stopping);
                if end != End::Done || stopping.load(Ordering::Relaxed) {
                    break;
                }
            }
        })
    }

    /// Looks for jobs that other processes run, and follows those that are not followed yet until they end. Returns at once.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn follow(&self) -> Result<()> {
        let others = Others {
            project: self.project.clone(),
            report: Arc::clone(&self.report),
            ours: Arc::clone(&self.running),
            followed: Arc::clone(&self.followed),
        };
        spawn("look", move || others.look())
    }

    /// Tells every job that this screen started to end after its current batch. Only once, because a second time would end it at once.
    pub fn stop(&self) {
        if self.stopping.swap(true, Ordering::Relaxed) {
            return;
        }
        for (_, process) in locked(&self.running).iter() {
            end_process(*process);
        }
    }

    /// Whether a job that this screen started is running.
    pub fn any_running(&self) -> bool {
        !locked(&self.running).is_empty()
    }

    fn command(&self, kind: JobKind) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(kind.verb())
            .arg(&self.project)
            .args(["--progress", "json", "--as"])
            .arg(&self.expert)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // In a process group of its own, so that signals from the terminal, hang-ups included, do not reach the job.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<()> {
    std::thread::Builder::new()
        .name(name.into())
        .spawn(run)
        .map(drop)
        .map_err(|e| Fault::new("start a job", "the system gives no more threads").because(e))
}

/// The exit codes of a job that a hang-up, Ctrl-C or a request to end has stopped.
const STOPPED: [i32; 3] = [129, 130, 143];

fn run(
    kind: JobKind,
    mut command: Command,
    report: &Report,
    running: &Mutex<Vec<(JobKind, u32)>>,
    stopping: &AtomicBool,
) -> End {
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(e) => {
            report(News::Ended(kind, End::Failed, format!("cannot start the job: {}", io_reason(&e))));
            return End::Failed;
        }
    };
    let process = child.id();
    locked(running).push((kind, process));
    report(News::Started(kind));
    let message = read_outputs(&mut child, kind, report);
    let status = child.wait();
    locked(running).retain(|(_, other)| *other != process);
    let end = match status {
        _ if stopping.load(Ordering::Relaxed) => End::Stopped,
        Ok(status) if status.success() => End::Done,
        // Another than this screen told it to stop.
        Ok(status) if status.code().is_some_and(|code| STOPPED.contains(&code)) => End::Stopped,
        _ => End::Failed,
    };
    report(News::Ended(kind, end, message));
    end
}

/// Reads a child's outputs until it closes both. Returns its last message.
fn read_outputs(child: &mut Child, kind: JobKind, report: &Report) -> String {
    let stdout = child.stdout.take();
    std::thread::scope(|scope| {
        let reading = scope.spawn(move || {
            let mut text = String::new();
            if let Some(mut out) = stdout {
                // Unreadable output counts as none.
                let _ = out.read_to_string(&mut text);
            }
            text
        });
        let mut complaint = None;
        for line in child.stderr.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
            let Ok(line) = line else { break };
            match err_line(&line) {
                ErrLine::Progress(progress) => report(News::Progress(kind, progress)),
                ErrLine::Note(note) => report(News::Note(kind, note)),
                ErrLine::Complaint(why) => complaint = Some(why),
            }
        }
        let text = reading.join().unwrap_or_default();
        complaint.unwrap_or_else(|| text.trim().to_owned())
    })
}

/// A line of a job's standard error.
enum ErrLine {
    Progress(Progress),
    Note(String),
    Complaint(String),
}

#[derive(Deserialize)]
struct Note {
    note: String,
}

fn err_line(line: &str) -> ErrLine {
    if let Ok(progress) = serde_json::from_str(line) {
        return ErrLine::Progress(progress);
    }
    match serde_json::from_str::<Note>(line) {
        Ok(note) => ErrLine::Note(note.note),
        Err(_) => ErrLine::Complaint(line.trim_start_matches("hardcase: ").to_owned()),
    }
}

/// Jobs that other processes run, followed through their records in the file.
#[derive(Clone)]
struct Others {
    project: PathBuf,
    report: Report,
    ours: Arc<Mutex<Vec<(JobKind, u32)>>>,
    followed: Arc<Mutex<Vec<JobKind>>>,
}

impl Others {
    fn look(&self) {
        // If the file cannot be read now, it is read again later.
        for run in self.runs().unwrap_or_default().into_iter().filter(|run| run.outcome.is_none()) {
            let Some(kind) = JobKind::of_name(&run.kind) else { continue };
            if locked(&self.ours).iter().any(|(ours, _)| *ours == kind) || !self.begin(kind) {
                continue;
            }
            let others = self.clone();
            if spawn("follow", move || others.follow(kind)).is_err() {
                self.end(kind);
            }
        }
    }

    /// Marks a job as followed. False if it was already.
    fn begin(&self, kind: JobKind) -> bool {
        let mut followed = locked(&self.followed);
        let is_new = !followed.contains(&kind);
        if is_new {
            followed.push(kind);
        }
        is_new
    }

    fn end(&self, kind: JobKind) {
        locked(&self.followed).retain(|followed| *followed != kind);
    }

    fn runs(&self) -> Result<Vec<Run>> {
        Store::open(&self.project, Access::Read)?.runs(RECENT)
    }

    /// Reports a job's progress until it ends.
    fn follow(&self, kind: JobKind) {
        (self.report)(News::Started(kind));
        let (end, says) = loop {
            match self.runs().map(|runs| runs.into_iter().find(|run| run.kind == kind.name())) {
                Ok(Some(run)) => match run.outcome {
                    None => {
                        if let Some(progress) = run.progress {
                            (self.report)(News::Progress(kind, progress));
                        }
                    }
                    Some(Outcome::Done) => break (End::Done, run.message.unwrap_or_default()),
                    Some(Outcome::Stopped) => break (End::Stopped, run.message.unwrap_or_default()),
                    Some(_) => break (End::Failed, run.message.unwrap_or_default()),
                },
                Ok(None) => break (End::Failed, "its record is no longer in the project file".into()),
                Err(fault) => break (End::Failed, fault.to_string()),
            }
            wait();
        };
        self.end(kind);
        (self.report)(News::Ended(kind, end, says));
    }
}

#[expect(clippy::disallowed_methods, reason = "another process's job can only be looked at now and then")]
fn wait() {
    std::thread::sleep(LOOK_EVERY);
}

#[cfg(unix)]
fn end_process(process: u32) {
    let process = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(process) = process {
        // A job that has ended needs no signal.
        let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
    }
}

#[cfg(not(unix))]
fn end_process(_process: u32) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_texts_are_added_from_where_their_files_are_and_then_read_where_there_is_a_model() {
        let jobs = Jobs::new(Path::new("pool.hardcase"), "ada", |_| {}).unwrap();
        let file = |name: &str| ChangedFile { name: name.into(), from: "/data".into(), rows: None };
        let verbs = |has_engine| -> Vec<(JobKind, Option<PathBuf>)> {
            let commands = jobs.to_add(&[file("a.csv"), file("-b.csv")], has_engine);
            commands.into_iter().map(|(kind, it)| (kind, it.get_current_dir().map(Path::to_owned))).collect()
        };
        let from = Some(PathBuf::from("/data"));
        let imports = vec![(JobKind::Import, from.clone()), (JobKind::Import, from)];
        assert_eq!(verbs(false), imports);
        assert_eq!(verbs(true), [imports, vec![(JobKind::Scout, None)]].concat());
        let dashed = &jobs.to_add(&[file("-b.csv")], false)[0].1;
        assert_eq!(dashed.get_args().skip_while(|word| *word != "--").nth(1), Some("-b.csv".as_ref()));
    }
}
