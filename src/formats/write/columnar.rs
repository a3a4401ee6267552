//! Parquet and Arrow: binary files whose columns have types, in builds that have the crates for them.

#[cfg(feature = "columnar")]
mod batches;
#[cfg(test)]
#[cfg(feature = "columnar")]
mod tests;

#[cfg(feature = "columnar")]
use self::batches::Columnar;
use super::sink::OutputFormat;

pub static PARQUET: OutputFormat = OutputFormat {
    name: "parquet",
    help: "Parquet, with typed columns",
    extensions: &["parquet"],
    ending: "parquet",
    binary: true,
    #[cfg(feature = "columnar")]
    open: |out, columns| Ok(Box::new(Columnar::new(out, columns, batches::parquet)?)),
    #[cfg(not(feature = "columnar"))]
    open: |_, _| Err(not_built()),
};

pub static ARROW: OutputFormat = OutputFormat {
    name: "arrow",
    help: "An Arrow file (Feather), with typed columns",
    extensions: &["arrow", "feather"],
    ending: "arrow",
    binary: true,
    #[cfg(feature = "columnar")]
    open: |out, columns| Ok(Box::new(Columnar::new(out, columns, batches::arrow)?)),
    #[cfg(not(feature = "columnar"))]
    open: |_, _| Err(not_built()),
};

#[cfg(not(feature = "columnar"))]
fn not_built() -> std::io::Error {
    let why = "this build writes neither Parquet nor Arrow; one with the feature columnar does";
    std::io::Error::new(std::io::ErrorKind::Unsupported, why)
}
