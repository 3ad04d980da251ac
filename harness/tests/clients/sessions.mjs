// What users of AWS's JavaScript SDK do with SSE-C; environment and output as in sessions.py.
import { readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import {
  S3Client, PutObjectCommand, GetObjectCommand, HeadObjectCommand, CopyObjectCommand, DeleteObjectCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { Upload } from "@aws-sdk/lib-storage";

const Bucket = "sessions";
const [alice, bob] = ["ALICE", "BOB"].map((name) => Buffer.from(process.env[name], "base64"));
const big = readFileSync(process.env.BIG);
const small = Buffer.from("111 bytes of a small body, as long as the file of the guide".padEnd(111, "."));
const client = new S3Client({
  endpoint: process.env.AWS_ENDPOINT_URL_S3, region: "us-east-1", forcePathStyle: true, maxAttempts: 1,
});
const of = (key) => ({ SSECustomerAlgorithm: "AES256", SSECustomerKey: key });

function check(name, passed, seen) {
  if (!passed) process.exitCode = 1;
  console.log(`${passed ? "ok     " : "FAILED "} aws-sdk-js: ${name}${passed ? "" : `: ${String(seen).slice(0, 300)}`}`);
}
const same = (name, expected, observed) =>
  check(name, Buffer.isBuffer(expected) ? expected.equals(observed) : expected === observed,
    Buffer.isBuffer(observed) ? `${observed.length} bytes` : observed);

async function refused(name, status, call) {
  try {
    await call();
    check(name, false, "served");
  } catch (error) {
    check(name, error.$metadata?.httpStatusCode === status, error);
  }
}
const put = (Key, Body, key, more = {}) => client.send(new PutObjectCommand({ Bucket, Key, Body, ...of(key), ...more }));
async function get(Key, key) {
  const answer = await client.send(new GetObjectCommand({ Bucket, Key, ...(key ? of(key) : {}) }));
  return Buffer.from(await answer.Body.transformToByteArray());
}

try {
  await put("js-small", small, alice);
  same("put and get a buffer", small, await get("js-small", alice));
  await put("js-stream", Readable.from([big]), alice, { ContentLength: big.length });
  same("put a stream, with a trailer", big, await get("js-stream", alice));
  await refused("get without the key", 400, () => get("js-small"));
  await refused("get with another key", 403, () => get("js-small", bob));
  await refused("head without the key", 400, () => client.send(new HeadObjectCommand({ Bucket, Key: "js-small" })));
  const head = await client.send(new HeadObjectCommand({ Bucket, Key: "js-small", ...of(alice) }));
  same("control, head with it", 111, head.ContentLength);
  const copy = { Bucket, Key: "js-copy", CopySource: `${Bucket}/js-small`, ...of(bob) };
  await refused("copy without the source's key", 400, () => client.send(new CopyObjectCommand(copy)));
  await client.send(new CopyObjectCommand({
    ...copy, CopySourceSSECustomerAlgorithm: "AES256", CopySourceSSECustomerKey: alice,
  }));
  same("control, copy to another key", small, await get("js-copy", bob));
  await new Upload({ client, params: { Bucket, Key: "js-big", Body: big, ...of(alice) }, partSize: 5 << 20 }).done();
  same("upload in parts", big, await get("js-big", alice));

  const name = "x-amz-server-side-encryption-customer-";
  const headers = (key) => ({
    [`${name}algorithm`]: "AES256",
    [`${name}key`]: key.toString("base64"),
    [`${name}key-MD5`]: createHash("md5").update(key).digest("base64"),
  });
  const signed = { Bucket, Key: "js-signed", ...of(alice) };
  const answer = async (method, command, key, body) =>
    (await fetch(await getSignedUrl(client, command), { method, headers: headers(key), body })).status;
  same("presigned put with another key", 403, await answer("PUT", new PutObjectCommand(signed), bob, small));
  same("control, presigned put", 200, await answer("PUT", new PutObjectCommand(signed), alice, small));
  same("presigned get with another key", 403, await answer("GET", new GetObjectCommand(signed), bob));
  same("control, presigned get", 200, await answer("GET", new GetObjectCommand(signed), alice));
  same("the presigned put is there", small, await get("js-signed", alice));
  await client.send(new DeleteObjectCommand({ Bucket, Key: "js-big" }));
  await refused("delete needs no key", 404, () => get("js-big", alice));
} catch (error) {
  check("goes on to its end", false, error?.stack ?? error);
}
