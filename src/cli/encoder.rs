//! The options of the verbs that choose an encoder and say how it reads.

use clap::ValueEnum;

use crate::domain::encoder_reading::{EncoderReading, PoolingChoice};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PoolingArgument {
    /// The mean of the tokens' vectors
    Mean,
    /// The first token's vector
    Cls,
    /// The last token's vector
    Last,
}

#[derive(clap::Args)]
pub(super) struct EncoderArguments {
    /// How the encoder makes one vector of a text, kept with the model [default: what its file says]
    #[arg(long, value_enum, value_name = "HOW")]
    pooling: Option<PoolingArgument>,
    /// What the encoder reads before every text, such as 'query: ', kept with the model [default: nothing]
    #[arg(long, value_name = "TEXT")]
    prefix: Option<String>,
}

impl EncoderArguments {
    /// What was said, if anything was.
    pub fn reading(self) -> Option<EncoderReading> {
        if self.pooling.is_none() && self.prefix.is_none() {
            return None;
        }
        let pooling = self.pooling.map(|pooling| match pooling {
            PoolingArgument::Mean => PoolingChoice::Mean,
            PoolingArgument::Cls => PoolingChoice::Cls,
            PoolingArgument::Last => PoolingChoice::Last,
        });
        Some(EncoderReading { pooling, prefix: self.prefix.unwrap_or_default() })
    }
}
