#!/usr/bin/env bash
# Nothing lost, nothing wrong: crashes, losses of power, damage, broken disks, bad input. Prints a table of what was
# tried, what was lost and what was wrong. `--long` adds the long form, which takes an hour and more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
which=()
if [ "${1:-}" = --long ]; then
  which=(--include-ignored)
elif [ $# -gt 0 ]; then
  echo "usage: $0 [--long]" >&2
  exit 2
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
run() {
  if ! cargo test -q "$@" --nocapture "${which[@]}" >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
  fi
  # A test that ran told its line; a suite that told none tried nothing.
  sed -n 's/.*hardening |/|/p' "$log" | grep . || { echo "nothing was tried: $*" >&2; exit 1; }
}
echo '| what | tried | lost | wrong |'
echo '|---|---|---|---|'
run -p reference-server --test damage --
run -p reference-server --test fuzz --
run -p reference-server --lib -- store::tests::row_damage
run -p reference-server --lib -- store::tests::power_loss
run -p reference-server --lib -- store::tests::broken_disk
run -p harness --test crashes -- killed
run -p harness --test fuzz --
run -p reports --test fuzz --
