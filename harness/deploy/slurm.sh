#!/bin/sh
# One run of `ssec bench`, divided between the tasks of a Slurm array:
#   sbatch --export=ALL,SEED=$(od -An -N8 -tx8 /dev/urandom | tr -d ' '),START=$(date -u -d +2min +%FT%TZ) slurm.sh
#SBATCH --job-name=ssec-bench
#SBATCH --array=0-3
#SBATCH --cpus-per-task=2
set -eu
exec ssec bench --endpoint https://s3.example.com --region us-east-1 \
    --bucket bench --prefix run-1/ --op get --sse c --rate 4000 --duration 60s --concurrency 128 \
    --seed "$SEED" --shard /4 --start-at "$START" --no-save \
    --record "shard-$SLURM_ARRAY_TASK_ID.jsonl"
