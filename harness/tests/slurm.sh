#!/usr/bin/env bash
# A load divided by a real Slurm array: `deploy/slurm.sh` runs on a cluster of one machine, made here and ended here, against the
# bundled server. Then the same load undivided. What is shown, or exit code 1:
#
#   - the four records merge to one run in which every arrival of the schedule was served once;
#   - the server was asked for the same objects, as often, as by the undivided run (its access log says so);
#   - a record that is missing, and one that came twice, are refused.
#
# Needs root, Debian's packages slurmctld, slurmd, slurm-client and munge, and python3. Nothing outside a directory of its own is
# touched: its configuration, keys, sockets and ports are its own.
#   SSEC=PATH   the binary (target/release/ssec)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ssec=$(realpath "${SSEC:-$here/../../target/release/ssec}")
arrivals=2000 rate=200
for tool in slurmctld slurmd sbatch munged; do
    command -v $tool >/dev/null || { echo "skipped: $tool is not installed" >&2; exit 0; }
done
[ "$(id -u)" = 0 ] || { echo "skipped: slurmd needs root" >&2; exit 0; }

work=$(mktemp -d /tmp/ssec-slurm.XXXXXX) running=()
finish() {
    local code=$?
    for pid in "${running[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${running[@]}"; do wait "$pid" 2>/dev/null || true; done
    [ $code = 0 ] || tail -n 20 "$work"/*.log >&2 || true
    rm -rf "$work"
}
trap finish EXIT
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
within() { # SECONDS COMMAND…: waits until the command succeeds
    local left=$(($1 * 10))
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ $left -gt 0 ] || { echo "gave up waiting for: $*" >&2; exit 1; }
        sleep 0.1
    done
}

mkdir -m 755 "$work/state" "$work/spool" "$work/run" "$work/bin"
ln -s "$ssec" "$work/bin/ssec"
chmod 755 "$work"
head -c 1024 /dev/urandom >"$work/munge.key"
chmod 400 "$work/munge.key"
munged --foreground --force --key-file="$work/munge.key" --socket="$work/munge.socket" --pid-file="$work/munge.pid" \
    --log-file="$work/munged.log" --seed-file="$work/munge.seed" >"$work/munge-start.log" 2>&1 &
running+=($!)
within 30 test -S "$work/munge.socket"

cat >"$work/slurm.conf" <<C
ClusterName=ssec
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/run/slurmctld.pid
SlurmdPidFile=$work/run/slurmd.pid
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_interval=2,sched_min_interval=0,batch_sched_delay=0
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=8 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES State=UP MaxTime=10
C
export SLURM_CONF=$work/slurm.conf
slurmctld -D -f "$SLURM_CONF" >"$work/slurmctld.log" 2>&1 &
running+=($!)
slurmd -D -f "$SLURM_CONF" >"$work/slurmd.log" 2>&1 &
running+=($!)
idle() { sinfo -h -o %t | grep -qx idle; }
within 60 idle

"$ssec" serve --data-dir "$work/data" --bucket bench --access-log "$work/access" >"$work/exports" 2>"$work/serve.log" &
running+=($!)
within 30 test -s "$work/exports"
# shellcheck disable=SC1091
. "$work/exports"
asked() { # the objects that were read since the last call, one a line, sorted
    awk '$3 == "GET" && $4 ~ /\/data\// { sub(/.*\//, "", $4); print $4 }' "$work/access" | sort
    : >"$work/access"
}

cd "$work"
mkdir shards
cd shards
export SEED=0123456789abcdef ENDPOINT=$S3_ENDPOINT LOAD="--rate $rate --requests $arrivals --ca $AWS_CA_BUNDLE --allow-limited"
export START PATH="$work/bin:$PATH"
START=$(date -u -d +20sec +%FT%TZ)
timeout 300 sbatch --wait --cpus-per-task=1 --output="$work/task-%a.log" "$here/../deploy/slurm.sh" || { cat "$work"/task-*.log >&2; exit 1; }
records=(shard-*.jsonl)
[ ${#records[@]} = 4 ] || { echo "four records were expected: ${records[*]}" >&2; exit 1; }
asked >"$work/divided"
"$ssec" report "${records[@]}" --json >"$work/merged.json"
"$ssec" report "${records[@]}"
refused() { ! "$ssec" report "$@" >"$work/refusal.log" 2>&1 && grep -q shard "$work/refusal.log" && cat "$work/refusal.log"; }
refused "${records[@]:1}" || { echo "a missing shard was not refused" >&2; exit 1; }
refused "${records[@]}" "${records[0]}" || { echo "a doubled shard was not refused" >&2; exit 1; }

# shellcheck disable=SC2086
"$ssec" bench --endpoint "$ENDPOINT" --region us-east-1 --bucket bench --prefix whole/ --op get --sse c --concurrency 128 \
    $LOAD --seed $SEED --no-save --summary "$work/whole.json" >"$work/whole.log" 2>&1 || { cat "$work/whole.log"; exit 1; }
asked >"$work/undivided"
python3 - "$work" $arrivals <<'P'
import json, sys
work, arrivals = sys.argv[1], int(sys.argv[2])
merged, whole = (json.load(open(f"{work}/{name}.json"))["series"][0] for name in ("merged", "whole"))
for name, one in (("four shards, merged", merged), ("undivided", whole)):
    print(f"{name}: attempted {one['attempted']}, ok {one['ok']}")
    assert one["attempted"] == one["ok"] == arrivals, one
divided, undivided = (open(f"{work}/{name}").read().split() for name in ("divided", "undivided"))
assert len(divided) == len(undivided) == arrivals, (len(divided), len(undivided))
assert divided == undivided, "other objects were asked for"
print(f"the same {len(set(divided))} objects were asked for as often, {len(divided)} reads each time")
P
