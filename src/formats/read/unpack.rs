//! Compressed files, known by their first bytes whatever their name: gzip, zstd, and a zip archive with one file in it.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use flate2::read::{DeflateDecoder, MultiGzDecoder};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::encoding::Source;
use super::excerpt::excerpt;
use super::input::{Input, seekable};
use super::magic::is_document;
use crate::domain::fault::{Fault, Result, io_reason};

/// The greatest window of zstd that is unpacked: what `zstd` itself takes without being asked.
const LARGEST_WINDOW: u64 = 128 << 20;

/// The file that is packed in another.
pub(in crate::formats) struct Unpacked {
    pub stream: Source,
    /// What it was packed with.
    pub with: &'static str,
    /// The name of the file inside, where an archive says it.
    pub name: Option<String>,
}

/// The file inside, if this one is packed. `head` is its beginning and has been read from the stream.
///
/// # Errors
/// A usage fault for a zip archive with several files or none, and for one that is damaged.
pub(in crate::formats) fn unpacked(
    head: Vec<u8>,
    input: Input,
    name: &str,
) -> Result<std::result::Result<Unpacked, (Vec<u8>, Input)>> {
    if head.starts_with(b"\x1F\x8B") {
        let packed = io::Cursor::new(head).chain(input.stream);
        let stream = Box::new(MultiGzDecoder::new(BufReader::with_capacity(64 * 1024, packed)));
        return Ok(Ok(Unpacked { stream, with: "gzip", name: None }));
    }
    if head.starts_with(b"\x28\xB5\x2F\xFD") {
        let packed: Source = Box::new(io::Cursor::new(head).chain(input.stream));
        let stream = Box::new(Zstd::Between(BufReader::with_capacity(64 * 1024, packed)));
        return Ok(Ok(Unpacked { stream, with: "zstd", name: None }));
    }
    if head.starts_with(b"PK\x03\x04") && !is_document(&head) {
        return zipped(&head, input, name).map(Ok);
    }
    Ok(Err((head, input)))
}

fn zipped(head: &[u8], mut input: Input, name: &str) -> Result<Unpacked> {
    let attempted = format!("read {name}");
    let refused = |why: String| Fault::usage(&attempted, why).hint("Unpack it first");
    let failed = |e: io::Error| Fault::new(&attempted, io_reason(&e));
    let file = seekable(head, &mut input.stream, input.file).map_err(failed)?;
    // Why a parser gives up means nothing to a person: what helps is another copy.
    let damaged = || {
        Fault::usage(&attempted, "it begins like a zip archive or an office document, and is damaged")
            .hint("Get the file again")
    };
    let broken = |e: zip::result::ZipError| match e {
        zip::result::ZipError::Io(e) if e.kind() != io::ErrorKind::UnexpectedEof => failed(e),
        _ => damaged(),
    };
    let mut archive = zip::ZipArchive::new(file).map_err(broken)?;
    let mut inside = Vec::new();
    for i in 0..archive.len() {
        let entry = archive.by_index_raw(i).map_err(broken)?;
        let name = entry.name().map_err(broken)?;
        // What macOS adds to an archive is none of its files.
        if entry.is_file() && !name.starts_with("__MACOSX/") {
            inside.push((i, name.into_owned()));
        }
    }
    let [(only, member)] = inside.as_slice() else {
        let names: Vec<String> =
            inside.iter().take(5).map(|(_, name)| format!("'{}'", excerpt(name))).collect();
        let why = match inside.len() {
            0 => "it is a zip archive with nothing in it".to_owned(),
            n => format!("it is a zip archive with {n} files in it ({})", names.join(", ")),
        };
        return Err(Fault::usage(&attempted, why).hint("Unpack it, and name the file with the texts"));
    };
    let entry = archive.by_index_raw(*only).map_err(broken)?;
    if entry.encrypted() {
        return Err(refused("it is a zip archive with a password".into()));
    }
    let method = entry.compression();
    let (start, size) = (entry.data_start(), entry.compressed_size());
    let start = start.ok_or_else(damaged)?;
    let member_name = member.rsplit('/').next().map(str::to_owned);
    drop(entry);
    let mut file = archive.into_inner();
    file.seek(SeekFrom::Start(start)).map_err(failed)?;
    let packed = BufReader::with_capacity(64 * 1024, file.take(size));
    let stream: Source = match method {
        zip::CompressionMethod::Stored => Box::new(packed),
        zip::CompressionMethod::Deflated => Box::new(DeflateDecoder::new(packed)),
        _ => return Err(refused("it is a zip archive with a compression that is not known here".into())),
    };
    Ok(Unpacked { stream, with: "zip", name: member_name })
}

/// Frames of zstd, one after the other.
enum Zstd {
    Within(Box<StreamingDecoder<BufReader<Source>, FrameDecoder>>),
    Between(BufReader<Source>),
    Ended,
}

impl Read for Zstd {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(self, Self::Ended) {
                Self::Ended => return Ok(0),
                Self::Within(mut frame) => {
                    let n = frame.read(buf)?;
                    if n > 0 || buf.is_empty() {
                        *self = Self::Within(frame);
                        return Ok(n);
                    }
                    *self = Self::Between(frame.into_inner());
                }
                Self::Between(mut source) => {
                    if source.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    let frame = StreamingDecoder::new_with_max_window_size(source, LARGEST_WINDOW)
                        .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e.to_string()))?;
                    *self = Self::Within(Box::new(frame));
                }
            }
        }
    }
}
