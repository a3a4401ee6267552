//! The labelled texts nearest to a text, which a judge may be shown before it.

use ndarray::{Array2, ArrayView1};

use super::prelabels::scouting;
use super::training::Training;
use super::vectors::matrix;
use crate::domain::fault::Result;
use crate::domain::ids::ItemId;
use crate::engine::judge::Question;
use crate::store::Store;
use crate::store::log::tasks::Revision;
use crate::store::pool::embeddings::Space;
use crate::work::runner::Work;

/// The training labels with their texts and the scout's vectors.
pub(crate) struct Nearest {
    space: Space,
    items: Vec<ItemId>,
    /// Items × dimensions.
    vectors: Array2<f32>,
    examples: Vec<(String, usize)>,
    most: usize,
}

impl Nearest {
    /// Reads them; `most` are shown with a text.
    pub fn read(work: &Work<'_>, revision: &Revision, most: usize) -> Result<Self> {
        let scout = scouting(work.store, "find the nearest labelled texts")?;
        let training = Training::read(work, &scout, revision)?.by_experts_alone();
        let texts = work.store.texts(&training.items)?;
        Ok(Self {
            space: Space::base(scout.model),
            examples: texts.into_iter().map(|(_, text)| text).zip(training.labels()).collect(),
            items: training.items,
            vectors: training.vectors,
            most,
        })
    }

    /// What is asked of some texts. None is its own example; one without a vector has none.
    pub fn questions<'t>(&self, store: &Store, texts: &'t [(ItemId, String)]) -> Result<Vec<Question<'t>>> {
        let items: Vec<ItemId> = texts.iter().map(|(item, _)| *item).collect();
        let known = store.vectors_of(self.space, &items, self.vectors.ncols())?;
        let vectors = matrix(&known)?;
        let question = |(item, text): &'t (ItemId, String)| {
            let row = known.items.binary_search(item).ok();
            let examples = row.map(|row| self.nearest(*item, vectors.row(row))).unwrap_or_default();
            Question { text, examples }
        };
        Ok(texts.iter().map(question).collect())
    }

    fn nearest(&self, item: ItemId, vector: ArrayView1<'_, f32>) -> Vec<(String, usize)> {
        let similarities = self.vectors.dot(&vector);
        let mut others: Vec<(f32, usize)> =
            similarities.iter().copied().zip(0..).filter(|(_, other)| self.items[*other] != item).collect();
        others.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        others.truncate(self.most);
        others.into_iter().map(|(_, other)| self.examples[other].clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::domain::ids::ModelId;

    #[test]
    fn the_nearest_come_first_and_none_is_its_own_example() {
        let nearest = Nearest {
            space: Space::base(ModelId(1)),
            items: vec![ItemId(3), ItemId(5), ItemId(9)],
            vectors: array![[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]],
            examples: vec![("three".into(), 0), ("five".into(), 1), ("nine".into(), 0)],
            most: 2,
        };
        let of = |item, vector: [f32; 2]| -> Vec<String> {
            let found = nearest.nearest(ItemId(item), ArrayView1::from(&vector));
            found.into_iter().map(|(text, _)| text).collect()
        };
        assert_eq!(of(1, [0.1, 1.0]), ["nine", "five"]);
        assert_eq!(of(9, [0.0, 1.0]), ["five", "three"]);
    }
}
