//! How a text is read that is longer than the encoder reads at once: in windows of about the same length, so that its end counts as well as its
//! beginning. Its vector is the mean of theirs, weighed by their tokens.

use std::collections::HashMap;

use llama_cpp_2::token::LlamaToken;
use ndarray::{Array1, Array2};

/// The most windows of a text; what lies beyond them is cut.
pub(super) const MOST: usize = 16;

/// A window of a text, on its way to a worker and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// Which text it is of, by the caller's number.
    pub text: usize,
    /// Which of its windows this is, and how many it has.
    at: usize,
    of: usize,
    /// What it weighs.
    tokens: usize,
}

/// Splits the tokens of a text into windows of at most `longest` tokens, each between the same marks as the text: a model was trained with them.
/// `is_mark` tells them from the text's own tokens. Also returns what share of them was left, where some had to be cut.
pub(super) fn split(
    text: usize,
    tokens: Vec<LlamaToken>,
    longest: usize,
    is_mark: impl Fn(LlamaToken) -> bool,
) -> (Vec<(Window, Vec<LlamaToken>)>, Option<f64>) {
    if tokens.len() <= longest {
        return (vec![(Window { text, at: 0, of: 1, tokens: tokens.len() }, tokens)], None);
    }
    let begin = usize::from(tokens.first().is_some_and(|token| is_mark(*token)));
    let end = tokens.len() - usize::from(tokens.last().is_some_and(|token| is_mark(*token)));
    let (before, rest) = tokens.split_at(begin);
    let (content, after) = rest.split_at(end - begin);
    let room = longest.saturating_sub(before.len() + after.len()).max(1);
    let left = (content.len() > room * MOST).then(|| (room * MOST) as f64 / content.len() as f64);
    let content = &content[..content.len().min(room * MOST)];
    let of = content.len().div_ceil(room);
    let windows = content
        .chunks(content.len().div_ceil(of))
        .enumerate()
        .map(|(at, part)| (Window { text, at, of, tokens: part.len() }, [before, part, after].concat()));
    (windows.collect(), left)
}

/// A window's weight and vector, once it has come back.
type Read = Option<(usize, Array1<f32>)>;

/// The windows that have come back of texts that are not whole yet.
#[derive(Default)]
pub(super) struct Gathered(HashMap<usize, Vec<Read>>);

impl Gathered {
    /// Takes windows and their unit vectors. Returns the texts that are whole with them, by number, and a unit vector for each.
    pub fn take(&mut self, windows: &[Window], vectors: Array2<f32>) -> (Vec<usize>, Array2<f32>) {
        if windows.iter().all(|window| window.of == 1) {
            return (windows.iter().map(|window| window.text).collect(), vectors);
        }
        let (mut texts, mut whole) = (Vec::new(), Vec::new());
        for (window, vector) in windows.iter().zip(vectors.rows()) {
            let parts = self.0.entry(window.text).or_insert_with(|| vec![None; window.of]);
            parts[window.at] = Some((window.tokens, vector.to_owned()));
            if parts.iter().any(Option::is_none) {
                continue;
            }
            // In the order of the text, whichever came first: sums are the same in each run.
            let mut sum = Array1::zeros(vectors.ncols());
            for (tokens, vector) in self.0.remove(&window.text).into_iter().flatten().flatten() {
                sum.scaled_add(tokens as f32, &vector);
            }
            let length = sum.dot(&sum).sqrt().max(f32::MIN_POSITIVE);
            texts.push(window.text);
            whole.push(sum / length);
        }
        let mut rows = Array2::zeros((texts.len(), vectors.ncols()));
        for (mut row, vector) in rows.rows_mut().into_iter().zip(&whole) {
            row.assign(vector);
        }
        (texts, rows)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MARKS: [i32; 2] = [0, 2];

    fn tokens(length: usize, marked: bool) -> Vec<LlamaToken> {
        let content = (0..length as i32).map(|n| n + 10);
        let all: Vec<i32> =
            if marked { [0].into_iter().chain(content).chain([2]).collect() } else { content.collect() };
        all.into_iter().map(LlamaToken::new).collect()
    }

    proptest! {
        #[test]
        fn windows_hold_all_of_a_text_in_order_each_between_its_marks(
            length in 0usize..2_000, longest in 3usize..100, marked: bool,
        ) {
            let all = tokens(length, marked);
            let is_mark = |token: LlamaToken| MARKS.contains(&token.0);
            let (windows, left) = split(7, all.clone(), longest, is_mark);
            let mut content = Vec::new();
            for (n, (window, tokens)) in windows.iter().enumerate() {
                prop_assert!(tokens.len() <= longest && (window.text, window.at, window.of) == (7, n, windows.len()));
                prop_assert!(!marked || (tokens[0].0, tokens[tokens.len() - 1].0) == (0, 2));
                content.extend(tokens.iter().copied().filter(|token| !is_mark(*token)));
            }
            let own: Vec<_> = all.into_iter().filter(|token| !is_mark(*token)).collect();
            prop_assert!(windows.len() <= MOST);
            let share = (content.len() < own.len()).then(|| content.len() as f64 / own.len() as f64);
            prop_assert_eq!(left, share);
            prop_assert_eq!(&own[..content.len()], &content[..]);
            let lengths = || windows.iter().map(|(_, tokens)| tokens.len());
            prop_assert!(lengths().max().unwrap_or(0) - lengths().min().unwrap_or(0) <= windows.len());
        }
    }

    #[test]
    fn a_text_is_the_mean_of_its_windows_in_whatever_order_they_come() {
        let window = |text, at, of, tokens| Window { text, at, of, tokens };
        let unit = |angle: f32| [angle.cos(), angle.sin()];
        let mut gathered = Gathered::default();
        let (texts, none) = gathered.take(&[window(4, 1, 2, 10)], Array2::from(vec![unit(1.0)]));
        assert!(texts.is_empty() && none.is_empty());
        let rest = Array2::from(vec![unit(0.3), unit(0.0)]);
        let (texts, rows) = gathered.take(&[window(5, 0, 1, 3), window(4, 0, 2, 30)], rest);
        assert_eq!(texts, [5, 4]);
        let [x, y] = [30.0 + 10.0 * 1.0f32.cos(), 10.0 * 1.0f32.sin()];
        let length = x.hypot(y);
        let expected = Array2::from(vec![unit(0.3), [x / length, y / length]]);
        assert!((&rows - &expected).iter().all(|d| d.abs() < 1e-6), "{rows} {expected}");
        assert!(gathered.0.is_empty());
    }
}
