#!/usr/bin/env bash
# Makes sure that what cannot come from cargo is here: Rust itself, a C compiler, and PostgreSQL's programs.
set -euo pipefail

say() { printf '%s\n' "$*" >&2; }

if ! command -v cargo >/dev/null; then
    say "Rust is missing: install it from https://rustup.rs, then run this again."
    exit 1
fi

has_postgres() {
    command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ||
        [ -x "${PG_BIN_DIR:-/nonexistent}/initdb" ]
}

missing=()
has_postgres || missing+=(postgresql)
command -v cc >/dev/null || missing+=(build-essential)
[ ${#missing[@]} -eq 0 ] && exit 0

say "Missing: ${missing[*]}"
if ! command -v apt-get >/dev/null; then
    say "Install them with your system's package manager, then run this again."
    exit 1
fi
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
say "Installing with apt-get ${as_root[*]:+(as root) }..."
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
# Only the programs are wanted: no server of the system's own is to be started.
if [[ " ${missing[*]} " == *" postgresql "* ]]; then
    "${as_root[@]}" mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
        echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
has_postgres || { say "PostgreSQL's initdb is still not found: set PG_BIN_DIR to its folder."; exit 1; }
