#!/usr/bin/env bash
# Nothing lost, nothing leaked, nothing wrong: prints one table of what was tried, and what of it was lost, leaked or
# wrong; – is what a row does not look for. `--long` adds the long form, which takes some hours. A test that finds
# anything fails, and its row says so; then the exit code is 1, as it is when a row was skipped that every machine of a
# CI can try: all but the full disk, which takes a mount of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
parts=(crashes 'power loss' damage disk scrub 'memory scan' 'keys nowhere' 'hostile clients' 'hostile targets' fuzz
  properties resources soak)
may_be_skipped='| resources: a full disk (skipped:'
which=()
if [ "${1:-}" = --long ]; then
  which=(--include-ignored)
  parts+=(timing)
elif [ $# -gt 0 ]; then
  echo "usage: $0 [--long]" >&2
  exit 2
fi
log=$(mktemp)
table=$(mktemp)
trap 'rm -f "$log" "$table"' EXIT
failed=0
complain() {
  echo "$1" >&2
  failed=1
}
# Runs tests, and tells the lines that they print for the table.
run() {
  if ! cargo test -q "$@" --nocapture "${which[@]}" >"$log" 2>&1; then
    cat "$log" >&2
    echo "| $* | failed | | | |" | tee -a "$table"
    failed=1
    return
  fi
  # A test that ran told its line; a suite that told none tried nothing.
  sed -n 's/.*hardening |/|/p' "$log" | tee -a "$table" | grep . || complain "nothing was tried: $*"
}
echo '| what | tried | lost | leaked | wrong |'
echo '|---|---|---|---|---|'
run -p harness --test crashes -- killed
run -p reference-server --lib -- store::tests::power_loss
run -p reference-server --test damage --
run -p reference-server --lib -- store::tests::row_damage
run -p reference-server --lib -- store::tests::scrub
run -p reference-server --lib -- store::tests::broken_disk
run -p harness --test memory --
run -p harness --test keys_nowhere --
run -p reference-server --test wire -- hostile
run -p reference-server --test fuzz --
run -p harness --test fuzz --
run -p reports --test fuzz --
run -p harness --lib -- s3::sign
run -p harness --test hardened --
[ ${#which[@]} = 0 ] || run -p reference-server --test wrong_key_timing --
if grep -vE '^\|( [^|]+ \|){5}$' "$table" >&2; then
  complain 'these rows do not have five cells'
fi
# What this machine does not allow is no finding, and no proof either.
if grep -F '(skipped:' "$table" >&2; then
  echo 'the rows above were not tried here, and say why' >&2
  if grep -F '(skipped:' "$table" | grep -vqF "$may_be_skipped"; then
    complain 'a row was skipped that this machine should be able to try'
  fi
fi
for part in "${parts[@]}"; do
  grep -qE "^\| $part[:; ]" "$table" || complain "no row tells of $part"
done
exit $failed
