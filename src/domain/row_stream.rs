//! Rows of a foreign table as a stream of JSON, an object a line. A thread of its own decodes them: a few are ready before they are asked for, and a
//! decoder that a damaged file makes panic costs that file and nothing else.

use std::cell::Cell;
use std::io::{self, Cursor, Read};
use std::panic;
use std::sync::Once;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use super::fault::{Fault, Result};

/// Bytes of JSON handed over at a time.
const PIECE: usize = 128 << 10;
/// Pieces that wait to be read.
const READ_AHEAD: usize = 2;
/// Of the decoding thread. Schemas are nested as a file likes, and decoders follow them.
const STACK: usize = 64 << 20;
/// The most bytes of a text that go on: more than a record may have, so that a row with such a text is refused for its length.
const LONGEST: usize = 17 << 20;

/// What the decoding thread says.
enum Says {
    /// What the table is called. First, and once.
    Called(String),
    Lines(Vec<u8>),
}

/// The rows as they are read. Reading fails with a [`Fault`].
pub struct RowStream {
    from: Receiver<Result<Says>>,
    piece: Cursor<Vec<u8>>,
    thread: Option<JoinHandle<()>>,
    attempted: String,
}

impl RowStream {
    /// Decodes on another thread. `make` says first what the table is called, and then gives its rows. Returns the name with the rows.
    ///
    /// # Errors
    /// What `make` fails with before it has said the name; afterwards, reading fails.
    pub fn begin(
        attempted: String,
        make: impl FnOnce(&mut Rows) -> Result<()> + Send + 'static,
    ) -> Result<(String, Self)> {
        say_nothing_of_decoders();
        let (to, from) = sync_channel(READ_AHEAD);
        let why = attempted.clone();
        let thread = Builder::new()
            .name("decoder".into())
            .stack_size(STACK)
            .spawn(move || {
                IS_DECODER.set(true);
                let mut rows = Rows { to, lines: Vec::new(), attempted: why };
                let ended = make(&mut rows).and_then(|()| rows.hand_over());
                if let Err(fault) = ended {
                    // Nobody may be there any more.
                    let _ = rows.to.send(Err(fault));
                }
            })
            .map_err(|e| Fault::new(&attempted, e.to_string()))?;
        let mut stream = Self { from, piece: Cursor::default(), thread: Some(thread), attempted };
        match stream.next() {
            Some(Ok(Says::Called(name))) => Ok((name, stream)),
            Some(Ok(Says::Lines(lines))) => {
                stream.piece = Cursor::new(lines);
                Ok((String::new(), stream))
            }
            Some(Err(fault)) => Err(fault),
            None if stream.panicked() => Err(stream.damaged()),
            None => Ok((String::new(), stream)),
        }
    }

    fn next(&mut self) -> Option<Result<Says>> {
        self.from.recv().ok()
    }

    fn panicked(&mut self) -> bool {
        self.thread.take().is_some_and(|thread| thread.join().is_err())
    }

    fn damaged(&self) -> Fault {
        Fault::usage(&self.attempted, "it is damaged").hint("Get the file again")
    }
}

impl Read for RowStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.piece.read(buf)?;
            if n > 0 || buf.is_empty() {
                return Ok(n);
            }
            match self.next() {
                Some(Ok(Says::Lines(lines))) => self.piece = Cursor::new(lines),
                Some(Ok(Says::Called(_))) => {}
                Some(Err(fault)) => return Err(io::Error::other(fault)),
                None if self.panicked() => return Err(io::Error::other(self.damaged())),
                None => return Ok(0),
            }
        }
    }
}

/// Where the decoding thread puts its rows.
pub struct Rows {
    to: SyncSender<Result<Says>>,
    lines: Vec<u8>,
    attempted: String,
}

impl Rows {
    /// Says what the table is called, as a person would: `Parquet`.
    pub fn called(&mut self, name: impl Into<String>) -> Result<()> {
        self.say(Says::Called(name.into()))
    }

    /// One row: a value for each key, in their order. `value` writes JSON.
    pub fn row(&mut self, keys: &Keys, mut value: impl FnMut(usize, &mut Vec<u8>)) -> Result<()> {
        self.lines.push(b'{');
        for (at, key) in keys.0.iter().enumerate() {
            if at > 0 {
                self.lines.push(b',');
            }
            self.lines.extend_from_slice(key);
            value(at, &mut self.lines);
        }
        self.lines.extend_from_slice(b"}\n");
        if self.lines.len() >= PIECE { self.hand_over() } else { Ok(()) }
    }

