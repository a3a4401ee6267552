//! The KV caches of many documents: in memory as far as the budget goes, the rest in a temporary file that is deleted with it.

use std::fs::File;
use std::io;
use std::sync::Arc;

use half::f16;

use super::kv_cache::{BlockKv, KvCache, Numbers};

/// The keys and values of documents, numbered in the order in which they were added, and of the beginning that all share.
pub struct KvStore {
    shared: Option<Arc<KvCache>>,
    documents: Vec<Document>,
    /// Bytes of memory that documents may still take.
    left: u64,
    spill: Option<Arc<File>>,
    spilled: u64,
}

#[derive(Clone)]
enum Document {
    Held(Arc<KvCache>),
    /// Where in the spill file its numbers begin, and how each block's lie there.
    Spilled {
        begin: u64,
        blocks: Arc<[Stored]>,
    },
}

/// One block's keys and values in the spill file.
struct Stored {
    positions: Vec<usize>,
    /// How many numbers the keys are, and the values.
    lengths: [usize; 2],
    half: bool,
}

impl KvStore {
    /// Holds the shared beginning alone, where there is one; documents may take `memory` bytes.
    pub fn new(shared: Option<KvCache>, memory: u64) -> Self {
        Self { shared: shared.map(Arc::new), documents: Vec::new(), left: memory, spill: None, spilled: 0 }
    }

    /// What all documents begin with.
    pub fn shared(&self) -> Option<Arc<KvCache>> {
        self.shared.clone()
    }

    /// Number of documents.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// Bytes in the spill file.
    pub fn spilled(&self) -> u64 {
        self.spilled
    }

    /// The same documents in another order, some of them perhaps more than once or not at all: number `i` there is number `order[i]` here. None
    /// is copied.
    ///
    /// # Panics
    /// Where there is no such document.
    #[must_use]
    pub fn in_order(&self, order: &[usize]) -> Self {
        Self {
            shared: self.shared.clone(),
            documents: order.iter().map(|&number| self.documents[number].clone()).collect(),
            left: 0,
            spill: self.spill.clone(),
            spilled: self.spilled,
        }
    }

    /// Adds a document.
    ///
    /// # Errors
    /// Where the spill file cannot be made or written.
    pub fn add(&mut self, document: KvCache) -> io::Result<()> {
        let bytes = document.bytes() as u64;
        if bytes <= self.left {
            self.left -= bytes;
            self.documents.push(Document::Held(Arc::new(document)));
            return Ok(());
        }
        // The rest goes to the file, also what would still fit: documents of the same length are read back alike.
        self.left = 0;
        if self.spill.is_none() {
            self.spill = Some(Arc::new(tempfile::tempfile()?));
        }
        let begin = self.spilled;
        let mut blocks = Vec::new();
        for block in document.blocks {
            let mut half = false;
            let lengths = [block.keys.len(), block.values.len()];
            for numbers in [&block.keys, &block.values] {
                let bytes = match numbers {
                    Numbers::F16(numbers) => {
                        half = true;
                        numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
                    }
                    Numbers::F32(numbers) => {
                        numbers.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>()
                    }
                };
                self.write(&bytes)?;
            }
            blocks.push(Stored { positions: block.positions, lengths, half });
        }
        self.documents.push(Document::Spilled { begin, blocks: blocks.into() });
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        use std::os::unix::fs::FileExt;
        if let Some(file) = &self.spill {
            file.write_all_at(bytes, self.spilled)?;
        }
        self.spilled += bytes.len() as u64;
        Ok(())
    }

    /// Document `number`.
    ///
    /// # Errors
    /// Where the spill file cannot be read, or there is no such document.
    pub fn load(&self, number: usize) -> io::Result<Arc<KvCache>> {
        use std::os::unix::fs::FileExt;
        let missing = || io::Error::new(io::ErrorKind::NotFound, "this document was never cached");
        let (begin, blocks) = match self.documents.get(number).ok_or_else(missing)? {
            Document::Held(document) => return Ok(Arc::clone(document)),
            Document::Spilled { begin, blocks } => (*begin, blocks),
        };
        let file = self.spill.as_ref().ok_or_else(missing)?;
        let mut at = begin;
        let mut read = |length: usize, half: bool| -> io::Result<Numbers> {
            let mut bytes = vec![0; length * if half { 2 } else { 4 }];
            file.read_exact_at(&mut bytes, at)?;
            at += bytes.len() as u64;
            Ok(if half {
                Numbers::F16(bytes.as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b)).collect())
            } else {
                Numbers::F32(bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
            })
        };
        let mut cache = KvCache::default();
        for block in blocks.iter() {
            cache.blocks.push(BlockKv {
                positions: block.positions.clone(),
                keys: read(block.lengths[0], block.half)?,
                values: read(block.lengths[1], block.half)?,
            });
        }
        Ok(Arc::new(cache))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_comes_back_from_the_spill_file_as_it_went_in() {
        let numbers = |n: usize, half: bool| {
            let all = (0..n).map(|i| i as f32 - 3.5);
            if half { Numbers::F16(all.map(f16::from_f32).collect()) } else { Numbers::F32(all.collect()) }
        };
        let document = |n: usize, half: bool| KvCache {
            blocks: (0..3)
                .map(|block| BlockKv {
                    positions: (block..block + n).collect(),
                    keys: numbers(4 * n, half),
                    values: numbers(4 * n + block, half),
                })
                .collect(),
        };
        let documents = [document(2, true), document(0, true), document(30, true), document(3, false)];
        let mut cached = KvStore::new(Some(document(1, true)), 300);
        for document in &documents {
            cached.add(document.clone()).unwrap();
        }
        assert!(cached.spilled() > 0 && cached.len() == 4);
        for (number, document) in documents.iter().enumerate() {
            assert_eq!(*cached.load(number).unwrap(), *document);
        }
        assert!(cached.load(4).is_err());
        assert_eq!(*cached.shared().unwrap(), document(1, true));
    }
}
