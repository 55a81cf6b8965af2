#!/usr/bin/env bash
# Makes sure that what cannot come from cargo is here: Rust itself, a C compiler, and PostgreSQL's programs.
# `setup.sh test` also asks for what only the tests need: rustfmt and clippy, and Python with its module venv.
set -euo pipefail

say() { printf '%s\n' "$*" >&2; }

if ! command -v cargo >/dev/null; then
    say "Rust is missing: install it from https://rustup.rs, then run this again."
    exit 1
fi

lacks() { ! cargo "$1" --version >/dev/null 2>&1; }
if [ "${1:-}" = test ] && { lacks fmt || lacks clippy; }; then
    say "The tests need rustfmt and clippy: run \`rustup component add rustfmt clippy\`, then run this again."
    exit 1
fi

has_postgres() {
    command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ||
        [ -x "${PG_BIN_DIR:-/nonexistent}/initdb" ]
}

missing=()
has_postgres || missing+=(postgresql)
command -v cc >/dev/null || missing+=(build-essential)
if [ "${1:-}" = test ]; then
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
fi
[ ${#missing[@]} -eq 0 ] && exit 0

say "Missing: ${missing[*]}"
if ! command -v apt-get >/dev/null; then
    say "Install them with your system's package manager, then run this again."
    exit 1
fi
# Settings for apt-get go behind sudo, which does not pass the environment on. It must ask nothing: nobody may be there.
as_root=(env)
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        say "Installing them needs root, and there is no sudo. As root, run: apt-get install --no-install-recommends ${missing[*]}"
        exit 1
    }
    as_root=(sudo env)
fi
apt() { "${as_root[@]}" DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a apt-get "$@" </dev/null; }
say "Installing with apt-get (as root)..."
apt update -qq
# Only the programs are wanted: no server of the system's own is to be started.
if [[ " ${missing[*]} " == *" postgresql "* ]]; then
    "${as_root[@]}" mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
        echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
apt install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
has_postgres || { say "PostgreSQL's initdb is still not found: set PG_BIN_DIR to its folder."; exit 1; }
