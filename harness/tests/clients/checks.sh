# What the scripts of this directory share: checks that count, a server to run them against, and an
# environment that nothing on this machine has touched. Sourced, from the root of the workspace.
# shellcheck shell=bash

passed=0 failed=0 pids=()
# Variables for the server alone, NAME=VALUE each.
serve_with=()

work=$(mktemp -d)
finish() {
    local pid
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null; done
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

die() { printf 'cannot run: %s\n' "$*" >&2; exit 2; }

# --- checks ----------------------------------------------------------------------------------

pass() { passed=$((passed + 1)); printf 'ok      %s\n' "$1"; }
fail() {
    failed=$((failed + 1)); printf 'FAILED  %s\n' "$1"
    [ ! -s "$work/out" ] || sed 's/^/        | /' "$work/out" | head -20
}

# served NAME COMMAND...: the command ends with 0
served() {
    local name=$1 code; shift
    "$@" >"$work/out" 2>&1; code=$?
    if [ $code = 0 ]; then pass "$name"; else fail "$name (exit $code)"; fi
}

# refused NAME WORDS COMMAND...: the command fails and says WORDS (an extended expression)
refused() {
    local name=$1 words=$2 code; shift 2
    "$@" >"$work/out" 2>&1; code=$?
    if [ $code = 0 ]; then fail "$name (was served)"
    elif grep -Eq "$words" "$work/out"; then pass "$name"
    else fail "$name (does not say: $words)"; fi
}

# same NAME EXPECTED OBSERVED
same() {
    if [ "$2" = "$3" ]; then : >"$work/out"; pass "$1"
    else printf 'expected %s\nobserved %s\n' "$2" "$3" >"$work/out"; fail "$1"; fi
}

# status NAME EXPECTED CURL-ARGUMENTS...: the HTTP status, the body goes to $work/body
status() {
    local name=$1 expected=$2; shift 2
    : >"$work/body"
    same "$name" "$expected" \
        "$(curl -sS --max-time 60 --cacert "$AWS_CA_BUNDLE" -o "$work/body" -w '%{http_code}' "$@" 2>&1)"
}

# --- servers ---------------------------------------------------------------------------------

# wait_for FILE WORDS PID: until FILE says WORDS, at most 60 s, and not longer than PID lives
wait_for() {
    local deadline=$((SECONDS + 60))
    until grep -Eq "$2" "$1" 2>/dev/null; do
        kill -0 "$3" 2>/dev/null || return 1
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.1
    done
}

# serve DIALECT: starts a server on a free port, its exports become this shell's
serve() {
    env "${serve_with[@]}" "$ssec" serve --dialect "$1" --listen 127.0.0.1:0 --data-dir "$work/data-$1" \
        >"$work/serve-$1.out" 2>"$work/serve-$1.err" &
    served_by=$!; pids+=("$served_by")
    wait_for "$work/serve-$1.out" '^export .*AWS_CA_BUNDLE' "$served_by" || {
        cat "$work/serve-$1.out" "$work/serve-$1.err" >&2; die "ssec serve --dialect $1 is not ready"
    }
    same "$1: serve prints exactly one line on stdout" 1 "$(wc -l <"$work/serve-$1.out")"
    eval "$(cat "$work/serve-$1.out")"
}

# stop NAME: the server ends with 0 when it is asked to
stop() {
    local code
    kill -TERM "$served_by"; wait "$served_by"; code=$?
    same "$1: SIGTERM ends the server with 0" 0 "$code"
}

# The three parameters as aws-cli spells them: a key and its MD5, both base64.
triple() { sse=(--sse-customer-algorithm AES256 --sse-customer-key "$1" --sse-customer-key-md5 "$2"); }

right_md5() { printf %s "$1" | base64 -d | openssl dgst -md5 -binary | base64; }

# --- clients ---------------------------------------------------------------------------------

# python_clients REQUIREMENTS: into $venv, or what CLIENTS names
python_clients() {
    if [ -n "${CLIENTS:-}" ]; then venv=$CLIENTS; return; fi
    venv=$work/venv
    if ! python3 -c 'import ensurepip' 2>/dev/null; then
        { apt-get update -q && apt-get install -y -q --no-install-recommends python3-venv; } \
            >"$work/apt" 2>&1 || { cat "$work/apt" >&2; die "python3 has no venv"; }
    fi
    python3 -m venv "$venv" || die "no virtual environment"
    "$venv/bin/pip" install -q -r "$1" || die "the clients do not install"
}

# Set by some machines for other purposes; an empty AWS_CA_BUNDLE even switches verification off. After
# the clients are installed, for whoever installs may need them.
clean_environment() {
    unset AWS_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE AWS_PROFILE \
        AWS_SESSION_TOKEN AWS_ENDPOINT_URL AWS_ENDPOINT_URL_S3 AWS_REGION AWS_DEFAULT_REGION \
        AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy
    export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=$work/no-config AWS_PAGER='' \
        AWS_SHARED_CREDENTIALS_FILE=$work/no-credentials AWS_MAX_ATTEMPTS=1
}

# --- what every script begins with -------------------------------------------------------------

if [ -n "${SSEC:-}" ]; then ssec=$SSEC
else
    cargo build --release --bin ssec || die "ssec does not build"
    ssec=${CARGO_TARGET_DIR:-$PWD/target}/release/ssec
fi
