#!/bin/sh
# One run of `ssec bench`, divided between the tasks of a Slurm array:
#   sbatch --export=ALL,SEED=$(od -An -N8 -tx8 /dev/urandom | tr -d ' '),START=$(date -u -d +2min +%FT%TZ) slurm.sh
# ENDPOINT and LOAD (rate, time, further flags) come from the environment too. Credentials are those of the AWS variables.
#SBATCH --job-name=ssec-bench
#SBATCH --array=0-3
#SBATCH --cpus-per-task=2
set -eu
# shellcheck disable=SC2086 # LOAD is several words.
exec ssec bench --endpoint "${ENDPOINT:-https://s3.example.com}" --region us-east-1 \
    --bucket bench --prefix run-1/ --op get --sse c --concurrency 128 ${LOAD:---rate 4000 --duration 60s} \
    --seed "$SEED" --shard "/$SLURM_ARRAY_TASK_COUNT" --start-at "$START" --no-save \
    --record "shard-$SLURM_ARRAY_TASK_ID.jsonl"
