# One word for each thing a person does here; `make` alone lists them. Words after a command go in ARGS.

.DEFAULT_GOAL := help
.PHONY: help demo test check proof picture bench evidence judges deps

# A Rust that `deps` has only just installed is found, too.
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)

# What this machine's compilers need in cargo's environment: asked once, when first used, which is after `deps`.
SETTINGS = $(eval SETTINGS := $(shell sh scripts/deps.sh --env))$(SETTINGS)

# Clippy stands in for the compiler, so that lints and tests share one compilation.
LINTED = RUSTC_WORKSPACE_WRAPPER="$(CURDIR)/scripts/linted.sh"

# cargo-nextest where it is installed: it says which tests are slow.
RUN = $(eval RUN := $(shell cargo nextest --version >/dev/null 2>&1 && echo nextest run || echo test))$(RUN)

# A build without the models has the same dependencies, compiled the same, and little code of its own, which need not be fast.
LABEL_ONLY = CARGO_PROFILE_DEV_OPT_LEVEL=0
# What that build does otherwise, and what a person meets first.
DIFFERS = label_only:: cascade:: dialogue:: pictures:: workstation:: wrong_input::

# The long forms of the proofs that each run of the tests has in short.
LONG = HARDCASE_PROOF_LABELLERS=20 HARDCASE_PROOF_SECONDS=60 HARDCASE_PROOF_KILLS=220 HARDCASE_PROOF_DISK_PAGES=1 \
	HARDCASE_PROOF_CORRUPTIONS=1000 HARDCASE_PROOF_FLIPS=1000 HARDCASE_PROOF_TAKEN_AWAY=200 HARDCASE_PROOF_VALUES=1
INPUTS = HARDCASE_PROOF_INPUTS=1000000 HARDCASE_PROOF_TEXTS=500

# Says what it runs, and runs it.
define step
@printf '\n== %s\n' '$(strip $(1))'
@env $(SETTINGS) $(strip $(1))
endef

help: ## List these
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: deps ## Build, and open the workstation on the bundled demo project (ARGS="--no-tui": stop before the screen)
	$(call step, cargo run --release -- demo $(ARGS))

test: DEPS_FLAGS := --checks
test: deps ## Everything that has to hold: format, lints, arrows, tests, with the models and without
	$(call step, cargo fmt --check)
	$(call step, $(LINTED) cargo test --all-targets --no-run)
	$(call step, $(LINTED) cargo $(RUN))
	@sh scripts/slowest.sh
	$(call step, $(LINTED) $(LABEL_ONLY) cargo test --no-default-features --all-targets --no-run)
	$(call step, $(LINTED) $(LABEL_ONLY) cargo $(RUN) --no-default-features --test loop -- $(DIFFERS))
	@if cargo deny --version >/dev/null 2>&1; then cargo deny check licenses bans sources; fi

check: DEPS_FLAGS := --checks
check: deps ## The quick part of it: format, lints, arrows
	$(call step, cargo fmt --check)
	$(call step, cargo clippy --all-targets -- -D warnings)
	$(call step, cargo test --test house)

proof: DEPS_FLAGS := --proof
proof: export HARDCASE_REQUIRE_ALL := 1
proof: deps ## The long forms, once for each larger change: all proofs, packages, documentation, licences, peers (an hour and more)
	$(call step, cargo deny check licenses bans sources)
	$(call step, RUSTDOCFLAGS="-D warnings" cargo doc --no-deps)
	$(call step, cargo package --allow-dirty)
	$(call step, cargo test --no-default-features)
	$(call step, $(LONG) cargo test --test loop -- --nocapture crowd:: kill full_disk:: corruptions:: flips:: taken_away:: hostile_files::)
	$(call step, $(INPUTS) cargo test --release --lib -- --nocapture any_ whatever_the_bytes no_text_reaches_the_terminal_raw what_is_drawable on_real_texts)
	$(call step, $(INPUTS) cargo test --release --test loop hostile_text -- --nocapture)
	$(call step, cargo build --release)
	$(call step, python3 tests/endpoint_llama_cpp_python.py)
	$(call step, python3 tests/formats_real_libraries.py)

picture: deps ## Take the README's picture of the screen again
	$(call step, env HARDCASE_TAKE_PICTURE=1 cargo test --no-default-features --test loop readme)

bench: deps ## Measure (ARGS="--bench import": only that one)
	$(call step, cargo bench $(ARGS))

evidence: deps ## Simulate on every data set and write the tables of docs/evidence.md again (hours; it goes on where it was stopped)
	$(call step, cargo bench --bench evidence -- $(ARGS))

judges: deps ## Play the loop with a language model on every data set (GGUF=MODEL; hours; ARGS="trec --seeds 1": less)
	$(call step, cargo bench --bench evidence -- --judge "$(GGUF)" $(ARGS))

deps: ## Install what this machine lacks: compilers, cmake, clang with libclang, Rust
	@sh scripts/deps.sh $(DEPS_FLAGS)
