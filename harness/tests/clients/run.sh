#!/usr/bin/env bash
# Real clients against `ssec serve`, and `ssec test` against a real server that ignores SSE-C.
#
#   harness/tests/clients/run.sh          builds the release binary, installs the clients of
#                                         requirements.txt into a temporary directory, runs
#   SSEC=PATH CLIENTS=VENV run.sh         uses this binary and this virtual environment instead
#
# Every refusal stands beside a control: the same command with the one thing put right. Prints
# `N passed, N failed` and ends with 1 if anything failed. Needs bash, curl, openssl, python3.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit 2
clients=$PWD/harness/tests/clients
# shellcheck source=harness/tests/clients/checks.sh
. "$clients/checks.sh"

# --- the OVHcloud guide of April 2022, as printed -----------------------------------------------

# The 111 bytes that the guide uploads (/etc/magic), and the ETag that it shows for them.
guide_file() {
    printf '%s\n%s\n\n' '# Magic local data for file(1) command.' \
        '# Insert here your local magic data. Format is described in magic(5).' >"$work/magic"
}
guide_etag='"272913026300e7ae9b5e2d51f138e674"'

guide() {
    local object=(--bucket guide --key encrypt_magic)
    encKey=$(openssl rand -base64 32)
    # shellcheck disable=SC2086 # the guide's own recipe, unquoted as printed
    md5Key=$(echo $encKey | md5sum | awk '{print $1}' | base64 -w0)
    triple "$encKey" "$md5Key"
    served "guide: make a bucket" aws s3 mb s3://guide
    served "guide: put-object" aws s3api put-object "${object[@]}" --body "$work/magic" "${sse[@]}"
    served "guide: get-object" aws s3api get-object "${object[@]}" "${sse[@]}" "$work/got"
    served "guide: the bytes are equal" cmp "$work/magic" "$work/got"
    served "guide: head-object" aws s3api head-object "${object[@]}" "${sse[@]}"
    local head; head=$(cat "$work/out")
    same "guide: head says the length" 111 "$(field ContentLength <<<"$head")"
    same "guide: head says the guide's ETag" "$guide_etag" "$(field ETag <<<"$head")"
    same "guide: head echoes no SSE-C" "" "$(field SSECustomerAlgorithm <<<"$head")"
    refused "guide: get-object without the headers" 'BadRequest' \
        aws s3api get-object "${object[@]}" "$work/keyless"
    refused "guide: head-object without the headers" '\(400\).*HeadObject' \
        aws s3api head-object "${object[@]}"
    local other; other=$(openssl rand -base64 32)
    triple "$other" "$(right_md5 "$other")"
    refused "guide: get-object with another key" 'AccessDenied|\(403\)' \
        aws s3api get-object "${object[@]}" "${sse[@]}" "$work/other"
    triple "$encKey" "$md5Key"
    served "guide: control, the right key still reads" \
        aws s3api get-object "${object[@]}" "${sse[@]}" "$work/got"
    served "guide: aws s3 rm" aws s3 rm s3://guide/encrypt_magic
    refused "guide: it is gone" '\(404\)' aws s3api head-object "${object[@]}" "${sse[@]}"
}

# One field of a JSON document on stdin, nothing where it is absent.
field() {
    "$venv/bin/python" -c 'import json,sys; v=json.load(sys.stdin).get(sys.argv[1]); print("" if v is None else v)' "$1"
}

# --- the same clients against the strict dialect ----------------------------------------------

strict() {
    local object=(--bucket strict --key encrypt_magic) key md5
    key=$(openssl rand -base64 32)
    # shellcheck disable=SC2086 # as above
    md5=$(echo $key | md5sum | awk '{print $1}' | base64 -w0)
    served "aws: make a bucket" aws s3 mb s3://strict
    triple "$key" "$md5"
    refused "aws: the guide's md5 recipe is refused and named" 'InvalidArgument.*33 bytes' \
        aws s3api put-object "${object[@]}" --body "$work/magic" "${sse[@]}"
    refused "aws: nothing was stored" '\(404\)' aws s3api head-object "${object[@]}"
    triple "$key" "$(right_md5 "$key")"
    served "aws: control, the right md5 is served" \
        aws s3api put-object "${object[@]}" --body "$work/magic" "${sse[@]}"
    served "aws: get-object" aws s3api get-object "${object[@]}" "${sse[@]}" "$work/got"
    served "aws: the bytes are equal" cmp "$work/magic" "$work/got"
    served "aws: head-object" aws s3api head-object "${object[@]}" "${sse[@]}"
    local head; head=$(cat "$work/out")
    same "aws: head echoes the algorithm" AES256 "$(field SSECustomerAlgorithm <<<"$head")"
    same "aws: head echoes the key's MD5" "$(right_md5 "$key")" "$(field SSECustomerKeyMD5 <<<"$head")"
    triple "$key" "$md5"
    refused "aws: the guide's md5 recipe is refused with 400 on head too" '\(400\)' \
        aws s3api head-object "${object[@]}" "${sse[@]}"
    refused "aws: get-object without the headers" 'InvalidRequest' \
        aws s3api get-object "${object[@]}" "$work/keyless"
    refused "aws: head-object without the headers" '\(400\)' aws s3api head-object "${object[@]}"
    # Without an MD5, aws-cli encodes the base64 text once more: a key of 44 bytes, MD5 to match.
    refused "aws: a key that was encoded twice" '\((InvalidArgument|400)\)' \
        aws s3api put-object --bucket strict --key twice --body "$work/magic" \
        --sse-customer-algorithm AES256 --sse-customer-key "$key"
    printf %s "$key" | base64 -d >"$work/key.bin"
    served "aws: control, the same key from a file" \
        aws s3api put-object --bucket strict --key twice --body "$work/magic" \
        --sse-customer-algorithm AES256 --sse-customer-key "fileb://$work/key.bin"
    served "aws: aws s3 cp up" aws s3 cp "$work/magic" s3://strict/cp --no-progress \
        --sse-c AES256 --sse-c-key "fileb://$work/key.bin"
    served "aws: aws s3 cp down" aws s3 cp s3://strict/cp "$work/cp" --no-progress \
        --sse-c AES256 --sse-c-key "fileb://$work/key.bin"
    served "aws: the copied bytes are equal" cmp "$work/magic" "$work/cp"
    refused "aws: aws s3 cp down without the key" '\(400\)' aws s3 cp s3://strict/cp "$work/no" --no-progress
    served "aws: aws s3 ls" aws s3 ls s3://strict/
    same "aws: the listing shows the plaintext's size" 111 "$(awk '$4 == "cp" {print $3}' "$work/out")"
    presigned "$key"
    served "aws: aws s3 rm" aws s3 rm s3://strict --recursive
    served "aws: remove the bucket" aws s3 rb s3://strict
}

