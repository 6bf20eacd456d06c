#!/usr/bin/env bash
# Tests the bridge while its hub is unreachable, in real network namespaces, and prints how long after the hub's return
# every round recorded in the meantime has arrived. Needs root, `ip` and a NATS server (scripts/dev/nats/install.sh).
#
#   scripts/tests/outage.sh [SECONDS]      how long the hub is unreachable (default 30)
set -euo pipefail
cd "$(dirname "$0")/../.."
away=${1:-30}
target=${CARGO_TARGET_DIR:-target}
bridge=$target/debug/bridge
server=${AVIATOR_NATS_SERVER:-target/nats/bin/nats-server}
# shellcheck source=scripts/lib/packages.sh
. scripts/lib/packages.sh
need iproute2 ip
cargo build --quiet --locked --workspace --bin bridge
[ -x "$server" ] || bash scripts/dev/nats/install.sh

work=$(mktemp -d)
hub=aviator-hub-$$ site=aviator-site-$$
pids=()
finish() {
  kill "${pids[@]}" 2>/dev/null || true
  wait "${pids[@]}" 2>/dev/null || true
  ip netns del "$hub" 2>/dev/null || true
  ip netns del "$site" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
fail() { echo "FAIL $1" >&2; tail -n 5 "$work"/*.log >&2; exit 1; }

ip netns add "$hub"
ip netns add "$site"
ip link add avhub type veth peer name avsite netns "$site"
ip link set avhub netns "$hub"
ip -n "$hub" addr add 10.99.7.1/24 dev avhub
ip -n "$site" addr add 10.99.7.2/24 dev avsite
for namespace in "$hub" "$site"; do ip -n "$namespace" link set lo up; done
ip -n "$hub" link set avhub up
ip -n "$site" link set avsite up

printf 'listen: 10.99.7.1:4222\njetstream { store_dir: "%s/store" }\n' "$work" >"$work/nats.conf"
ip netns exec "$hub" "$server" -c "$work/nats.conf" >"$work/server.log" 2>&1 &
pids+=($!)
until grep -q 'Server is ready' "$work/server.log"; do sleep 0.1; done

mkdir "$work/here" "$work/there"
file=$work/here/aviator_payouts_recorded.csv
printf 'timestamp,multiplier\n' >"$file"
number=0
record() { # COUNT: appends COUNT rounds
  local end=$((number + $1))
  while [ "$number" -lt "$end" ]; do
    printf '%s,%d.%02d\n' "$(date -u -d "@$((1765395155 + 20 * number))" +%Y-%m-%dT%H:%M:%S.000Z)" \
      $((1 + number % 9)) $((number * 37 % 100)) >>"$file"
    number=$((number + 1))
  done
}
arrived() { cat "$work"/there/*.csv 2>/dev/null | grep -vc timestamp || true; }
all_there() { # SECONDS: waits until every round has arrived
  local deadline=$((SECONDS + $1))
  until [ "$(arrived)" -eq "$number" ]; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.02
  done
}

record 20
# A hub on another machine must use TLS unless --plain is given.
code=0
ip netns exec "$site" "$bridge" push --data-dir "$work/here" --site attic --hub nats://10.99.7.1:4222 --once >"$work/refused.log" 2>&1 || code=$?
{ [ "$code" -eq 2 ] && grep -q 'does not speak TLS' "$work/refused.log"; } || fail "the bridge uses a hub on another machine without TLS"

ip netns exec "$site" "$bridge" push --data-dir "$work/here" --site attic --plain --hub nats://10.99.7.1:4222 >"$work/push.log" 2>&1 &
pids+=($!)
ip netns exec "$hub" "$bridge" pull --data-dir "$work/there" --plain --hub nats://10.99.7.1:4222 >"$work/pull.log" 2>&1 &
pids+=($!)
all_there 20 || fail "the first rounds do not arrive"

ip -n "$site" link set avsite down
for _ in $(seq "$away"); do
  record 10
  sleep 1
done
[ "$(arrived)" -eq 20 ] || fail "rounds arrived without a link"
ip -n "$site" link set avsite up
back=$(date +%s%3N)
all_there 60 || fail "the waiting rounds do not arrive"
taken=$(($(date +%s%3N) - back))
diff <(cat "$work"/there/*.csv | grep -v timestamp) <(grep -v timestamp "$file") >/dev/null || fail "the rows differ"
echo "$((number - 20)) rounds recorded during $away s without a hub arrived $taken ms after its return"
[ "$taken" -lt 5000 ] || fail "that is more than 5 s"