    /// A failure of the file.
    pub fn fault(&self, why: impl Into<String>) -> Fault {
        Fault::usage(&self.attempted, why)
    }

    fn hand_over(&mut self) -> Result<()> {
        let lines = std::mem::replace(&mut self.lines, Vec::with_capacity(PIECE + PIECE / 4));
        if lines.is_empty() { Ok(()) } else { self.say(Says::Lines(lines)) }
    }

    fn say(&self, what: Says) -> Result<()> {
        self.to.send(Ok(what)).map_err(|_| self.fault("nobody reads it any more"))
    }
}

/// The keys of all rows, no two the same.
pub struct Keys(Vec<Vec<u8>>);

impl Keys {
    pub fn of<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Self {
        let mut taken = std::collections::HashSet::new();
        let unique = names.into_iter().enumerate().map(|(at, name)| {
            let mut name = name.as_ref().to_owned();
            if name.is_empty() {
                name = (at + 1).to_string();
            }
            while !taken.insert(name.clone()) {
                name = format!("{name}_{}", at + 1);
            }
            let mut key = Vec::new();
            text(&mut key, &name);
            key.push(b':');
            key
        });
        Self(unique.collect())
    }
}

/// Writes a text as JSON.
pub fn text(out: &mut Vec<u8>, text: &str) {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // Into memory: it cannot fail.
    let _ = serde_json::to_writer(out, &text[..end]);
}

/// Writes a number as JSON; null for one that is none.
pub fn number(out: &mut Vec<u8>, number: f64) {
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < WHOLE {
        out.extend_from_slice((number as i64).to_string().as_bytes());
    } else {
        let _ = serde_json::to_writer(out, &number);
    }
}

/// Writes null.
pub fn null(out: &mut Vec<u8>) {
    out.extend_from_slice(b"null");
}

thread_local! {
    static IS_DECODER: Cell<bool> = const { Cell::new(false) };
}

/// A decoder's panic is told as a fault of the file that it read, so it is not printed as one of the program.
fn say_nothing_of_decoders() {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !IS_DECODER.get() {
                before(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(make: impl FnOnce(&mut Rows) -> Result<()> + Send + 'static) -> (String, io::Result<String>) {
        let (name, mut stream) = RowStream::begin("read x".into(), make).unwrap();
        let mut out = String::new();
        let read = stream.read_to_string(&mut out);
        (name, read.map(|_| out))
    }

    #[test]
    fn rows_come_in_order_with_keys_that_differ() {
        let (name, lines) = all(|rows| {
            rows.called("a table")?;
            let keys = Keys::of(["a", "a", ""]);
            for i in 0..20_000 {
                rows.row(&keys, |at, out| match at {
                    0 => number(out, f64::from(i)),
                    1 => text(out, "x \"y\"\n\0"),
                    _ => number(out, f64::NAN),
                })?;
            }
            Ok(())
        });
        let lines = lines.unwrap();
        assert_eq!(name, "a table");
        assert_eq!(lines.lines().count(), 20_000);
        assert_eq!(lines.lines().nth(7), Some(r#"{"a":7,"a_2":"x \"y\"\n\u0000","3":null}"#));
    }

    #[test]
    fn a_decoder_that_panics_costs_its_file() {
        let begun = RowStream::begin("read x".into(), |_| panic!("of a test"));
        assert!(begun.err().unwrap().to_string().contains("it is damaged"));
        let (_, read) = all(|rows| {
            rows.called("a table")?;
            panic!("of a test")
        });
        assert!(read.unwrap_err().to_string().contains("it is damaged"));
    }

    #[test]
    fn a_stream_that_nobody_reads_ends_its_thread() {
        let (_, mut stream) = RowStream::begin("read x".into(), |rows| {
            rows.called("endless")?;
            let keys = Keys::of(["a"]);
            loop {
                rows.row(&keys, |_, out| null(out))?;
            }
        })
        .unwrap();
        let thread = stream.thread.take().unwrap();
        drop(stream);
        assert!(thread.join().is_ok());
    }
}
