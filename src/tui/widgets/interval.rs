//! A figure with its interval drawn in one line of text, on a scale that several lines share.

/// Values from `least` to 1 over `width` columns.
#[derive(Clone, Copy, Debug)]
pub(in crate::tui) struct Scale {
    least: f64,
    width: usize,
}

impl Scale {
    /// The scale that holds all of `lows`, from 0 or a lower fifth on.
    pub fn holding(lows: impl IntoIterator<Item = f64>, width: usize) -> Self {
        let lowest = lows.into_iter().fold(0.0, f64::min);
        Self { least: (lowest * 5.0).floor() / 5.0, width: width.max(1) }
    }

    /// The column of a value; of one outside the scale, the nearest.
    pub fn column(self, value: f64) -> usize {
        let most = self.width - 1;
        let at = (value - self.least) / (1.0 - self.least) * most as f64;
        (at.round().max(0.0) as usize).min(most)
    }

    /// The interval from `lo` to `hi` with its value, and a dotted mark where the ceiling is.
    pub fn draw(self, (lo, value, hi): (f64, f64, f64), ceiling: Option<f64>) -> String {
        let mut line = vec![' '; self.width];
        if let Some(ceiling) = ceiling {
            line[self.column(ceiling)] = '┊';
        }
        let (from, at, to) = (self.column(lo), self.column(value), self.column(hi));
        line.iter_mut().take(to).skip(from).for_each(|c| *c = '─');
        line[from] = '├';
        line[to] = '┤';
        line[at] = '●';
        line.into_iter().collect()
    }

    /// The numbers over the lines: 0, 1, and the lower end where it is below 0.
    pub fn axis(self) -> String {
        let mut line = vec![' '; self.width];
        let zero = self.column(0.0);
        let least = format!("{:.1}", self.least);
        if zero > least.len() {
            line.iter_mut().zip(least.chars()).for_each(|(cell, c)| *cell = c);
        }
        line[zero] = '0';
        line[self.width - 1] = '1';
        line.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn intervals_of_one_scale_stand_under_each_other() {
        let scale = Scale::holding([-0.1, 0.5], 25);
        let lines =
            [scale.axis(), scale.draw((-0.1, 0.2, 0.4), Some(0.8)), scale.draw((0.5, 0.75, 1.0), Some(0.8))];
        assert_eq!(
            lines,
            ["    0                   1", "  ├─────●───┤       ┊    ", "              ├────●────┤",]
        );
    }

    proptest! {
        #[test]
        fn an_interval_stays_on_its_scale_and_in_order(
            mut ends in prop::array::uniform3(-1.0f64..=1.0), width in 1usize..90, ceiling in prop::option::of(-1.0f64..=1.0),
        ) {
            ends.sort_by(f64::total_cmp);
            let [lo, value, hi] = ends;
            let scale = Scale::holding([lo], width);
            prop_assert!(scale.column(lo) <= scale.column(value) && scale.column(value) <= scale.column(hi));
            for line in [scale.draw((lo, value, hi), ceiling), scale.axis()] {
                prop_assert_eq!(line.chars().count(), width);
            }
            let drawn = scale.draw((lo, value, hi), ceiling);
            prop_assert_eq!(drawn.chars().position(|c| c == '●'), Some(scale.column(value)));
        }
    }
}
