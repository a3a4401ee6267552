//! What a person says of how an encoder reads texts, beyond what its file says. It is kept with the model: other vectors are another model's.

use serde::{Deserialize, Serialize};

/// How one vector of a text is made of its tokens' vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PoolingChoice {
    /// Their mean.
    Mean,
    /// The first token's.
    Cls,
    /// The last token's.
    Last,
}

/// How an encoder reads texts. The default is what its file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EncoderReading {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pooling: Option<PoolingChoice>,
    /// What is put before every text, pool and descriptions alike; a space between them has to be in it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
}

impl EncoderReading {
    /// The hash by which a project knows a model whose file has this sha256, read so: the file's own where nothing is said.
    pub fn identity(&self, file: &[u8]) -> Vec<u8> {
        use sha2::{Digest, Sha256};
        if *self == Self::default() {
            return file.to_vec();
        }
        let pooling: &[u8] = match self.pooling {
            None => b"",
            Some(PoolingChoice::Mean) => b"mean",
            Some(PoolingChoice::Cls) => b"cls",
            Some(PoolingChoice::Last) => b"last",
        };
        let mut hash = Sha256::new();
        for part in [file, pooling, self.prefix.as_bytes()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.finalize().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reading_of_a_file_has_a_hash_of_its_own_and_the_usual_one_has_the_files() {
        let with =
            |pooling, prefix: &str| EncoderReading { pooling, prefix: prefix.into() }.identity(&[7; 32]);
        assert_eq!(with(None, ""), [7; 32]);
        let all = [
            with(None, ""),
            with(None, "query: "),
            with(Some(PoolingChoice::Cls), ""),
            with(Some(PoolingChoice::Mean), ""),
            with(Some(PoolingChoice::Last), "query: "),
        ];
        for (at, one) in all.iter().enumerate() {
            assert_eq!(one.len(), 32);
            assert!(all.iter().skip(at + 1).all(|other| other != one));
        }
    }

    #[test]
    fn it_is_written_only_where_something_is_said() {
        let said = EncoderReading { pooling: Some(PoolingChoice::Cls), prefix: "query: ".into() };
        assert_eq!(serde_json::to_string(&said).unwrap(), r#"{"pooling":"cls","prefix":"query: "}"#);
        assert_eq!(serde_json::to_string(&EncoderReading::default()).unwrap(), "{}");
        assert_eq!(serde_json::from_str::<EncoderReading>("{}").unwrap(), EncoderReading::default());
    }
}
