# One word for each thing a person does here; `make` alone lists them. Words after a command go in ARGS.

.DEFAULT_GOAL := help
.PHONY: help demo test check picture bench evidence deps

# A Rust that `deps` has only just installed is found, too.
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)

# What this machine's compilers need in cargo's environment: asked once, when first used, which is after `deps`.
SETTINGS = $(eval SETTINGS := $(shell sh scripts/deps.sh --env))$(SETTINGS)

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
	$(call step, cargo clippy --all-targets -- -D warnings)
	$(call step, cargo clippy --no-default-features --all-targets -- -D warnings)
	$(call step, cargo test)
	$(call step, cargo test --no-default-features)

check: DEPS_FLAGS := --checks
check: deps ## The quick part of it: format, lints, arrows
	$(call step, cargo fmt --check)
	$(call step, cargo clippy --all-targets -- -D warnings)
	$(call step, cargo test --test house)

picture: deps ## Take the README's picture of the screen anew
	$(call step, env HARDCASE_TAKE_PICTURE=1 cargo test --no-default-features --test loop readme)

bench: deps ## Measure (ARGS="import": only the benches of that name)
	$(call step, cargo bench $(ARGS))

evidence: deps ## Simulate on every data set and write the tables of docs/evidence.md anew (hours; it goes on where it was stopped)
	$(call step, cargo bench --bench evidence -- $(ARGS))

deps: ## Install what this machine lacks: compilers, cmake, clang with libclang, Rust
	@sh scripts/deps.sh $(DEPS_FLAGS)
