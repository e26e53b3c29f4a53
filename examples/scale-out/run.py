#!/usr/bin/env python3
"""Two writers, two query processes and one compactor on one bucket, behind nginx, all on this machine: starts them on free ports,
sends real profiles, checks totals through both query processes, kills a writer and a query process, checks again, starts them
again, checks once more, and stops everything it started.

  examples/scale-out/run.py [--hearth build/hearth] [--profiles 60] [--keep] [FILE.pb.gz …]

The bucket is a folder of its own, or what HEARTH_BUCKET names (s3://bucket/prefix, with HEARTH_S3_ENDPOINT and credentials as for
`hearth serve`); it should be empty. Needs Python 3.9 and nginx."""
import argparse
import gzip
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SEAL, POLL = 1, 1  # Seconds. A query process sees a profile at most their sum, and an upload, after its 200.
KIND = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"


def fields(data):
    """(number, value) of a protobuf message; bytes for length-delimited fields."""
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
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        elif key & 7 == 2:
            length = varint()
            at += length
            yield key >> 3, data[at - length:at]
        else:
            raise ValueError(f"wire type {key & 7}")


def varints(data):
    out, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            out.append(value)
            value = shift = 0
    return out


def cpu_nanoseconds(path):
    """Sum of the column cpu/nanoseconds of a pprof file."""
    names, strings, samples = [], [], []
    for number, value in fields(gzip.decompress(path.read_bytes())):
        if number == 1:
            names.append(dict(fields(value)).get(1, 0))
        elif number == 2:
            samples.append([v for n, raw in fields(value) if n == 2 for v in ([raw] if isinstance(raw, int) else varints(raw))])
        elif number == 6:
            strings.append(value)
    column = [strings[n] for n in names].index(b"cpu")
    return sum(values[column] for values in samples)


class Process:
    """A program in the foreground with its log in a file; ended by its own id."""

    def __init__(self, name, command, folder):
        self.name, self.command, self.folder, self.process = name, [str(c) for c in command], folder, None

    def start(self):
        with open(self.folder / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=log, text=True)
        return self

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
        if self.process:
            self.process.wait(30)


class Hearth(Process):
    def __init__(self, name, role, args, folder):
        listen = f"127.0.0.1:{free_port()}"
        bucket = [] if "HEARTH_BUCKET" in os.environ else ["--bucket", folder / "bucket"]
        data = ["--data", folder / name] if role == "write" else []
        super().__init__(name, [args.hearth, "serve", "--role", role, "--listen", listen, "--seal.interval", f"{SEAL}s",
                                "--bucket.poll-interval", f"{POLL}s", *bucket, *data], folder)
        self.port = int(listen.rsplit(":", 1)[1])

    def start(self):
        super().start()
        line = self.process.stdout.readline()
        if not line.startswith("listening on"):
            raise SystemExit(f"{self.name} does not start:\n" + (self.folder / f"{self.name}.log").read_text()[-2000:])
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        return self


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def request(port, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def total(port):
    """Nanoseconds of everything stored, as one process answers; None while it is not ready or something is missing."""
    status, body = request(port, "POST", "/querier.v1.QuerierService/SelectMergeStacktraces",
                           json.dumps({"profileTypeID": KIND, "labelSelector": "{}", "start": "1000", "end": "4000000000000"}),
                           {"Content-Type": "application/json"})
    return int(json.loads(body).get("flamegraph", {}).get("total", 0)) if status == 200 else None


class Cluster:
    def __init__(self, args, folder):
        self.folder, self.sent, self.want = folder, 0, 0
        self.writers = [Hearth(f"writer-{i}", "write", args, folder) for i in (1, 2)]
        self.queries = [Hearth(f"query-{i}", "query", args, folder) for i in (1, 2)]
        self.compactor = Hearth("compactor", "compact", args, folder)
        self.port = free_port()
        self.nginx = Process("nginx", ["nginx", "-p", folder, "-c", folder / "nginx.conf", "-g", "daemon off;"], folder)
        self.files = [(path.read_bytes(), cpu_nanoseconds(path)) for path in args.files]

    def write_configuration(self):
        text = (HERE / "nginx.conf.in").read_text()
        for name, value in {"FOLDER": self.folder, "PORT": self.port,
                            "WRITERS": " ".join(f"server 127.0.0.1:{w.port} max_fails=1 fail_timeout=3s;" for w in self.writers),
                            "QUERIES": " ".join(f"server 127.0.0.1:{q.port} max_fails=1 fail_timeout=3s;" for q in self.queries)}.items():
            text = text.replace(f"@{name}@", str(value))
        (self.folder / "nginx.conf").write_text(text)

    def __enter__(self):
        self.write_configuration()
        (self.folder / "bucket").mkdir(exist_ok=True)
        for process in [*self.writers, self.compactor, *self.queries, self.nginx]:
            process.start()
        until(lambda: reachable(self.port), 10, "nginx answers")
        return self

    def __exit__(self, *_):
        for process in [self.nginx, *self.queries, self.compactor, *self.writers]:
            process.stop()

    def send(self, profiles):
        """Through nginx, each as a pod of its own, so that no two are taken for one."""
        for _ in range(profiles):
            body, value = self.files[self.sent % len(self.files)]
            query = urllib.parse.urlencode({"name": f"shop{{pod=pod-{self.sent}}}", "format": "pprof"})
            status, answer = request(self.port, "POST", f"/ingest?{query}", body)
            if status != 200:
                raise SystemExit(f"a profile was refused: {status} {answer[:200]!r}")
            self.sent += 1
            self.want += value

    def check(self, what, ports=None):
        """Every query process, and nginx, answers with the sum of all that was sent."""
        ports = ports or [q.port for q in self.queries]
        begin = time.monotonic()
        for port in [*ports, self.port]:
            until(lambda p=port: total(p) == self.want, SEAL + POLL + 30,
                  lambda p=port: f"{what}: {total(p)} of {self.want} ns at port {p}")
        print(f"ok  {what}: {self.sent} profiles, {self.want} ns at each of {len(ports)} query processes and nginx, "
              f"after {time.monotonic() - begin:.1f} s", flush=True)


def reachable(port):
    try:
        return request(port, "GET", "/healthz")[0] == 200
    except OSError:
        return False


def until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.1)


