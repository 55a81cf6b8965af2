# What a newcomer, a developer and CI need. Each target sets up what it needs on a bare machine with Rust.
#
#   make demo [ONCE=1]      the whole path on this machine, with invented posts and generated prices
#   make test [ONLY=name]   everything that CI runs; ONLY picks the tests whose names contain it
#   make bench [ONLY=part]  how fast it is: a table, and a last line of key=value pairs
#   make soak [ONLY=part]   storms of faults, and whether the truth came through
#   make abuse [ROLES=...]  hostile clients of every role against a real server; REQUESTS= for each, 5000 by default
#   make sql                check the server's SQL against the migrations, and write down what was learnt (.sqlx)

SHELL := /bin/bash
export CARGO_TERM_COLOR ?= auto
# The server's SQL is checked against .sqlx, not against a database that happens to be named in the environment.
export SQLX_OFFLINE := true
unexport DATABASE_URL

.PHONY: demo test bench soak abuse sql build setup setup-test

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
endif

bench: setup
	cargo build --release --workspace --bins --locked
	@ONLY=$(ONLY) $${CARGO_TARGET_DIR:-target}/release/bench

soak: setup
	cargo build --workspace --bins --locked
	@ONLY=$(ONLY) SEEDS=$(SEEDS) MESSAGES=$(MESSAGES) EVENTS=$(EVENTS) $${CARGO_TARGET_DIR:-target}/debug/soak

sql: setup
	@migrations/check-sql.sh

abuse: setup
	cargo build --workspace --bins --locked
	@ROLES="$(ROLES)" REQUESTS=$(REQUESTS) SEED=$(SEED) tests/abuse/run.sh
