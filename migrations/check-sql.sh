#!/usr/bin/env bash
# Checks every SQL statement of the server against a throw-away database with all migrations, and writes what the
# compiler needs to check them without one into .sqlx. Run it after changing a statement or adding a migration.
set -euo pipefail
cd "$(dirname "$0")/.."

# The newest of Debian's folders, or wherever PATH leads.
bin=${PG_BIN_DIR:-$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -n 1 || true)}
[ -x "$bin/initdb" ] || bin=$(dirname "$(readlink -f "$(command -v initdb || true)")")
[ -x "$bin/initdb" ] || {
    echo "check-sql: PostgreSQL's initdb is neither in PATH nor in /usr/lib/postgresql: set PG_BIN_DIR to its folder" >&2
    exit 1
}
# The answers are collected beside .sqlx and take its place only when all are there.
answers=$(mktemp -d "$PWD/.sqlx.XXXXXX")
chmod 755 "$answers"
folder=$(mktemp -d)
chmod 755 "$folder"
run=()
if [ "$(id -u)" -eq 0 ]; then
    chown postgres "$folder"
    run=(setpriv --reuid postgres --regid postgres --clear-groups)
fi
stop() {
    "${run[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$folder" "$answers"
}
trap stop EXIT

"${run[@]}" "$bin/initdb" -D "$folder/data" -U callboard --auth=trust --encoding=UTF8 --locale=C.UTF-8 >/dev/null
"${run[@]}" "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/log" \
    -o "-c listen_addresses= -c unix_socket_directories=$folder -c fsync=off" start >/dev/null
"$bin/psql" -qX -h "$folder" -U callboard postgres -c 'CREATE DATABASE callboard'
for migration in migrations/*.sql; do
    "$bin/psql" -qX -v ON_ERROR_STOP=1 -h "$folder" -U callboard callboard -f "$migration"
done

# The macros look at the database only when their files are compiled anew.
touch server/src/lib.rs
SQLX_OFFLINE=false SQLX_OFFLINE_DIR="$answers" DATABASE_URL="postgres://callboard@localhost/callboard?host=$folder" \
    cargo check --package server --all-targets
compgen -G "$answers/query-*.json" >/dev/null || { echo "check-sql: no statement was checked; .sqlx is unchanged" >&2; exit 1; }
rm -rf .sqlx
mv "$answers" .sqlx
echo "checked $(ls .sqlx | wc -l) statements"
