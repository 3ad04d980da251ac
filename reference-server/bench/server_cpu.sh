#!/usr/bin/env bash
# Processor time that a server spends per GiB of SSE-C body, read and written, with `ssec bench` as the client.
#
#   server_cpu.sh                        the bundled server over plain HTTP, started and ended here
#   server_cpu.sh ENDPOINT PID           a server of yours that runs on this machine as process PID;
#                                        credentials come from the AWS variables
#   SSEC=PATH SIZE=64MiB SECONDS_EACH=15 the binary (target/release/ssec), body size, time for each row
#
# Needs bash, python3 and /proc. Counts all threads of the process, kernel time included; not its children.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
ssec=${SSEC:-target/release/ssec} size=${SIZE:-64MiB} seconds=${SECONDS_EACH:-15}
work=$(mktemp -d) server=
finish() {
    [ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
    rm -rf "$work"
}
trap finish EXIT

if [ $# = 2 ]; then
    endpoint=$1 pid=$2
elif [ $# = 0 ]; then
    "$ssec" serve --plain-http --data-dir "$work/data" >"$work/exports" 2>"$work/log" &
    server=$! pid=$server
    for _ in $(seq 100); do [ -s "$work/exports" ] && break; sleep 0.1; done
    [ -s "$work/exports" ] || { echo "the server did not start:" >&2; cat "$work/log" >&2; exit 3; }
    # shellcheck disable=SC1091
    . "$work/exports"
    endpoint=$S3_ENDPOINT
else
    echo "give an endpoint and the pid of its server, or nothing" >&2; exit 2
fi

ticks() { awk '{sub(/^.*\) /, ""); print $12 + $13}' "/proc/$pid/stat"; }

for op in get put; do
    before=$(ticks)
    "$ssec" bench --endpoint "$endpoint" --region us-east-1 --op $op --sse c --size "$size" --objects 8 \
        --concurrency 2 --warmup 0s --duration "${seconds}s" --summary "$work/$op.json" >"$work/$op.txt" 2>&1 ||
        { cat "$work/$op.txt" >&2; exit 3; }
    after=$(ticks)
    python3 - "$work/$op.json" "$op" "$size" "$((after - before))" "$(getconf CLK_TCK)" <<'P'
import json, sys
path, op, size, ticks, hertz = sys.argv[1:]
series = json.load(open(path))["series"]
moved = sum(one["bytes"] for one in series if one["op"] == op) / 2**30
print(f"{op} {size}: {int(ticks) / int(hertz) / moved:.2f} s of processor time per GiB, over {moved:.1f} GiB")
P
done
