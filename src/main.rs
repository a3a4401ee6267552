//! Hands the embedded model's bytes to the command line and exits with its code.

fn main() {}
