# What a newcomer, a developer and CI need. Each target sets up what it needs on a bare machine with Rust.
#
#   make demo [ONCE=1]      the whole path on this machine, with invented posts and generated prices
#   make test [ONLY=name]   everything that CI runs; ONLY picks the tests whose names contain it
#   make bench [ONLY=part]  how fast it is: a table, and a last line of key=value pairs; CORPUS=file for other posts to read
#   make soak [ONLY=part]   storms of faults, and whether the truth came through; SEEDS=n or SECONDS=s says how many
#   make fake-discord       a Discord on this machine to try `contributor` on: docs/contribute.md says how
#   make deny               licences and sources of all dependencies; ADVISORIES=1 also the known advisories (fetches their list)
#   make abuse [ROLES=...]  hostile clients of every role against a real server; REQUESTS= for each, 5000 by default
#   make sql                check the server's SQL against the migrations, and write down what was learnt (.sqlx)

SHELL := /bin/bash
export CARGO_TERM_COLOR ?= auto
# The server's SQL is checked against .sqlx, not against a database that happens to be named in the environment.
export SQLX_OFFLINE := true
unexport DATABASE_URL

.PHONY: demo test bench soak abuse deny fake-discord sql build setup setup-test

setup:
	@demo/setup.sh

setup-test:
	@demo/setup.sh test

build: setup
	cargo build --workspace --bins --locked

demo: build
	@ONCE=$(ONCE) demo/run.sh

ifdef ONLY
test: build
	cargo test --workspace --locked -- $(ONLY)
else
test: setup-test build
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo test --workspace --locked
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --workspace --no-deps --document-private-items --locked --quiet
	REQUESTS=100 tests/abuse/run.sh
endif

bench: setup
	cargo build --release --workspace --bins --locked
	@ONLY=$(ONLY) CORPUS=$(CORPUS) $${CARGO_TARGET_DIR:-target}/release/bench

soak: setup-test
	cargo build --workspace --bins --locked
	@SOAK_PYTHON=$$(tests/python.sh tests/soak) && export SOAK_PYTHON && ONLY=$(ONLY) SEEDS=$(SEEDS) SOAK_SECONDS=$(SECONDS) MESSAGES=$(MESSAGES) \
		EVENTS=$(EVENTS) $${CARGO_TARGET_DIR:-target}/debug/soak

fake-discord:
	@cargo build --quiet --package tests --bin fake-discord --locked
	@PORT=$(PORT) $${CARGO_TARGET_DIR:-target}/debug/fake-discord

# Not a part of `make test`: the tool takes some minutes to build the first time.
deny:
	@cargo deny --version >/dev/null 2>&1 || cargo install cargo-deny --version 0.20.2 --locked --no-default-features
	cargo deny check bans licenses sources $(if $(ADVISORIES),advisories)

sql: setup
	@migrations/check-sql.sh

abuse: setup-test
	cargo build --workspace --bins --locked
	@ROLES="$(ROLES)" REQUESTS=$(REQUESTS) SEED=$(SEED) tests/abuse/run.sh
