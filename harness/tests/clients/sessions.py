"""What users of one Python client do with SSE-C, each step checked.

usage: sessions.py boto3|minio|obstore

Endpoint, credentials and authority come from the AWS environment variables, two customer keys as
base64 from ALICE and BOB, a file of 18 MB from BIG. Prints `ok NAME` or `FAILED NAME` a check. A
refusal stands beside the same call served.
"""

import base64
import hashlib
import io
import os
import sys
import tempfile
import urllib.error
import urllib.request
import ssl

client_name = sys.argv[1]
endpoint, ca = os.environ["AWS_ENDPOINT_URL_S3"], os.environ["AWS_CA_BUNDLE"]
alice, bob = (base64.b64decode(os.environ[name]) for name in ("ALICE", "BOB"))
with open(os.environ["BIG"], "rb") as file:
    big = file.read()
small = b"111 bytes of a small body, as long as the file of the guide".ljust(111, b".")
bucket = "sessions"
failed = False


def check(name, passed, seen=""):
    global failed
    failed |= not passed
    print(f"{'ok     ' if passed else 'FAILED '} {client_name}: {name}{'' if passed else f': {seen!r}'}", flush=True)


def same(name, expected, observed):
    shown = observed if len(repr(observed)) < 300 else f"{len(observed)} bytes"
    check(name, expected == observed, shown)


def refused(name, words, call):
    """The call fails, and its error holds one of the words."""
    try:
        call()
    except Exception as error:  # each client has errors of its own
        text = f"{type(error).__name__} {error}"
        check(name, any(word in text for word in words), text[:300])
    else:
        check(name, False, "served")


def url_answer(method, url, headers, body=None):
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=ca)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def headers_of(key):
    name = "x-amz-server-side-encryption-customer-"
    return {
        name + "algorithm": "AES256",
        name + "key": base64.b64encode(key).decode(),
        name + "key-MD5": base64.b64encode(hashlib.md5(key).digest()).decode(),
    }


def boto3_session():
    import boto3
    from boto3.s3.transfer import TransferConfig
    from botocore.config import Config

    def connect(**config):
        config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, **config)
        return boto3.client("s3", endpoint_url=endpoint, verify=ca, config=config)

    s3 = connect()
    of_alice = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": alice}
    of_bob = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": bob}
    from_alice = {"CopySourceSSECustomerAlgorithm": "AES256", "CopySourceSSECustomerKey": alice}

    def get(name, **more):
        return s3.get_object(Bucket=bucket, Key=name, **more)["Body"].read()

    # Bodies in aws-chunked with a trailer, which boto3 sends over TLS; "" is its default, CRC32.
    for algorithm in ("", "CRC32C", "SHA1", "SHA256", "CRC64NVME"):
        with_checksum = {"ChecksumAlgorithm": algorithm} if algorithm else {}
        name = f"boto3-{algorithm or 'default'}"
        put = s3.put_object(Bucket=bucket, Key=name, Body=small, **with_checksum, **of_alice)
        same(f"put with trailer {algorithm or 'default'}", small, get(name, **of_alice))
        field = f"Checksum{algorithm or 'CRC32'}"
        same(f"its checksum comes back {algorithm or 'default'}", True, bool(put.get(field)))
    name = "boto3-default"
    refused("get without the key", ["InvalidRequest"], lambda: get(name))
    refused("get with another key", ["AccessDenied"], lambda: get(name, **of_bob))
    refused("head without the key", ["(400)"], lambda: s3.head_object(Bucket=bucket, Key=name))
    head = s3.head_object(Bucket=bucket, Key=name, **of_alice)
    same("control, head with it", 111, head["ContentLength"])
    same("a range", small[5:20], get(name, Range="bytes=5-19", **of_alice))
    refused("a checksum that is not the body's", ["BadDigest", "InvalidRequest"], lambda: s3.put_object(
        Bucket=bucket, Key="boto3-spoilt", Body=small, ChecksumCRC32="AAAAAA==", **of_alice))
    refused("stored nothing", ["(404)"], lambda: s3.head_object(Bucket=bucket, Key="boto3-spoilt", **of_alice))
    no_checksum = connect(request_checksum_calculation="when_required")
    no_checksum.put_object(Bucket=bucket, Key="boto3-plain", Body=small, **of_alice)
    same("put without a checksum", small, get("boto3-plain", **of_alice))

    source = {"Bucket": bucket, "Key": name}
    refused("copy without the source's key", ["InvalidRequest"], lambda: s3.copy_object(
        Bucket=bucket, Key="boto3-copy", CopySource=source, **of_bob))
    s3.copy_object(Bucket=bucket, Key="boto3-copy", CopySource=source, **from_alice, **of_bob)
    same("control, copy to another key", small, get("boto3-copy", **of_bob))
    refused("the copy is not the first key's", ["AccessDenied"], lambda: get("boto3-copy", **of_alice))
    s3.copy_object(Bucket=bucket, Key=name, CopySource=source, **from_alice, **of_bob)
    same("re-key in place", small, get(name, **of_bob))
    refused("the old key no longer opens it", ["AccessDenied"], lambda: get(name, **of_alice))

    parts = TransferConfig(multipart_threshold=6 << 20, multipart_chunksize=5 << 20)
    s3.upload_fileobj(io.BytesIO(big), bucket, "boto3-big", ExtraArgs=of_alice, Config=parts)
    sink = io.BytesIO()
    s3.download_fileobj(bucket, "boto3-big", sink, ExtraArgs=of_alice, Config=parts)
    same("upload and download in parts", big, sink.getvalue())
    s3.copy({"Bucket": bucket, "Key": "boto3-big"}, bucket, "boto3-big-copy", Config=parts,
            ExtraArgs={**from_alice, **of_bob})
    same("copy in parts", big, get("boto3-big-copy", **of_bob))
    refused("which needs its key", ["InvalidRequest"], lambda: get("boto3-big-copy"))

    signing = connect(signature_version="s3v4")
    for operation, method, body in (("put_object", "PUT", small), ("get_object", "GET", None), ("head_object", "HEAD", None)):
        url = signing.generate_presigned_url(operation, {"Bucket": bucket, "Key": "boto3-signed", **of_alice})
        same(f"presigned {method}: the key is not in it", False, "customer-key=" in url)
        same(f"presigned {method} with another key", 403, url_answer(method, url, headers_of(bob), body)[0])
        same(f"control, presigned {method}", 200, url_answer(method, url, headers_of(alice), body)[0])
    same("the presigned put is there", small, get("boto3-signed", **of_alice))
    old = connect(signature_version="s3").generate_presigned_url("get_object", {"Bucket": bucket, "Key": "boto3-signed"})
    status, text = url_answer("GET", old, {})
    same("a signature of version 2 is refused", 400, status)
    same("and told so", True, b"AWS4-HMAC-SHA256" in text or b"ignature" in text)

    listed = s3.list_objects_v2(Bucket=bucket, Prefix="boto3-big")["Contents"]
    same("a list shows the plaintext's size", [len(big)] * 2, [entry["Size"] for entry in listed])
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": entry["Key"]} for entry in listed]})
    same("delete needs no key", 2, len(answer["Deleted"]))


