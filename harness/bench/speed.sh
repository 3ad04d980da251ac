#!/usr/bin/env bash
# What a request of `ssec bench` costs its own machine, beside a bare hyper loop, oha and wrk: all against one bare TLS
# server (examples/bare.rs) in one run, in processor time of the whole client process.
#
#   speed.sh                             the table, some minutes; exit code 1 if a goal is missed
#   ROUNDS=5                             rounds; each has every client once, and medians over them are printed
#   SMALL=200000 LARGE=6000              requests of 1 KiB and of 1 MiB a client and round
#   TOGETHER=1                           server and clients on the same processors; else, where there are two or more, the
#                                        server has the first to itself and the clients the others, as on two machines
#   SSEC=PATH BARE=PATH OHA=PATH WRK=PATH binaries; the first two are built otherwise, as they are handed to others
#                                        (cargo build --profile dist)
#
# Where oha (cargo install oha) or wrk (Debian's package) is not there, its row says "not installed". Ratios are medians of the
# ratios within a round: what else the machine does hits neighbours alike. Needs bash, python3, taskset and /proc.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rounds=${ROUNDS:-5} small=${SMALL:-200000} large=${LARGE:-6000} streams=8
[ $# = 0 ] || { echo "usage: speed.sh" >&2; exit 2; }
if [ -z "${SSEC:-}" ] || [ -z "${BARE:-}" ]; then
    cargo build --profile dist -q -p harness --bin ssec --example bare
fi
ssec=${SSEC:-target/dist/ssec} bare=${BARE:-target/dist/examples/bare}
oha=${OHA:-$(command -v oha || true)} wrk=${WRK:-$(command -v wrk || true)}
work=$(mktemp -d) server='' input='' replace=''
finish() {
    [ -z "$input" ] || exec {input}>&-
    [ -z "$server" ] || wait "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

mapfile -t processors < <(python3 -c 'import os; print(*sorted(os.sched_getaffinity(0)), sep="\n")')
own=("${processors[@]}") first=()
if [ -z "${TOGETHER:-}" ] && [ "${#processors[@]}" -gt 1 ]; then
    first=(taskset -c "${processors[0]}") own=("${processors[@]:1}")
fi

mkfifo "$work/input"
"${first[@]}" "$bare" serve "$work/ca.pem" <"$work/input" >"$work/url" &
server=$!
exec {input}>"$work/input"
for _ in $(seq 300); do [ -s "$work/url" ] && break; sleep 0.1; done
url=$(cat "$work/url")
[ -n "$url" ] || { echo "the bare server did not start" >&2; exit 3; }
# What is started from here on inherits it.
[ ${#first[@]} = 0 ] || taskset -cp "$(IFS=,; echo "${own[*]}")" $$ >"$work/out"
threads=$((${#own[@]} < streams ? ${#own[@]} : streams))
export AWS_ACCESS_KEY_ID=bare AWS_SECRET_ACCESS_KEY=bare

cpu() { # ROW CLIENT REQUESTS COMMAND…: notes the processor time of the command, a request
    local row=$1 client=$2 requests=$3 TIMEFORMAT='%U %S'
    shift 3
    { time "$@" >"$work/out" 2>"$work/err"; } 2>"$work/time" ||
        { cat "$work/out" "$work/err" >&2; echo "failed: $*" >&2; exit 3; }
    # wrk runs for a time and tells how much it did.
    [ "$requests" != told ] || requests=$(awk '$2 == "requests" && $3 == "in" { print $1 }' "$work/out")
    awk -v row="$row" -v client="$client" -v requests="$requests" \
        '{ printf "%s %s %.9f\n", row, client, ($1 + $2) / requests }' "$work/time" >>"$work/figures"
}

bench() { # OP SIZE REQUESTS
    $replace "$ssec" bench --endpoint "$url" --ca "$work/ca.pem" --region us-east-1 --op "$1" --sse c --size "$2" --requests "$3" \
        --objects 16 --concurrency $streams --allow-limited --no-save --summary "$work/summary.json"
}

loops() { # OP OBJECT REQUESTS [SIZE]
    "$bare" "$1" "$url/bucket/$2" "$work/ca.pem" $streams "$3" "${4:-0}"
}

"$bare" put "$url/bucket/small" "$work/ca.pem" 1 1 1024
"$bare" put "$url/bucket/large" "$work/ca.pem" 1 1 1048576
for _ in $(seq "$rounds"); do
    cpu get-small ssec "$small" bench get 1KiB "$small"
    cpu get-small bare "$small" loops get small "$small"
    [ -z "$oha" ] || cpu get-small oha "$small" "$oha" --no-tui --insecure -c $streams -n "$small" "$url/bucket/small"
    cpu get-large ssec "$large" bench get 1MiB "$large"
    [ -z "$wrk" ] || cpu get-large wrk told "$wrk" -t $threads -c $streams -d 3s "$url/bucket/large"
    cpu put-large ssec "$large" bench put 1MiB "$large"
    cpu put-large bare "$large" loops put put "$large" 1048576
done

memory() { # REQUESTS: the most resident memory of a run of so many, in MiB
    replace=exec bench get 1KiB "$1" >"$work/out" 2>&1 &
    local pid=$! most=0 now
    while now=$(awk '$1 == "VmHWM:" { print int($2 / 1024) }' "/proc/$pid/status" 2>/dev/null) && [ -n "$now" ]; do
        most=$now
        sleep 0.1
    done
    wait "$pid" || { cat "$work/out" >&2; exit 3; }
    echo "memory-$2 ssec $most" >>"$work/figures"
}
memory "$((small / 4))" short
memory "$((small * 4))" long
cargo test -q -p harness --test allocations -- --nocapture >"$work/out" 2>&1 || { cat "$work/out" >&2; exit 3; }
sed -n 's/^--op=\([a-z]*\): \([0-9]*\) allocations a request$/allocations-\1 ssec \2/p' "$work/out" >>"$work/figures"

python3 - "$work/figures" <<'P'
import statistics, sys
found = {}
for line in open(sys.argv[1]):
    row, client, value = line.split()
    found.setdefault((row, client), []).append(float(value))

missed = False


def verdict(value, goal, strict=False):
    global missed
    met = value < goal if strict else value <= goal
    missed |= not met
    return "met" if met else "missed"


def compare(what, row, other, called, scale, unit, goal, strict=False):
    ours, theirs = found[row, "ssec"], found.get((row, other))
    sign = "<" if strict else "≤"
    us = f"{statistics.median(ours) * scale:.3g} {unit}"
    if theirs is None:
        print(f"| {what} | {us} | {called}: not installed | | {sign} {goal} | |")
        return
    ratio = statistics.median(a / b for a, b in zip(ours, theirs))
    beside = f"{called}: {statistics.median(theirs) * scale:.3g} {unit}"
    print(f"| {what} | {us} | {beside} | {ratio:.2f} | {sign} {goal} | {verdict(ratio, goal, strict)} |")


def limit(what, row, goal, unit, strict=False):
    value = found[row, "ssec"][0]
    sign = "<" if strict else "≤"
    print(f"| {what} | {value:.0f}{unit} | | | {sign} {goal}{unit} | {verdict(value, goal, strict)} |")


print("| what | ssec bench | beside it | ratio | goal | |")
print("|---|---|---|---|---|---|")
get, checked = "GET 1 KiB, signed, customer key, checked", "GET 1 MiB, signed, customer key, checked, a GiB"
put = "PUT 1 MiB, signed, customer key, a GiB"
compare(get, "get-small", "bare", "bare hyper loop", 1e6, "µs", 1.35)
compare(get, "get-small", "oha", "oha", 1e6, "µs", 1, strict=True)
compare(checked, "get-large", "wrk", "wrk", 1024, "s", 0.6)
compare(put, "put-large", "bare", "bare hyper loop", 1024, "s", 1.3)
limit("allocations a GET", "allocations-get", 20, "")
limit("allocations a PUT", "allocations-put", 20, "")
limit("resident memory, the shorter run", "memory-short", 100, " MiB", strict=True)
limit("resident memory, 16 times as long", "memory-long", 100, " MiB", strict=True)
sys.exit(missed)
P
