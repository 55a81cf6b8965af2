#!/usr/bin/env bash
# Makes a Python environment with the foreign Discord client that the storms of `make soak ONLY=discord` begin with, and prints
# its interpreter's path. Nothing is skipped when it cannot be made: it fails and says what is missing.
set -euo pipefail
cd "$(dirname "$0")"

venv="${CARGO_TARGET_DIR:-$PWD/../../target}/soak-python"
if ! cmp -s requirements.txt "$venv/made-of.txt"; then
    command -v python3 >/dev/null || { echo "python3 is missing: install it with your system's package manager, then run this again." >&2; exit 1; }
    rm -rf "$venv"
    python3 -m venv "$venv" >&2 || {
        echo "python3 cannot make an environment: install its module venv (on Debian: apt-get install python3-venv), then run this again." >&2
        exit 1
    }
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement requirements.txt >&2
    cp requirements.txt "$venv/made-of.txt"
fi
echo "$venv/bin/python3"
