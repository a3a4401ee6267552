//! Keys and values out of a file in which llama.cpp saved a sequence (`llama_state_seq_save_file`), version 4 of that format.
//!
//! Written after `llama_kv_cache::state_write` and its brother for models with windows, which writes two caches: that of the blocks that see
//! everything, then that of the others. Whatever is not known here is refused: another version, rotated or quantised numbers, more or
//! fewer blocks. Lengths are checked against the bytes that are there before anything is allocated.

use half::f16;

use super::remembered::{Numbers, OfBlock, Remembered};
use super::shape::Shape;
use crate::domain::fault::{Fault, Result};

/// `LLAMA_STATE_SEQ_MAGIC` and `LLAMA_STATE_SEQ_VERSION`.
const MAGIC: u32 = 0x6767_7371;
const VERSION: u32 = 4;
/// `LLAMA_MAX_SEQ`: a cache has no more streams.
const MOST_STREAMS: u32 = 256;
/// ggml's numbers for the types that a cache may have here.
const F32: u32 = 0;
const F16: u32 = 1;

/// Reads what llama.cpp saved of a sequence read by a model of this shape.
///
/// # Errors
/// One sentence where the bytes are not exactly that.
pub fn parse(bytes: &[u8], shape: &Shape) -> Result<Remembered> {
    let mut source = Source { bytes };
    if source.u32()? != MAGIC {
        return Err(refused("it does not begin as one"));
    }
    let version = source.u32()?;
    if version != VERSION {
        return Err(refused(format!("its version is {version}, and only {VERSION} can be read")));
    }
    let tokens = source.u32()?;
    source.take((tokens as usize).saturating_mul(4))?;
    let windowed = |block: &usize| shape.window_of(*block).is_some();
    let (with, without): (Vec<usize>, Vec<usize>) = (0..shape.blocks).partition(windowed);
    let mut blocks: Vec<Option<OfBlock>> = vec![None; shape.blocks];
    let caches = if shape.window.is_some() { vec![without, with] } else { vec![without] };
    for numbers in caches {
        for (number, block) in numbers.iter().zip(source.cache(numbers.len(), shape.keys())?) {
            blocks[*number] = Some(block);
        }
    }
    if !source.bytes.is_empty() {
        return Err(refused(format!("{} bytes are left over", source.bytes.len())));
    }
    let blocks = blocks.into_iter().collect::<Option<_>>().ok_or_else(|| refused("a block is missing"))?;
    Ok(Remembered { blocks })
}

fn refused(why: impl Into<String>) -> Fault {
    Fault::new("read the state that llama.cpp saved", why)
}

struct Source<'b> {
    bytes: &'b [u8],
}

impl<'b> Source<'b> {
    fn take(&mut self, length: usize) -> Result<&'b [u8]> {
        let (taken, rest) =
            self.bytes.split_at_checked(length).ok_or_else(|| refused("it ends too early"))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| refused("it ends too early"))
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.fixed()?))
    }

    fn expect(&mut self, wanted: u64, found: u64, what: &str) -> Result<()> {
        if wanted == found {
            return Ok(());
        }
        Err(refused(format!("{what} {found}, not {wanted}")))
    }

    /// One cache of `blocks` blocks with rows of `width` numbers.
    fn cache(&mut self, blocks: usize, width: usize) -> Result<Vec<OfBlock>> {
        let streams = self.u32()?;
        if !(1..=MOST_STREAMS).contains(&streams) {
            return Err(refused(format!("it has {streams} streams")));
        }
        let empty = Numbers::F16(Vec::new());
        let nothing = OfBlock { positions: Vec::new(), keys: empty.clone(), values: empty };
        let mut found = None;
        for _ in 0..streams {
            let cells = self.u32()? as usize;
            if cells == 0 {
                continue;
            }
            if found.is_some() {
                return Err(refused("two of its streams hold the sequence"));
            }
            found = Some(self.stream(cells, blocks, width)?);
        }
        Ok(found.unwrap_or_else(|| vec![nothing; blocks]))
    }

    fn stream(&mut self, cells: usize, blocks: usize, width: usize) -> Result<Vec<OfBlock>> {
        let mut positions = Vec::new();
        for _ in 0..cells {
            let position = i32::from_le_bytes(self.fixed()?);
            positions.push(usize::try_from(position).map_err(|_| refused("a position is negative"))?);
            let sequences = self.u32()?;
            self.expect(1, sequences.into(), "a cell belongs to sequences numbering")?;
            self.u32()?;
        }
        let transposed = match self.u32()? {
            0 => false,
            1 => true,
            other => return Err(refused(format!("it lays values out in the unknown way {other}"))),
        };
        let found = self.u32()?;
        self.expect(blocks as u64, found.into(), "its blocks number")?;
        for what in ["its keys are rotated by", "its values are rotated by"] {
            let rotated = self.u32()?;
            self.expect(0, rotated.into(), what)?;
        }
        let mut keys = Vec::new();
        for _ in 0..blocks {
            keys.push(self.rows(cells, width)?);
        }
        let mut all = Vec::new();
        for keys in keys {
            let values = if transposed { self.columns(cells, width)? } else { self.rows(cells, width)? };
            all.push(OfBlock { positions: positions.clone(), keys, values });
        }
        Ok(all)
    }

    /// Rows of the cells one after the other.
    fn rows(&mut self, cells: usize, width: usize) -> Result<Numbers> {
        let kind = self.u32()?;
        let size = u64::from_le_bytes(self.fixed()?);
        self.expect((width * size_of_kind(kind)?) as u64, size, "the bytes of a row number")?;
        let bytes = self.take(cells.saturating_mul(width * size_of_kind(kind)?))?;
        Ok(numbers(kind, bytes))
    }

    /// Columns one after the other, each over all cells: turned into rows.
    fn columns(&mut self, cells: usize, width: usize) -> Result<Numbers> {
        let kind = self.u32()?;
        let size = size_of_kind(kind)?;
        let found = self.u32()?;
        self.expect(size as u64, found.into(), "the bytes of a number are")?;
        let found = self.u32()?;
        self.expect(width as u64, found.into(), "the numbers of a row are")?;
        let bytes = self.take(cells.saturating_mul(width * size))?;
        let rows = (0..cells).flat_map(|cell| (0..width).map(move |column| (column * cells + cell) * size));
        let rows: Vec<u8> = rows.flat_map(|begin| &bytes[begin..begin + size]).copied().collect();
        Ok(numbers(kind, &rows))
    }
}

fn size_of_kind(kind: u32) -> Result<usize> {
    match kind {
        F32 => Ok(4),
        F16 => Ok(2),
        _ => Err(refused(format!("its numbers are stored as type {kind}, and only F32 and F16 can be read"))),
    }
}

fn numbers(kind: u32, bytes: &[u8]) -> Numbers {
    if kind == F32 {
        Numbers::F32(bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
    } else {
        Numbers::F16(bytes.as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b)).collect())
    }
}