def play(cluster, profiles):
    cluster.send(profiles)
    shares = [json.loads(request(w.port, "GET", "/api/v1/status")[1])["store"]["profiles_total"] for w in cluster.writers]
    if min(shares) == 0:
        raise SystemExit(f"both writers should have got profiles: {shares}")
    cluster.check("two writers wrote")
    status, answer = request(cluster.compactor.port, "POST", "/api/v1/admin/compact?force=true", "")
    # It may have merged some of them by itself before.
    levels = json.loads(request(cluster.compactor.port, "GET", "/api/v1/status")[1])["compaction"]["levels"]
    if status != 200 or levels[0]["segments"] > 0 or levels[2]["segments"] == 0:
        raise SystemExit(f"not all was merged: {status} {answer[:300]!r} {levels}")
    cluster.check(f"merged to {levels[2]['segments']} day segments")
    cluster.writers[0].stop(signal.SIGKILL)
    cluster.queries[0].stop(signal.SIGKILL)
    cluster.send(profiles)
    cluster.check("one writer and one query process killed", [cluster.queries[1].port])
    cluster.writers[0].start()
    cluster.queries[0].start()
    cluster.send(profiles)
    cluster.check("both started again")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hearth", type=pathlib.Path, default=ROOT / "build" / "hearth")
    parser.add_argument("--profiles", type=int, default=60, help="how many are sent each of three times")
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    parser.add_argument("files", nargs="*", type=pathlib.Path, help="CPU profiles of Go (default: those of tests/e2e/profiles)")
    args = parser.parse_args()
    args.files = args.files or sorted((ROOT / "tests" / "e2e" / "profiles").glob("go-*-cpu.pb.gz"))
    args.hearth = args.hearth.resolve()
    if shutil.which("nginx") is None:
        raise SystemExit("nginx is not installed (Debian: nginx-light)")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hearth-scale-out-"))
    folder.chmod(0o755)
    try:
        with Cluster(args, folder) as cluster:
            play(cluster, args.profiles)
            if args.keep:
                print(f"http://127.0.0.1:{cluster.port}/ until Ctrl-C", flush=True)
                try:
                    signal.pause()
                except KeyboardInterrupt:
                    pass
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("scale-out: all checks passed")


if __name__ == "__main__":
    sys.exit(main())
