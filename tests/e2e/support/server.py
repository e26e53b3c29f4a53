"""Starts the real binary on a free port and talks to it over a real socket."""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.parse

CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"


class Server:
    """One `hearth serve` process. Use as a context manager; `restart()` keeps the data directory."""

    def __init__(self, binary, data=None, args=(), env=None):
        self.binary = pathlib.Path(binary).resolve()
        self.own_data = data is None
        self.data = data or tempfile.mkdtemp(prefix="hearth-e2e-")
        self.args = list(args)
        self.env = dict(os.environ, **(env or {}))
        self.process = None
        self.port = 0
        self.start_seconds = 0.0
        self.log = []

    def start(self, env=None, timeout=20):
        begin = time.monotonic()
        self.process = subprocess.Popen([self.binary, "serve", "--listen", "127.0.0.1:0", "--data", self.data, *self.args],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                                        env=dict(self.env, **(env or {})))
        threading.Thread(target=self._read_log, args=(self.process,), daemon=True).start()
        line = ""
        while time.monotonic() - begin < timeout:
            line = self.process.stdout.readline()
            match = re.search(r"listening on http://[^ :]+:(\d+)", line)
            if match:
                self.port = int(match.group(1))
                self.start_seconds = time.monotonic() - begin
                return self
            if line == "" and self.process.poll() is not None:
                break
        raise RuntimeError(f"server did not start (exit {self.process.poll()}): {line}\n" + "\n".join(self.log[-20:]))

    def _read_log(self, process):
        for line in process.stderr:
            self.log.append(line.rstrip())
            del self.log[:-500]

    def request(self, method, path, body=None, headers=None, timeout=30):
        """(status, headers, body bytes). Raises OSError or http.client.HTTPException when there is no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def ingest(self, body, **params):
        return self.request("POST", "/ingest?" + urllib.parse.urlencode(params), body)

    def rpc(self, method, message, service="querier.v1.QuerierService"):
        status, _, body = self.request("POST", f"/{service}/{method}", json.dumps(message).encode(),
                                       {"Content-Type": "application/json"})
        if status != 200:
            raise AssertionError(f"{method}: {status} {body[:300]!r}")
        return json.loads(body)

    def seal(self):
        status, _, body = self.request("POST", "/api/v1/admin/seal", b"")
        assert status == 200, (status, body)
        return json.loads(body)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, timeout=15):
        """SIGTERM; returns (exit code, seconds)."""
        begin = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout)
        return code, time.monotonic() - begin

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.own_data:
            shutil.rmtree(self.data, ignore_errors=True)

    def rss_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


def metric(target, name):
    """The sum of all series of /metrics whose line begins so; None when there is none."""
    _, _, text = target.request("GET", "/metrics")
    values = [line.split()[-1] for line in text.decode().splitlines() if line.startswith(name)]
    return sum(float(v) for v in values) if values else None


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


def total(target, selector="{}"):
    """The sum of the CPU profiles of all time that the selector finds."""
    return flame_total(target.rpc("SelectMergeStacktraces", {
        "profileTypeID": CPU, "labelSelector": selector, "start": "1000", "end": "4000000000000"}))


def flame_total(response):
    return int(response["flamegraph"].get("total", 0))


def flame_nodes(response):
    """{path: (total, self)} of a Connect JSON flame graph: per level quadruples of distance, total, self, name index."""
    graph = response["flamegraph"]
    names, out, above = graph["names"], {}, [(0, int(graph.get("total", 0)), "")]
    for depth, level in enumerate(graph["levels"]):
        values = [int(v) for v in level["values"]]
        here, x = [], 0
        for i in range(0, len(values), 4):
            x += values[i]
            total, self_value, name = values[i + 1:i + 4]
            parent = next(p for left, width, p in above if left <= x and x + total <= left + width)
            path = names[name] if depth <= 1 else parent + ";" + names[name]
            here.append((x, total, path))
            old = out.get(path, (0, 0))
            out[path] = (old[0] + total, old[1] + self_value)
            x += total
        above = here if depth else [(0, int(graph.get("total", 0)), "")]
    out.pop("total", None)
    return out
