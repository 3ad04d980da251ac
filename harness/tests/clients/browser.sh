#!/usr/bin/env bash
# The page of `ssec report --html` in a real browser, from a file, without a network.
#
#   harness/tests/clients/browser.sh      builds the debug binary; installs Debian's chromium (as
#                                         root) and playwright-core if they are missing; runs
#   SSEC=PATH SHOTS=DIR browser.sh        uses this binary; keeps the screenshots there
#
# Prints `N passed, N failed` and ends with 1 if anything failed. Needs bash, node, npm, python3.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
clients=$PWD/harness/tests/clients
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -n "${SSEC:-}" ]; then ssec=$SSEC
else
    cargo build --bin ssec
    ssec=${CARGO_TARGET_DIR:-$PWD/target}/debug/ssec
fi
if ! command -v chromium >/dev/null; then
    { apt-get update -q && apt-get install -y -q --no-install-recommends chromium fonts-dejavu-core; } \
        >"$work/apt" 2>&1 || { cat "$work/apt" >&2; exit 2; }
fi
if ! (cd "$work" && npm install --silent --no-fund --no-audit playwright-core@1 >npm 2>&1); then
    cat "$work/npm" >&2
    exit 2
fi

# One record of every verdict with a hostile answer in it, and one of 1,000 failed trials.
python3 - reports/tests/golden/mixed.jsonl "$work/hostile.jsonl" "$work/thousand.jsonl" <<'PYTHON'
import copy, json, sys
source, hostile, thousand = sys.argv[1:]
lines = [json.loads(line) for line in open(source, encoding="utf-8")]
header, cases, footer = lines[0], lines[1:-1], lines[-1]
payload = "</script><img src=x onerror=\"document.title='broken out'\"><script>document.title='broken out'</script>"
leak = next(case for case in cases if case["name"] == "get::keyless")
answer = leak["steps"][0]["exchange"]["response"]
answer["body_text"] = payload
answer["headers"][0][1] = payload
leak["steps"][0]["checks"][0]["observed"] = payload
leak["steps"][0]["exchange"]["curl"] = "curl -i 'https://127.0.0.1:9443/b0/doc'"
def write(path, cases):
    with open(path, "w", encoding="utf-8") as file:
        for line in [header, *cases, footer]:
            print(json.dumps(line), file=file)
write(hostile, cases)
def trial(n):
    case = copy.deepcopy(leak)
    labels = ["get" if n % 2 else "head", f"size-{n % 20 // 2}"]
    case["id"] = f"case-{n // 20}"
    case["cells"] = list(zip(["op", "body"], labels))
    case["name"] = f"large::{case['id']}[op={labels[0]},body={labels[1]}]"
    return case
write(thousand, [trial(n) for n in range(1000)])
PYTHON
for page in hostile thousand; do "$ssec" report "$work/$page.jsonl" --html "$work/$page.html"; done
# A bench record with all that a page can draw, and hostile words in it.
"$ssec" bench --op get --size 4KiB --objects 16 --arms plain,ssec --rate-steps 100,200@5s --concurrency 8 \
    --record "$work/measured.jsonl" --summary "$work/summary.json" --no-save --allow-limited >"$work/bench" 2>&1 || { cat "$work/bench" >&2; exit 2; }
python3 - "$work/measured.jsonl" "$work/load.jsonl" <<'PYTHON'
import json, sys
payload = "</text></svg><img src=x onerror=\"document.title='broken out'\">"
with open(sys.argv[2], "w", encoding="utf-8") as file:
    for line in open(sys.argv[1], encoding="utf-8"):
        line = json.loads(line)
        if line["kind"] == "bench":
            line["target"]["server"] = payload
        if line["kind"] == "slow":
            line["object"] = line["request_id"] = payload
        print(json.dumps(line), file=file)
PYTHON
"$ssec" report "$work/load.jsonl" --html "$work/load.html"
cp "$clients/browser.mjs" "$work/"
(cd "$work" && SHOTS="${SHOTS:-$work}" node browser.mjs "$work/hostile.html" "$work/thousand.html" "$work/load.html")
