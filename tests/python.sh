#!/usr/bin/env bash
# Makes the Python environment that FOLDER/requirements.txt describes, and prints its interpreter's path: for the foreign client of
# `make soak` and the hostile ones of `make abuse`. It is made again when the requirements have changed.
#
#   tests/python.sh FOLDER
#
# Nothing is skipped when it cannot be made: it fails and says what is missing.
set -euo pipefail
target=$(realpath -m "${CARGO_TARGET_DIR:-$(dirname "$0")/../target}")
cd "$1"
venv=$target/python-$(basename "$PWD")
if ! cmp -s requirements.txt "$venv/made-of.txt"; then
    echo "Making a Python environment in $venv" >&2
    rm -rf "$venv"
    python3 -m venv "$venv" >&2 || {
        echo "python3 cannot make an environment: install it with its module venv (on Debian: apt-get install python3-venv), then run this again." >&2
        exit 1
    }
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement requirements.txt >&2
    cp requirements.txt "$venv/made-of.txt"
fi
echo "$venv/bin/python3"
