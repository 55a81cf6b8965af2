#!/usr/bin/env bash
# Hostile clients of every role against a real server: each gets requests made up from openapi.yaml, right and wrong ones, until
# there were enough. Ends with a table and a line of key=value pairs; fails unless both kinds of failure are zero.
#
#   REQUESTS=5000   how many requests for each role, at least        ROLES="anyone member person_member ..."
#   SEED=1          where the made-up requests begin
#
# `member`, `contributor` and `admin` come with an API key, `person_...` have signed in. Two cores, 2026-11-20, 5,000 for each:
# 7138 6822 6826 6803 6676 6553 6104 requests in this order of roles, 0 server errors, 0 contract violations, eight minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
requests=${REQUESTS:-5000} seed=${SEED:-1} roles=${ROLES:-anyone member contributor admin person_member person_contributor person_admin}
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
here=$PWD/tests/abuse
server=$target/debug/server
python=$(tests/python.sh tests/abuse)

# Nothing of the surrounding environment.
unset DATABASE_URL SERVER_CONFIG ${!SERVER__@} ${!CONTRIBUTOR__@}
work=$(mktemp -d)
# PostgreSQL's own user must be able to pass.
chmod 755 "$work"
pid=
stop() {
    [ -z "$pid" ] || { kill "$pid" 2>/dev/null && wait "$pid" || true; }
    rm -rf "$work"
}
trap stop EXIT

# The rates are not what is tried here: they would end it after ten minutes' worth of requests.
often='{ burst = 1000000, per_minute = 1000000 }'
SERVER__LIMITS__ADDRESS="$often" SERVER__LIMITS__READS="$often" SERVER__LIMITS__POSTS="$often" \
    "$server" serve --listen 127.0.0.1:0 --data-dir "$work/server" >"$work/out" 2>"$work/log" &
pid=$!
for _ in $(seq 600); do
    grep -qs '^listening on' "$work/out" && break
    kill -0 "$pid" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
done
url=$(sed -n 's/^listening on //p' "$work/out")
[ -n "$url" ] || { echo "abuse: the server was not ready within a minute" >&2; exit 1; }

# Somebody of this role who has joined and signed in. The token lasts ten minutes.
access_token_of() {
    local invite password="abuse withstands five thousand questions"
    invite=$("$server" admin invite --data-dir "$work/server" --role "$1")
    post accounts "{\"invite\": \"$invite\", \"name\": \"person $1\", \"password\": \"$password\"}" >/dev/null
    post sessions "{\"name\": \"person $1\", \"password\": \"$password\"}" |
        "$python" -c 'import json, sys; print(json.load(sys.stdin)["access_token"])'
}

post() {
    curl --silent --show-error --fail --header 'Content-Type: application/json' --data "$2" "$url/v1/$1"
}

# What a role shows; nothing for anyone. A new role or kind of credential is a line here.
credential_of() {
    case $1 in
        anyone) ;;
        person_*) access_token_of "${1#person_}" ;;
        *) "$server" admin create-key --data-dir "$work/server" --role "$1" --name "abuse $1${2:+ $2}" ;;
    esac
}

# Something to be found, so that the answers are more than empty lists.
importer=$(credential_of contributor import)
"$server" admin approve-channel --data-dir "$work/server" --discord 1237400000000000102 --name swing-desk \
    --contributor "abuse contributor import" >/dev/null
CONTRIBUTOR__SERVER=$url CONTRIBUTOR__API_KEY=$importer "$target/debug/contributor" --data-dir "$work/contributor" \
    import --infer-deletes demo/exports/swing-desk.json >"$work/imported" 2>&1 || { cat "$work/imported" >&2; exit 1; }

# A hundred examples for each route make some two thousand requests, with what belongs to every round anyway.
examples=$((requests / 50 < 100 ? requests / 50 + 1 : 100))
for role in $roles; do
    credential=$(credential_of "$role")
    header=()
    [ -z "$credential" ] || header=(--header "Authorization: Bearer $credential")
    made=0 round=0
    # Whoever signs out is nobody afterwards: that route is tried in tests/access.rs.
    while [ "$made" -lt "$requests" ]; do
        report=$work/$role-$round.json
        # In a folder of its own, because it leaves notes where it runs. The same requests again would show nothing: each
        # round has another seed. What it says is shown when it has failed.
        rm -f "$report"
        (cd "$work" && "$(dirname "$python")/schemathesis" --config-file "$here/schemathesis.toml" run "$here/../../openapi.yaml" \
            --url "$url" "${header[@]}" \
            --exclude-path /v1/sessions/current --checks all --mode all --max-examples "$examples" --seed $((seed + round)) --continue-on-failure --no-color \
            --generation-database none --report json --report-json-path "$report") >"$work/said" 2>&1 || cat "$work/said"
        count=$("$python" tests/abuse/tally.py count "$report")
        [ "$count" -gt 0 ] || { echo "abuse: schemathesis made no requests" >&2; exit 1; }
        made=$((made + count)) round=$((round + 1))
    done
done
kill -0 "$pid" || { echo "abuse: the server has ended" >&2; exit 1; }
"$python" tests/abuse/tally.py table "$work" "$seed"
