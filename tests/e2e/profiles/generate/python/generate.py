"""CPU profiles of a small Python program as the pyroscope-io agent sends them: pip install pyroscope-io; python generate.py ../..

A socket of our own receives the agent's Push requests; the pprof inside each is written to a file as it came.
"""
import gzip
import hashlib
import http.server
import json
import pathlib
import sys
import threading
import time

import pyroscope

bodies = []


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        bodies.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
        self.send_response(200)
        self.send_header("Content-Type", "application/proto")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def fields(data):
    """(number, bytes) of each length-delimited field of a message that has no others."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    while at < len(data):
        tag = varint()
        size = varint()
        yield tag >> 3, data[at:at + size]
        at += size


def parse_orders(count):
    return [json.loads(json.dumps({"id": i, "lines": list(range(20))})) for i in range(count)]


def digest(orders):
    return hashlib.sha256(repr(orders).encode()).hexdigest()


def work(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        digest(parse_orders(200))


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
pyroscope.configure(application_name="shop.python", server_address=f"http://127.0.0.1:{server.server_port}", sample_rate=100,
                    tags={"region": "eu"})
work(24)
out = pathlib.Path(sys.argv[1])
profiles = [raw for body in bodies for n, series in fields(body) if n == 1 for m, sample in fields(series) if m == 2
            for k, raw in fields(sample) if k == 1]
for i, raw in enumerate(profiles[:2]):
    (out / f"python-agent-{i}.pb.gz").write_bytes(raw if raw[:2] == b"\x1f\x8b" else gzip.compress(raw, mtime=0))
print(len(profiles), "profiles")
