//! Arrow's messages, one after the other, as a stream has them and as a file (Feather) has them after its first eight bytes. Hugging Face keeps data sets so.
//!
//! Each message is held to what it says of itself before anything is made room for.

use std::io::Read;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::{Message, MessageHeader, RecordBatch as Header, root_as_message};

use super::super::encoding::Source;
use super::super::excerpt::excerpt;
use super::cells::push;
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::row_stream::{Keys, Rows};

/// The first bytes of a file. What follows up to the first message are zeros.
const OF_A_FILE: &[u8; 8] = b"ARROW1\0\0";
/// The most words of zeros there.
const MOST_ZEROS: usize = 64;
/// The most bytes of what describes a message: a schema of a hundred thousand columns has as many.
const LONGEST_HEAD: u32 = 64 << 20;
/// The most bytes of a batch of rows, packed or not.
const LARGEST_BATCH: i64 = 2 << 30;

const GET_AGAIN: &str = "Get the file again";

/// Gives all rows of a file or stream. The first of several says what they are called.
pub(super) fn read(mut source: Source, first: bool, rows: &mut Rows) -> Result<()> {
    let mut decoder = StreamDecoder::new();
    let mut word = [0; 8];
    source.read_exact(&mut word).map_err(|e| broken(rows, &io_reason(&e)))?;
    if word == *OF_A_FILE {
        word = [0; 8];
        for _ in 0..MOST_ZEROS {
            if word != [0; 8] {
                break;
            }
            source.read_exact(&mut word).map_err(|e| broken(rows, &io_reason(&e)))?;
        }
    }
    let mut begun = Some(word);
    let mut keys = None;
    let mut first = first;
    while let Some(message) = next_message(&mut source, begun.take(), rows)? {
        if std::mem::take(&mut first) {
            rows.called("Arrow")?;
        }
        let mut bytes = Buffer::from_vec(message);
        while !bytes.is_empty() {
            let batch = decoder.decode(&mut bytes).map_err(|e| broken(rows, &e.to_string()))?;
            if let Some(batch) = batch {
                give(&batch, &mut keys, rows)?;
            }
        }
    }
    match decoder.schema() {
        Some(_) => Ok(()),
        None => Err(broken(rows, "it has no schema")),
    }
}

fn give(batch: &RecordBatch, keys: &mut Option<Keys>, rows: &mut Rows) -> Result<()> {
    let keys = keys.get_or_insert_with(|| Keys::of(batch.schema().fields().iter().map(|field| field.name())));
    for row in 0..batch.num_rows() {
        rows.row(keys, |at, out| push(out, &**batch.column(at), row))?;
    }
    Ok(())
}

/// The next message with its body, as the decoder takes it; none at the end. `begun`: its first bytes, where they have been read.
fn next_message(source: &mut Source, begun: Option<[u8; 8]>, rows: &Rows) -> Result<Option<Vec<u8>>> {
    const MARK: [u8; 4] = [0xFF; 4];
    let failed = |e: std::io::Error| broken(rows, &io_reason(&e));
    let mut start = [0; 8];
    let mut read = 0;
    match begun {
        Some(begun) => (start, read) = (begun, 8),
        None => {
            while read < 8 {
                match source.read(&mut start[read..]).map_err(failed)? {
                    0 => break,
                    n => read += n,
                }
            }
        }
    }
    match read {
        // A stream may end without saying so.
        0 => return Ok(None),
        8 => {}
        _ => return Err(broken(rows, "it ends in the middle")),
    }
    if start[..4] != MARK {
        return Err(broken(rows, "a message does not begin where it should"));
    }
    let length = u32::from_le_bytes([start[4], start[5], start[6], start[7]]);
    if length == 0 {
        return Ok(None);
    }
    if length > LONGEST_HEAD {
        return Err(broken(rows, "a message is too long"));
    }
    let mut bytes = start.to_vec();
    take(source, u64::from(length), &mut bytes, rows)?;
    let body = {
        let message = root_as_message(&bytes[8..]).map_err(|e| broken(rows, &e.to_string()))?;
        match message.bodyLength() {
            body @ 0..=LARGEST_BATCH => body.unsigned_abs(),
            _ => {
                return Err(rows
                    .fault("a batch of its rows is larger than 2 GB")
                    .hint("Write it with smaller batches"));
            }
        }
    };
    take(source, body, &mut bytes, rows)?;
    let head = length as usize + 8;
    let message = root_as_message(&bytes[8..head]).map_err(|e| broken(rows, &e.to_string()))?;
    if !unpacks_to_little(&message, &bytes[head..]) {
        return Err(broken(rows, "a batch of its rows unpacks to more than 2 GB"));
    }
    Ok(Some(bytes))
}

/// As many bytes as are there: what is said of a length makes room for nothing.
fn take(source: &mut Source, length: u64, into: &mut Vec<u8>, rows: &Rows) -> Result<()> {
    let read = source.take(length).read_to_end(into).map_err(|e| broken(rows, &io_reason(&e)))?;
    if read as u64 == length { Ok(()) } else { Err(broken(rows, "it ends in the middle")) }
}

/// Each packed buffer begins with the number of bytes that it unpacks to.
fn unpacks_to_little(message: &Message<'_>, body: &[u8]) -> bool {
    let header: Option<Header<'_>> = match message.header_type() {
        MessageHeader::RecordBatch => message.header_as_record_batch(),
        MessageHeader::DictionaryBatch => message.header_as_dictionary_batch().and_then(|batch| batch.data()),
        _ => None,
    };
    let Some(header) = header.filter(|header| header.compression().is_some()) else { return true };
    let unpacked = |offset: i64| -> i64 {
        let Ok(at) = usize::try_from(offset) else { return 0 };
        let length =
            at.checked_add(8).and_then(|end| body.get(at..end)).and_then(|bytes| bytes.try_into().ok());
        // -1: as it is.
        length.map_or(0, i64::from_le_bytes).max(0)
    };
    let lengths = header.buffers().into_iter().flatten().filter(|buffer| buffer.length() > 0);
    lengths.map(|buffer| unpacked(buffer.offset())).fold(0, i64::saturating_add) <= LARGEST_BATCH
}

fn broken(rows: &Rows, why: &str) -> Fault {
    let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
    rows.fault(format!("it is a damaged Arrow file: {}", excerpt(&why))).hint(GET_AGAIN)
}
