"""Small HTTP backends for load balancer tests: python3 lb_backend.py PORT...

/health answers the status in the file st<PORT> of the working directory, /hdr
the request itself, /slowN after N seconds, /drop closes, /count/health and
/count/slow how many of those came to all ports, /count/reused how many requests
were not the first of their connection, /ws becomes an echo of bytes, /body the
length and digest of the request's body, /big32 that many MiB, the rest its port.
"""
import asyncio
import hashlib
import os
import sys


counts = {"health": 0, "slow": 0, "reused": 0}


async def body_of(r, head):
    """The body's bytes as they came, chunks and trailers undone."""
    low = head.lower()
    if b"content-length:" in low:
        return await r.readexactly(int(low.split(b"content-length:")[1].split(b"\r")[0]))
    data = b""
    while size := int(await r.readline(), 16):
        data += (await r.readexactly(size + 2))[:-2]
    while (line := await r.readline()) != b"\r\n":
        data += b"|" + line.strip()
    return data


async def handle(r, w, port):
    first = True
    try:
        while True:
            head = await r.readuntil(b"\r\n\r\n")
            path = head.split(b" ")[1].decode()
            status, body = 200, b"from %d" % port
            counts["reused"] += not first
            first = False
            for what in ("health", "slow"):
                counts[what] += path.startswith("/" + what)
            if path.startswith("/count/"):
                body = b"%d" % counts[path[7:]]
            elif path.startswith("/health"):
                st = "st%d" % port
                if os.path.exists(st):
                    with open(st) as f:
                        status = int(f.read() or 200)
            elif path.startswith("/hdr"):
                body = head
            elif path == "/drop":
                break
            elif path == "/ws":
                w.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                        b"Connection: Upgrade\r\n"
                        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
                while data := await r.read(65536):
                    w.write(data)
                    await w.drain()
                break
            elif path == "/body":
                if b"100-continue" in head.lower():
                    w.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                got = await body_of(r, head)
                body = b"%d %s %s" % (len(got), hashlib.sha256(got).hexdigest().encode(),
                                      got[-40:])
            elif path.startswith("/big"):
                body = b"x" * (int(path[4:]) << 20)
            elif path == "/own503":
                status = 503
            elif path.startswith("/slow"):
                await asyncio.sleep(float(path[5:] or 3))
            w.write(b"HTTP/1.1 %d X\r\nServer: be\r\nContent-Length: %d\r\n\r\n%s"
                    % (status, len(body), body))
            await w.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    w.close()


async def main():
    for p in sys.argv[1:]:
        await asyncio.start_server(
            lambda r, w, p=int(p): handle(r, w, p), "127.0.0.1", int(p),
            limit=1 << 18)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
