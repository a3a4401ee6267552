//! The split of an item: whether its labels are for training, evaluation or the audit. A hash of the content decides, the same on every machine.

use serde::{Deserialize, Serialize};

use super::item::{normalise, split_key};

/// The one use of an item's expert labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Training, and everything that is chosen by data.
    Train,
    /// Kappa on hard cases; never trained on.
    Eval,
    /// The random sample of the pool, for unbiased figures; never trained on.
    Audit,
}

/// The shares of the hash range, fixed when a project is created.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitShares {
    /// Share of the pool that is for the audit, from the bottom of the range.
    pub audit: f64,
    /// Share of the pool that is for evaluation, above the audit.
    pub eval: f64,
}

impl Default for SplitShares {
    fn default() -> Self {
        Self { audit: 0.05, eval: 0.30 }
    }
}

impl SplitShares {
    /// The split of a text as imported.
    pub fn split(&self, text: &str) -> Split {
        self.split_normalised(&normalise(text))
    }

    /// The split of a normalised text: `h` is the first 8 bytes of blake3 of its split key, as a fraction of 2^64.
    pub fn split_normalised(&self, normalised: &str) -> Split {
        let h = split_hash(normalised) as f64 / 2f64.powi(64);
        if h < self.audit {
            Split::Audit
        } else if h < self.audit + self.eval {
            Split::Eval
        } else {
            Split::Train
        }
    }
}

/// The first 8 bytes, big-endian, of blake3 of a normalised text's split key.
fn split_hash(normalised: &str) -> u64 {
    let hash = blake3::hash(split_key(normalised).as_bytes());
    let mut head = [0u8; 8];
    head.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_be_bytes(head)
}

impl Split {
    /// The name used in the file and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Eval => "eval",
            Self::Audit => "audit",
        }
    }
}

impl std::str::FromStr for Split {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "train" => Ok(Self::Train),
            "eval" => Ok(Self::Eval),
            "audit" => Ok(Self::Audit),
            other => Err(format!("'{other}' is not a split")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_shares_of_many_texts_are_the_shares_asked_for() {
        let shares = SplitShares::default();
        let n = 40_000;
        let words = ["oak", "elm", "ash", "fir", "yew", "bay", "fig", "box", "may", "rue"];
        let (mut audit, mut eval) = (0, 0);
        for i in 0..n {
            let text: Vec<&str> = (0..5).map(|d| words[(i / 10usize.pow(d)) % 10]).collect();
            match shares.split(&text.join(" ")) {
                Split::Audit => audit += 1,
                Split::Eval => eval += 1,
                Split::Train => {}
            }
        }
        assert!((f64::from(audit) / n as f64 - 0.05).abs() < 0.005, "{audit}");
        assert!((f64::from(eval) / n as f64 - 0.30).abs() < 0.01, "{eval}");
    }

    #[test]
    fn templates_and_near_copies_fall_on_one_side() {
        assert_eq!(
            split_hash("@ana Win 500 NOW at https://a.example/x"),
            split_hash("@bob win 931 now at http://b.example/yy?z=1")
        );
    }

    proptest! {
        #[test]
        fn case_digits_and_white_space_never_change_the_split(text in "\\PC{0,60}") {
            let shares = SplitShares::default();
            let spaced = format!("  {}\n", text.replace(' ', " \t "));
            prop_assert_eq!(shares.split(&text), shares.split(&spaced));
            let digits: String = text.chars().map(|c| if c.is_ascii_digit() { '7' } else { c }).collect();
            prop_assert_eq!(shares.split(&text), shares.split(&digits));
        }
    }
}
