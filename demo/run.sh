#!/usr/bin/env bash
# The whole path on this machine: exports → contributor → server (private PostgreSQL) → feed → trader on the paper exchange.
# ONCE=1 ends by itself; otherwise the API stays up until Ctrl-C. SPEED sets the pace (43200: half a day in a second).
set -euo pipefail
# Nothing of the user's own settings: no database, key or file of theirs may take part.
unset DATABASE_URL SERVER_CONFIG ${!SERVER__@} ${!CONTRIBUTOR__@} ${!TRADER__@}
demo=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "${BIN:-${CARGO_TARGET_DIR:-$demo/../target}/debug}" && pwd)
speed=${SPEED:-43200}
once=${ONCE:-}

# The path of a Unix socket has at most 107 bytes; the server's part below this folder needs less than 47 of them.
max_path=60
# PostgreSQL does not run as root, so its own user must be able to enter.
can_hold_postgres() {
    [ ${#1} -le $max_path ] || return 1
    [ "$(id -u)" -ne 0 ] || ! id postgres >/dev/null 2>&1 || setpriv --reuid postgres --regid postgres --clear-groups test -x "$1"
}
work=$(mktemp -d "${TMPDIR:-/tmp}/callboard-demo.XXXXXX")
chmod 755 "$work"
can_hold_postgres "$work" || {
    rmdir "$work"
    work=$(mktemp -d /tmp/callboard-demo.XXXXXX)
    chmod 755 "$work"
}
# Away from a contributor.toml or server.toml of the user's.
cd "$work"
server= trader=
finish() {
    trap - EXIT INT TERM
    for pid in $trader $server; do
        kill -TERM "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap finish EXIT
stop() {
    echo
    echo "Stopped; the demo's data are removed."
    exit 0
}
trap stop INT TERM HUP

title() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || title() { printf '\n== %s\n' "$*"; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }

title "1. The server starts, on a PostgreSQL of its own"
"$bin/server" serve --listen "127.0.0.1:${PORT:-0}" --data-dir "$work/server" >"$work/server.out" 2>"$work/server.log" &
server=$!
for _ in $(seq 600); do
    grep -qs '^listening on' "$work/server.out" && break
    kill -0 "$server" 2>/dev/null || { cat "$work/server.log" >&2; fail "the server did not start"; }
    sleep 0.1
done
url=$(sed -n 's/^listening on //p' "$work/server.out")
[ -n "$url" ] || fail "the server was not ready within a minute"
create_key() { "$bin/server" admin create-key --data-dir "$work/server" --role "$1" --name "$2"; }
CONTRIBUTOR__API_KEY=$(create_key contributor "demo contributor")
TRADER__API_KEY=$(create_key member "demo trader")
export CONTRIBUTOR__API_KEY TRADER__API_KEY CONTRIBUTOR__SERVER=$url TRADER__SERVER=$url
echo "listening on $url, with one key for a contributor and one for a trader"
# Posts are published of approved channels only, and taken only from contributors who are enrolled in them.
approve() { "$bin/server" admin approve-channel --data-dir "$work/server" --discord "$1" --name "$2" --contributor "demo contributor"; }
approve 1237400000000000101 vip-calls
approve 1237400000000000102 swing-desk

contributor=("$bin/contributor" --data-dir "$work/contributor")
trade=("$bin/trader-client" --config "$demo/trader.toml" --data-dir "$work/trader")

title "2. A trader follows the feed, on paper"
"${trade[@]}" run 2>"$work/trader.log" &
trader=$!

pace="$speed times as fast as they were"
[ "$speed" != 43200 ] || pace="half a day in a second"
title "3. A contributor replays five days of two Discord channels, $pace"
"${contributor[@]}" import --replay "$speed" --infer-deletes \
    "$demo/exports/vip-calls-1.json" "$demo/exports/vip-calls-2.json" "$demo/exports/swing-desk.json" \
    >"$work/import.out" 2>"$work/import.log" || {
    # Ctrl-C reaches the contributor, too, and it answers with 130.
    [ $? -ne 130 ] || stop
    cat "$work/import.log" >&2
    fail "the import failed"
}
kill -0 "$trader" 2>/dev/null || { cat "$work/trader.log" >&2; fail "the trader has ended early"; }
kill -TERM "$trader"
wait "$trader" || { cat "$work/trader.log" >&2; fail "the trader failed"; }
trader=
echo
cat "$work/import.out"

title "4. The trader catches up from its journal, and the market runs to the end of the prices"
"${trade[@]}" run --once 2>"$work/trader.log" >"$work/once.out" || { cat "$work/trader.log" >&2; fail "the trader failed"; }
cat "$work/once.out"

title "5. What the channels said"
"${trade[@]}" channels

title "6. What became of each signal"
"${trade[@]}" signals --limit 100

title "Done"
echo "The API has answered at $url."
[ -n "$once" ] && exit 0
cat <<TXT
It still does, for example:
  curl -s -H "Authorization: Bearer $TRADER__API_KEY" "$url/v1/signals?symbol=BTC&limit=1"
Ctrl-C stops everything and removes its data.
TXT
wait "$server"
