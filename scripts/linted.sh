#!/bin/sh
# Stands between cargo and rustc where the repository's own code is compiled (RUSTC_WORKSPACE_WRAPPER): clippy compiles it and
# denies every warning. Lints and tests then share one compilation, of this code and of all dependencies.
exec clippy-driver "$@" -D warnings
