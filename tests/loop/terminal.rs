//! The binary at a pseudo-terminal: keys in, what a person reads out.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use super::project::program;

/// Only so that a program that hangs fails its test rather than the whole run.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running program and its terminal of 80×24.
pub struct Terminal {
    keys: Box<dyn Write + Send>,
    screen: Receiver<Vec<u8>>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    bytes: Vec<u8>,
    /// Where [`Terminal::wait_for`] reads on.
    read_to: usize,
}

impl Terminal {
    /// Starts `hardcase ARGUMENTS` in a folder, as over a terminal of which nothing is known.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        let size = PtySize { rows: 24, cols: 80, ..PtySize::default() };
        let pair = native_pty_system().openpty(size).unwrap();
        let program = program();
        let mut command = CommandBuilder::new(program.get_program());
        command.args(arguments);
        command.cwd(folder);
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            }
        }
        command.env("TERM", "dumb");
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let (send, screen) = channel();
        std::thread::spawn(move || {
            // Holds the terminal open for as long as anything is read from it.
            let _master = pair.master;
            let mut piece = [0; 4096];
            // At the end Linux reports an error where other systems report nothing.
            while let Ok(n @ 1..) = reader.read(&mut piece) {
                if send.send(piece[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { keys, screen, child, bytes: Vec::new(), read_to: 0 }
    }

    /// Everything that has come so far, line ends as in files.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.bytes).replace('\r', "")
    }

    /// Waits until `text` stands in what came since the last wait.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        loop {
            let shown = self.shown();
            if let Some(at) = shown[self.read_to..].find(text) {
                self.read_to += at + text.len();
                return;
            }
            match self.screen.recv_timeout(PATIENCE) {
                Ok(bytes) => self.bytes.extend(bytes),
                Err(why) => panic!("no {text:?} ({why}) in:\n{}", &shown[self.read_to..]),
            }
        }
    }

    /// Waits for a prompt, then types.
    #[track_caller]
    pub fn answer(&mut self, prompt: &str, keys: &str) {
        self.wait_for(prompt);
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// The exit code, and all that was shown.
    #[track_caller]
    pub fn end(mut self) -> (u32, String) {
        while let Ok(bytes) = self.screen.recv_timeout(PATIENCE) {
            self.bytes.extend(bytes);
        }
        (self.child.wait().unwrap().exit_code(), self.shown())
    }
}
