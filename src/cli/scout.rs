//! `scout`: embeds and prelabels all new texts, or takes in vectors that were made elsewhere.

#[cfg(feature = "engine")]
use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::arguments::Reading;
#[cfg(feature = "engine")]
use super::encoder::EncoderArguments;
#[cfg(feature = "engine")]
use super::models::named_file;
use super::setting::Setting;
use crate::domain::fault::{Fault, Result};
use crate::domain::read_options::ReadOptions;
use crate::job::given_vectors::{VectorOptions, take_vectors};
#[cfg(feature = "engine")]
use crate::job::scout::scout;
#[cfg(feature = "engine")]
use crate::learn::model::Asked;

#[derive(clap::Args)]
pub(super) struct Scout {
    /// The project file
    file: PathBuf,
    #[cfg(feature = "engine")]
    #[command(flatten)]
    embedding: Embedding,
    #[command(flatten)]
    given: GivenArguments,
}

/// How a model embeds the texts.
#[cfg(feature = "engine")]
#[derive(clap::Args)]
struct Embedding {
    /// An encoder model: a name from `hardcase models`, or the path of a GGUF file [default: the project's encoder, else the embedded one]
    #[arg(long, value_name = "MODEL", conflicts_with = "from")]
    model: Option<PathBuf>,
    /// Use the embedded encoder, though the project was scouted with another. All texts are read again; labels and earlier figures stay
    #[arg(long, conflicts_with_all = ["model", "from"])]
    embedded: bool,
    #[command(flatten)]
    encoder: EncoderArguments,
    /// Number of threads [default: one for each core]
    #[arg(long, value_name = "N", conflicts_with = "from")]
    threads: Option<NonZeroUsize>,
}

/// Vectors that were made elsewhere.
#[derive(clap::Args)]
struct GivenArguments {
    /// Take in vectors (embeddings) that were made elsewhere instead of embedding the texts: a file of any kind that `import` reads, or `-`
    /// for standard input. Cases are chosen and a head is trained on them. There is no first guess, because the labels have no vectors
    #[arg(long, value_name = "DATA", requires = "model_name", required = cfg!(not(feature = "engine")))]
    from: Option<PathBuf>,
    /// The model that made the vectors. Vectors under one name are compared with each other; a later file under it adds to them
    #[arg(long, value_name = "NAME", requires = "from")]
    model_name: Option<String>,
    /// Column with the vectors [default: the only one that holds lists of numbers of one length]
    #[arg(long, value_name = "COL", requires = "from")]
    vectors: Option<String>,
    #[command(flatten)]
    reading: Reading,
}

impl GivenArguments {
    /// The file and how it is read; none where no file was named.
    ///
    /// # Errors
    /// An option that means nothing.
    fn checked(self) -> Result<Option<(PathBuf, VectorOptions)>> {
        let read = ReadOptions::from(self.reading);
        let (Some(data), Some(model)) = (self.from, self.model_name) else {
            if read == ReadOptions::default() {
                return Ok(None);
            }
            return Err(Fault::usage("scout the pool", "how a file is read was said, and no file was named")
                .hint("Name the file with the vectors: --from DATA --model-name NAME"));
        };
        if read.gold.is_some() || !read.meta.is_empty() {
            return Err(Fault::usage("take in the vectors", "--gold and --meta mean nothing to them")
                .hint("Name the column with the vectors with --vectors"));
        }
        Ok(Some((data, VectorOptions { read, column: self.vectors, model })))
    }
}

impl Scout {
    /// Whether this reads texts with a model, and so needs a child process.
    #[cfg(feature = "engine")]
    pub fn needs_model(&self) -> bool {
        self.given.from.is_none()
    }

    pub fn run(self, setting: &Setting) -> Result<()> {
        if let Some((data, options)) = self.given.checked()? {
            #[cfg(feature = "engine")]
            if self.embedding.encoder.reading().is_some() {
                return Err(Fault::usage(
                    "take in the vectors",
                    "--pooling and --prefix mean nothing to them",
                )
                .hint("Leave both out: the vectors are taken as they are"));
            }
            return setting.print(&take_vectors(&setting.job(&self.file), &data, &options)?);
        }
        #[cfg(feature = "engine")]
        self.embedding.run(&self.file, setting)?;
        Ok(())
    }
}

#[cfg(feature = "engine")]
impl Embedding {
    fn run(self, project: &std::path::Path, setting: &Setting) -> Result<()> {
        let mut model = setting.scout_model(named_file(self.model)?, self.threads);
        if self.embedded {
            model.asked = Asked::Embedded;
        }
        model.reading = self.encoder.reading();
        setting.print(&scout(&setting.job(project), &model)?)
    }
}
