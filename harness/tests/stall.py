"""A slow server in another language that stands still for the last second of every five.

    stall.py CERTIFICATE.pem KEY.pem

It keeps bodies in memory, checks no signature and sends no Date. It prints its URL and serves until its standard input ends.
"""

import asyncio
import ssl
import sys
import time

PERIOD, PART = 5.0, 1.0
STARTED = time.monotonic()
NO_BUCKET = b"<Error><Code>NoSuchBucket</Code></Error>"
NOTHING_LISTED = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
objects = {}


async def stand_still():
    into = (time.monotonic() - STARTED) % PERIOD
    if into >= PERIOD - PART:
        await asyncio.sleep(PERIOD - into)


def answer(method, path, body):
    path = path.split("?")[0].rstrip("/")
    is_object = "/" in path.strip("/")
    if method == "PUT":
        objects[path] = body if is_object else NOTHING_LISTED
        return "200 OK", b""
    if method == "DELETE":
        objects.pop(path, None)
        return "204 No Content", b""
    if path in objects:
        return "200 OK", objects[path]
    return "404 Not Found", b"" if is_object else NO_BUCKET


async def converse(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, path, _ = head[0].split(" ")
            fields = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
            body = await reader.readexactly(int(fields.get("content-length", 0)))
            await stand_still()
            status, sent = answer(method, path, body)
            length = "" if status.startswith("204") else f"Content-Length: {len(sent)}\r\n"
            writer.write(f"HTTP/1.1 {status}\r\n{length}\r\n".encode() + sent)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()


async def main(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=context, backlog=1024)
    print(f"https://localhost:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if len(sys.argv) != 3:
    sys.exit(__doc__)
asyncio.run(main(*sys.argv[1:]))
