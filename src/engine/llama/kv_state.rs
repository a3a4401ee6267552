//! Keys and values out of a file in which llama.cpp saved a sequence (`llama_state_seq_save_file`), version 4 of that format.
//!
//! Written after `llama_kv_cache::state_write` and its brother for models with windows, which writes two caches: that of the blocks that see
//! everything, then that of the others. Whatever is not known here is refused: another version, rotated or quantised numbers, more or
//! fewer blocks. Lengths are checked against the bytes that are there before anything is allocated.

use half::f16;

use crate::domain::fault::{Fault, Result};
use crate::engine::transformer::{BlockKv, KvCache, Numbers, Shape};

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
pub fn parse(bytes: &[u8], shape: &Shape) -> Result<KvCache> {
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
    let mut blocks: Vec<Option<BlockKv>> = vec![None; shape.blocks];
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
    Ok(KvCache { blocks })
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
    fn cache(&mut self, blocks: usize, width: usize) -> Result<Vec<BlockKv>> {
        let streams = self.u32()?;
        if !(1..=MOST_STREAMS).contains(&streams) {
            return Err(refused(format!("it has {streams} streams")));
        }
        let empty = Numbers::F16(Vec::new());
        let nothing = BlockKv { positions: Vec::new(), keys: empty.clone(), values: empty };
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

    fn stream(&mut self, cells: usize, blocks: usize, width: usize) -> Result<Vec<BlockKv>> {
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
            all.push(BlockKv { positions: positions.clone(), keys, values });
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::transformer::{Family, Rope, Window};

    fn shape(windowed: bool) -> Shape {
        let rope = Rope { base: 1e4, scale: 1.0 };
        let window = Window { tokens: 4, blocks: vec![true, false, true], rope };
        Shape {
            family: Family::named("gemma3").unwrap(),
            blocks: 3,
            dimensions: 8,
            heads: 2,
            key_heads: 1,
            head_size: 4,
            ffn_dim: 8,
            vocabulary: 9,
            context: 64,
            epsilon: 1e-5,
            attention_scale: 0.5,
            rope,
            window: windowed.then_some(window),
        }
    }

    /// A cache as llama.cpp writes it, of F16 or F32, its blocks' numbers counted up from 1.
    fn cache(out: &mut Vec<u8>, positions: &[i32], blocks: u32, kind: u32, transposed: bool) {
        let mut word = |n: u32| out.extend(n.to_le_bytes());
        word(2);
        word(0);
        word(positions.len() as u32);
        for position in positions {
            word(*position as u32);
            word(1);
            word(1);
        }
        for n in [u32::from(transposed), blocks, 0, 0] {
            word(n);
        }
        let size = if kind == F32 { 4u32 } else { 2 };
        let mut next = 0.0f32;
        let mut numbers = |out: &mut Vec<u8>| {
            for _ in 0..positions.len() * 4 {
                next += 1.0;
                if kind == F32 {
                    out.extend(next.to_le_bytes())
                } else {
                    out.extend(f16::from_f32(next).to_le_bytes())
                }
            }
        };
        for values in [false, true] {
            for _ in 0..blocks {
                out.extend(kind.to_le_bytes());
                if values && transposed {
                    out.extend(size.to_le_bytes());
                    out.extend(4u32.to_le_bytes());
                } else {
                    out.extend(u64::from(4 * size).to_le_bytes());
                }
                numbers(out);
            }
        }
    }

    fn file(kind: u32, transposed: bool, windowed: bool) -> Vec<u8> {
        let mut out: Vec<u8> = [MAGIC, VERSION, 1, 77].iter().flat_map(|n| n.to_le_bytes()).collect();
        if windowed {
            cache(&mut out, &[0, 1, 2], 1, kind, transposed);
            cache(&mut out, &[1, 2], 2, kind, transposed);
        } else {
            cache(&mut out, &[5, 6], 3, kind, transposed);
        }
        out
    }

    #[test]
    fn keys_and_values_of_each_block_come_out_in_rows_however_they_lie() {
        let plain = parse(&file(F16, false, false), &shape(false)).unwrap();
        assert_eq!(plain.blocks[1].positions, [5, 6]);
        assert_eq!(plain.blocks[1].keys.head(4, 0, 4).row(1).to_vec(), [13.0, 14.0, 15.0, 16.0]);
        assert_eq!(plain.blocks[0].values.head(4, 0, 4).row(0).to_vec(), [25.0, 26.0, 27.0, 28.0]);
        let turned = parse(&file(F32, true, false), &shape(false)).unwrap();
        assert_eq!(turned.blocks[0].values.head(4, 0, 4).row(1).to_vec(), [26.0, 28.0, 30.0, 32.0]);
        let windowed = parse(&file(F16, false, true), &shape(true)).unwrap();
        assert_eq!(windowed.blocks[1].positions, [0, 1, 2]);
        assert_eq!(windowed.blocks[2].positions, [1, 2]);
    }

    #[test]
    fn what_is_not_known_is_refused_in_a_sentence() {
        let good = file(F16, false, false);
        let changed = |at: usize, to: u32| {
            let mut bad = good.clone();
            bad[at..at + 4].copy_from_slice(&to.to_le_bytes());
            parse(&bad, &shape(false)).unwrap_err().to_string()
        };
        for (at, to, says) in [
            (0, 1, "does not begin"),
            (4, 5, "version is 5"),
            (8, u32::MAX, "too early"),
            (16, 0, "0 streams"),
            (28, u32::MAX, "negative"),
            (32, 2, "numbering 2"),
            (52, 7, "unknown way 7"),
            (56, 4, "blocks number 4"),
            (60, 64, "rotated by 64"),
            (68, 8, "stored as type 8"),
            (72, 999, "999, not 8"),
        ] {
            let said = changed(at, to);
            assert!(said.contains(says), "{at}: {said}");
        }
        let longer = [&good[..], &[0]].concat();
        assert!(parse(&longer, &shape(false)).unwrap_err().to_string().contains("left over"));
        for end in 0..good.len() {
            assert!(parse(&good[..end], &shape(false)).is_err(), "{end} bytes");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(at in 0usize..200, noise in proptest::collection::vec(any::<u8>(), 1..40), windowed: bool) {
            let mut bytes = file(F16, at % 2 == 0, windowed);
            let begin = at.min(bytes.len() - 1);
            let end = (begin + noise.len()).min(bytes.len());
            bytes[begin..end].copy_from_slice(&noise[..end - begin]);
            let _ = parse(&bytes, &shape(windowed));
        }
    }
}
