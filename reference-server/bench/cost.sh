#!/usr/bin/env bash
# What the server costs above the floor of the machine, over TLS with SSE-C: processor time per request and per GiB beside
# that of a bare hyper server in the same run, syncs per put, and resident memory.
#
#   cost.sh              all tables, some minutes
#   cost.sh --long       and one object of 10 GiB in parts: its memory must stay flat
#   SECONDS_EACH=10      time for each row
#   MEMORY_SIZE=256MiB   size of each of the 64 bodies of the memory rows
#   SSEC=PATH FLOOR=PATH binaries; without them both are built (cargo build --release)
#
# The client is `ssec bench`, on the same machine; its processor time is not counted. Needs bash, python3, /proc and 17 GiB
# of disk in TMPDIR. Wall time, and who else uses the machine, hardly matter: what is counted is the server's own time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${SECONDS_EACH:-10} body=${MEMORY_SIZE:-256MiB} long=${1:-}
[ -z "$long" ] || [ "$long" = --long ] || { echo "usage: cost.sh [--long]" >&2; exit 2; }
if [ -z "${SSEC:-}" ] || [ -z "${FLOOR:-}" ]; then
    cargo build --release -q -p harness
    cargo build --release -q -p reference-server --example floor
fi
ssec=${SSEC:-target/release/ssec} floor=${FLOOR:-target/release/examples/floor}
work=$(mktemp -d) pid='' floor_input=''
stop() {
    [ -z "$pid" ] || { kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; }
    pid=''
    [ -z "$floor_input" ] || exec {floor_input}>&-
    floor_input=''
}
trap 'stop; rm -rf "$work"' EXIT

wait_for() { for _ in $(seq 300); do [ -s "$1" ] && return; sleep 0.1; done; echo "a server did not start" >&2; exit 3; }

start_server() { # a fresh data directory each time
    rm -rf "$work/data" "$work/exports"
    SSEC_LOG=reference_server::store=info "$ssec" serve --data-dir "$work/data" >"$work/exports" 2>"$work/log" &
    pid=$!
    wait_for "$work/exports"
    # shellcheck disable=SC1091
    . "$work/exports"
    endpoint=$S3_ENDPOINT
}

start_floor() { # SIZE in bytes, and a directory for one pread or pwrite pass
    mkfifo "$work/fifo"
    rm -f "$work/url"
    "$floor" "$@" <"$work/fifo" >"$work/url" &
    pid=$!
    exec {floor_input}>"$work/fifo"
    rm "$work/fifo"
    wait_for "$work/url"
    endpoint=$(cat "$work/url")
    export AWS_ACCESS_KEY_ID=floor AWS_SECRET_ACCESS_KEY=floor
}

ticks() { awk '{sub(/^.*\) /, ""); print $12 + $13}' "/proc/$pid/stat"; }
memory() { awk -v what="$1:" '$1 == what {print int($2 / 1024)}' "/proc/$pid/status"; }

load() { # OP SIZE and flags of ssec bench
    local op=$1 size=$2
    shift 2
    "$ssec" bench --endpoint "$endpoint" --region us-east-1 --insecure --op "$op" --sse c --size "$size" --verify off \
        --allow-limited --no-save --summary "$work/summary.json" "$@" >"$work/bench.txt" 2>&1 ||
        { cat "$work/bench.txt" >&2; exit 3; }
}

measure() { # OP SIZE STREAMS OBJECTS: microseconds of processor time per request, and seconds per GiB
    local before after
    before=$(ticks)
    load "$1" "$2" --concurrency "$3" --objects "$4" --duration "${seconds}s"
    after=$(ticks)
    python3 - "$work/summary.json" "$1" "$((after - before))" "$(getconf CLK_TCK)" <<'P'
import json, sys
path, op, ticks, hertz = sys.argv[1:]
series = [one for one in json.load(open(path))["series"] if one["op"] == op]
spent, moved = int(ticks) / int(hertz), sum(one["bytes"] for one in series) / 2**30
requests = sum(sum(one[name] for name in ("ok",)) for one in series)
print(f"{spent * 1e6 / requests:.1f} {spent / moved:.3f}")
P
}

row() { # WHAT UNIT SERVER FLOOR GOAL
    python3 -c 'import sys; what, unit, server, floor, goal = sys.argv[1:]
print(f"| {what} | {float(server):g} {unit} | {float(floor):g} {unit} | {float(server) / float(floor):.2f} | {goal} |")' "$@"
}

echo "| what | server | floor | ratio | goal |"
echo "|---|---|---|---|---|"
for op in get put; do
    streams=8 goal=2.0
    [ $op = get ] || { streams=64 goal=5; }
    start_floor 4096
    read -r base _ < <(measure $op 4KiB $streams 64)
    stop
    start_server
    read -r spent _ < <(measure $op 4KiB $streams 64)
    stop
    row "${op^^} 4 KiB, $streams streams" "µs" "$spent" "$base" "$goal"
done
python3 - "$work/log" <<'P'
import re, sys
closed = [line for line in open(sys.argv[1]) if "the store is closed" in line]
found = dict(re.findall(r"(changes|commits|syncs)=(\d+)", re.sub(r"\x1b\[[0-9;]*m", "", closed[-1])))
changes, commits, syncs = (int(found[name]) for name in ("changes", "commits", "syncs"))
print(f"| syncs a PUT of 4 KiB, 64 streams ({changes} changes, {commits} commits) | {syncs / changes:.3f} | | | 0.1 |")
P
for op in get put; do
    goal=1.3
    [ $op = get ] || goal=1.4
    rm -rf "$work/files" && mkdir "$work/files"
    start_floor $((64 << 20)) "$work/files"
    read -r _ base < <(measure $op 64MiB 2 4)
    stop
    rm -rf "$work/files"
    start_server
    read -r _ spent < <(measure $op 64MiB 2 4)
    stop
    row "${op^^} 64 MiB, 2 streams, a GiB" s "$spent" "$base" "$goal"
done

echo
echo "| resident memory, MiB | at rest | at most | goal |"
echo "|---|---|---|---|"
for op in get put; do
    start_server
    rest=$(memory VmRSS)
    load $op "$body" --concurrency 64 --objects 2 --requests 64 --timeout 600s
    echo "| 64 ${op^^}s of $body at once | $rest | $(memory VmHWM) | 100 |"
    stop
done
if [ -n "$long" ]; then
    start_server
    rest=$(memory VmRSS)
    load multipart 10GiB --part-size 64MiB --concurrency 1 --objects 1 --requests 1 --timeout 3600s
    echo "| one object of 10 GiB, in parts of 64 MiB | $rest | $(memory VmHWM) | flat |"
    stop
fi