def minio_session():
    os.environ["SSL_CERT_FILE"] = ca
    from minio import Minio
    from minio.commonconfig import ComposeSource, CopySource
    from minio.sse import SseCustomerKey

    host = endpoint.removeprefix("https://")
    client = Minio(host, os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], region="us-east-1")
    of_alice, of_bob = SseCustomerKey(alice), SseCustomerKey(bob)

    def get(name, key=None):
        answer = client.get_object(bucket, name, ssec=key)
        try:
            return answer.read()
        finally:
            answer.close()
            answer.release_conn()

    client.put_object(bucket, "minio-small", io.BytesIO(small), len(small), sse=of_alice)
    same("put and get", small, get("minio-small", of_alice))
    refused("get without the key", ["InvalidRequest"], lambda: get("minio-small"))
    refused("get with another key", ["AccessDenied"], lambda: get("minio-small", of_bob))
    refused("stat without the key", ["400", "Bad"], lambda: client.stat_object(bucket, "minio-small"))
    same("control, stat with it", 111, client.stat_object(bucket, "minio-small", ssec=of_alice).size)
    refused("copy without the source's key", ["InvalidRequest", "400", "Bad"], lambda: client.copy_object(
        bucket, "minio-copy", CopySource(bucket, "minio-small"), sse=of_bob))
    client.copy_object(bucket, "minio-copy", CopySource(bucket, "minio-small", ssec=of_alice), sse=of_bob)
    same("control, copy to another key", small, get("minio-copy", of_bob))
    client.put_object(bucket, "minio-big", io.BytesIO(big), len(big), part_size=5 << 20, sse=of_alice)
    same("put in parts", big, get("minio-big", of_alice))
    sources = [ComposeSource(bucket, "minio-big", ssec=of_alice), ComposeSource(bucket, "minio-small", ssec=of_alice)]
    client.compose_object(bucket, "minio-composed", sources, sse=of_bob)
    same("compose", big + small, get("minio-composed", of_bob))
    client.remove_object(bucket, "minio-big")
    refused("remove needs no key", ["NoSuchKey", "404"], lambda: client.stat_object(bucket, "minio-big", ssec=of_alice))


def obstore_session():
    os.environ["SSL_CERT_FILE"] = ca
    import obstore
    from obstore.store import S3Store

    def store(key=None):
        ssec = {} if key is None else {
            "aws_server_side_encryption": "sse-c",
            "aws_sse_customer_key_base64": base64.b64encode(key).decode(),
        }
        return S3Store(bucket, config={
            "aws_endpoint": endpoint, "aws_region": "us-east-1",
            "aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"], **ssec,
        }, retry_config={"max_retries": 0})

    def get(key, name):
        return bytes(obstore.get(store(key), name).bytes())

    obstore.put(store(alice), "obstore-small", small)
    same("put and get", small, get(alice, "obstore-small"))
    refused("get without the key", ["InvalidRequest", "400"], lambda: get(None, "obstore-small"))
    refused("get with another key", ["AccessDenied", "403"], lambda: get(bob, "obstore-small"))
    same("control, head with it", 111, obstore.head(store(alice), "obstore-small")["size"])
    same("a range", small[5:20], bytes(obstore.get_range(store(alice), "obstore-small", start=5, end=20)))
    obstore.put(store(alice), "obstore-big", big, chunk_size=5 << 20, use_multipart=True)
    same("put in parts", big, get(alice, "obstore-big"))
    obstore.copy(store(alice), "obstore-small", "obstore-copy")
    same("copy", small, get(alice, "obstore-copy"))
    refused("copy without a key", ["InvalidRequest", "400"], lambda: obstore.copy(store(), "obstore-small", "obstore-no"))
    obstore.delete(store(), ["obstore-small", "obstore-big"])
    refused("delete needs no key", ["404", "NotFound"], lambda: get(alice, "obstore-small"))


try:
    {"boto3": boto3_session, "minio": minio_session, "obstore": obstore_session}[client_name]()
except Exception as error:
    check("goes on to its end", False, f"{type(error).__name__} {error}"[:400])
sys.exit(failed)
