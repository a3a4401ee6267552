//! Texts of the pool through an encoder, in pieces that are written as they come.

use std::ops::ControlFlow;

use crate::domain::fault::Result;
use crate::domain::ids::ItemId;
use crate::engine::encoder::Encoder;

/// Texts read and sorted by length at a time: enough that batches hold texts of one length.
pub(crate) const CHUNK: usize = 4_096;
/// Vectors per write: about a second of work, which is what a kill can lose.
const FLUSH: usize = 256;

/// Takes some items and their vectors row after row; breaks to end the work.
pub(crate) type OnVectors<'a> = dyn FnMut(&[ItemId], &[f32]) -> Result<ControlFlow<()>> + 'a;

/// Embeds texts and hands their vectors over as they come, not in order. Returns those that were cut, with about how many of their bytes were read.
pub(crate) fn embed(
    encoder: &Encoder,
    mut texts: Vec<(ItemId, String)>,
    on_vectors: &mut OnVectors<'_>,
) -> Result<Vec<(ItemId, usize)>> {
    texts.sort_by_key(|(_, text)| text.len());
    let plain: Vec<&str> = texts.iter().map(|(_, text)| text.as_str()).collect();
    let dimensions = encoder.facts().dimensions;
    let (mut items, mut values) = (Vec::with_capacity(FLUSH), Vec::with_capacity(FLUSH * dimensions));
    let mut failed = None;
    let done = encoder.embed(&plain, &mut |indices, rows| {
        items.extend(indices.iter().map(|&i| texts[i].0));
        values.extend(rows.iter());
        if items.len() < FLUSH {
            return ControlFlow::Continue(());
        }
        let flow = on_vectors(&items, &values).unwrap_or_else(|fault| {
            failed = Some(fault);
            ControlFlow::Break(())
        });
        items.clear();
        values.clear();
        flow
    })?;
    if let Some(fault) = failed {
        return Err(fault);
    }
    let cut = done.cut.into_iter().map(|(at, bytes)| (texts[at].0, bytes)).collect();
    on_vectors(&items, &values).map(|_| cut)
}