# presigned KEY: URLs made by boto3, used by curl
presigned() {
    export CUSTOMER_KEY=$1
    local name='x-amz-server-side-encryption-customer' other
    other=$(openssl rand -base64 32)
    local algorithm=(-H "$name-algorithm: AES256")
    local headers=("${algorithm[@]}" -H "$name-key: $1" -H "$name-key-MD5: $(right_md5 "$1")")
    local wrong=("${algorithm[@]}" -H "$name-key: $other" -H "$name-key-MD5: $(right_md5 "$other")")
    local url; url=$(presign put_object all)
    case $url in
        *"$1"* | *customer-key=*) same "presigned: no key in the URL" "no key" "$url" ;;
        *) pass "presigned: no key in the URL" ;;
    esac
    status "presigned: put without the signed headers" 403 -T "$work/magic" "$url"
    status "presigned: control, put with them" 200 "${headers[@]}" -T "$work/magic" "$url"
    url=$(presign get_object all)
    status "presigned: get without the signed headers" 403 "$url"
    status "presigned: get with another key" 403 "${wrong[@]}" "$url"
    status "presigned: control, get with them" 200 "${headers[@]}" "$url"
    served "presigned: the bytes are equal" cmp "$work/magic" "$work/body"
    url=$(presign head_object all)
    status "presigned: head without the signed headers" 403 -I "$url"
    status "presigned: control, head with them" 200 "${headers[@]}" -I "$url"
    # Signed without any SSE-C header: valid as it stands, and the object needs its key.
    url=$(presign get_object none)
    status "presigned: get, nothing signed and nothing sent" 400 "$url"
    status "presigned: get, nothing signed and all sent" 403 "${headers[@]}" "$url"
    status "presigned: head, nothing signed and nothing sent" 400 -I "$(presign head_object none)"
    # The one leniency: the signature covers the algorithm, key and MD5 come unsigned.
    url=$(presign get_object algorithm)
    status "presigned: get, the algorithm signed, the key not sent" 400 "${algorithm[@]}" "$url"
    status "presigned: control, get, the algorithm signed, all sent" 200 "${headers[@]}" "$url"
    unset CUSTOMER_KEY
}

presign() { "$venv/bin/python" "$clients/presign.py" "$1" strict presigned "$2"; }

# --- ssec test against servers over the network ------------------------------------------------

# The same command, once against a server that keeps the promise and once against one that ignores
# the headers.
judge_honest() {
    (cd "$work" && "$ssec" test --endpoint "$S3_ENDPOINT" --ca "$AWS_CA_BUNDLE" --region us-east-1 \
        --dialect aws --record "$work/honest.jsonl" --junit "$work/honest.xml") >"$work/out" 2>&1
    local code=$?
    if [ $code = 0 ]; then pass "judge: control, an honest server passes"
    else tail -40 "$work/out" >"$work/tail"; mv "$work/tail" "$work/out"; fail "judge: an honest server passes (exit $code)"; fi
    served "judge: the record ends with its footer" grep -q '^{"kind":"end"' <(tail -1 "$work/honest.jsonl")
}

judge_moto() {
    "$venv/bin/moto_server" -H 127.0.0.1 -p 0 >"$work/moto.log" 2>&1 &
    local moto=$! url code; pids+=("$moto")
    wait_for "$work/moto.log" 'Running on http' "$moto" || { cat "$work/moto.log" >&2; die "moto does not start"; }
    url=$(grep -Eo 'http://127\.0\.0\.1:[0-9]+' "$work/moto.log" | head -1)
    (cd "$work" && env -u AWS_CA_BUNDLE AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=testsecret \
        "$ssec" test --endpoint "$url" --region us-east-1 --dialect aws \
        --record "$work/moto.jsonl" --junit "$work/moto.xml") >"$work/moto.out" 2>&1
    code=$?
    same "judge: a server that ignores SSE-C ends the run with 1" 1 "$code"
    served "judge: silent downgrade is named in the summary" grep -i 'silent downgrade' "$work/moto.out"
    served "judge: and in the record" grep '"reason":"silent-downgrade"' "$work/moto.jsonl"
    served "judge: and in the JUnit file" grep 'type="silent-downgrade"' "$work/moto.xml"
    kill "$moto"; wait "$moto" 2>/dev/null
}

# --- run ---------------------------------------------------------------------------------------

python_clients "$clients/requirements.txt"
clean_environment
PATH=$venv/bin:$PATH
guide_file

serve ovh && guide && stop ovh
serve aws && strict && judge_honest && stop aws
judge_moto

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
