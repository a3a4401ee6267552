//! The jobs that a screen can start, by name and in words.

/// A job that a screen can start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// Embed and prelabel the texts that have not been.
    Scout,
    /// Close the round and open the next.
    Mine,
    /// Train the head on the labels.
    Tune,
    /// Train low-rank adapters on the labels: the encoder's, and the judge's where a model file has judged.
    Lora,
    /// Have a language model judge what the scout is least sure of.
    Judge,
    /// Add what is new in files that were imported before.
    Import,
}

impl JobKind {
    /// Every kind that a person starts by its name.
    pub const ALL: [Self; 5] = [Self::Scout, Self::Tune, Self::Mine, Self::Lora, Self::Judge];

    /// Its name, which is also that of its runs in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scout => "scout",
            Self::Mine => "mine",
            Self::Tune => "tune",
            Self::Lora => "lora",
            Self::Judge => "judge",
            Self::Import => "import",
        }
    }

    /// The arguments a person would type for it, without the project.
    pub(super) fn verb(self) -> &'static [&'static str] {
        match self {
            Self::Scout => &["scout"],
            // A screen does not cut off what other experts still have to answer in a round.
            Self::Mine => &["mine", "--keep-open"],
            Self::Tune => &["tune"],
            Self::Lora => &["tune", "--adapter", "auto"],
            Self::Judge => &["judge"],
            Self::Import => &["import"],
        }
    }

    /// Whether it needs a build with the models.
    pub fn needs_models(self) -> bool {
        matches!(self, Self::Scout | Self::Lora | Self::Judge)
    }

    /// What it does, in one line of the Jobs screen, which explains each term once.
    pub fn says(self) -> &'static str {
        match self {
            Self::Scout => "the model reads every text and suggests a label (a prelabel)",
            Self::Mine => "closes the round and chooses the next cases",
            Self::Tune => "the model learns from your answers (a small classifier, the head)",
            Self::Lora => "trains the model itself a little (LoRA); kept unless it is worse",
            Self::Judge => "a language model reads the texts the model is least sure of",
            Self::Import => "adds what is new in a file of texts",
        }
    }

    /// What it is doing, in one or two plain words.
    pub fn doing(self) -> &'static str {
        match self {
            Self::Scout => "reading the texts",
            Self::Mine => "choosing cases",
            Self::Tune => "learning",
            Self::Lora => "training",
            Self::Judge => "judging",
            Self::Import => "adding texts",
        }
    }

    /// The same as a sentence about what is going on, for people who label.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Scout => "The model is reading the texts.",
            Self::Mine => "The next cases are being chosen.",
            Self::Tune => "The model is learning from your answers.",
            Self::Lora => "A stronger model is being trained.",
            Self::Judge => "A language model is reading the hardest texts.",
            Self::Import => "New texts are being added.",
        }
    }

    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
