#!/usr/bin/env python3
"""The bucket goes away under load: nothing that was acknowledged is lost or doubled, and what waited drains when it is back. Some
seconds in every run, three minutes with --long; on the simulator always, on Ceph's gateway (killed as a process) where its packages
are installed."""
import http.client
import pathlib
import shutil
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support import pprof, radosgw, runner, s3, server  # noqa: E402
from support.server import metric, wait_until  # noqa: E402

KIND = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
QUIET = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}


def on(service, args, more=()):
    env = dict(QUIET, AWS_ACCESS_KEY_ID=service.access_key, AWS_SECRET_ACCESS_KEY=service.secret_key)
    return server.Server(args.test_hearth, env=env, args=["--bucket", f"s3://{service.bucket}/outage-{time.time_ns()}",
                                                          "--s3.endpoint", service.endpoint, "--s3.timeout", "1s", *more])


def body_of(i):
    return pprof.build({("main", f"p_{i}"): (1, 1_000 + i), ("main", "shared"): (1, 5)}, time_ns=1_700_000_000_000_000_000 + i * 1_000_000)


def stored(target):
    """{number: value} of the profiles that a query sees, and whether it says that something is missing."""
    answer = target.rpc("SelectMergeStacktraces", {"profileTypeID": KIND, "labelSelector": "{}", "start": "1000", "end": "4000000000000",
                                                   "maxNodes": 1_000_000})
    return {int(path.rsplit("p_", 1)[1]): self_value for path, (_, self_value) in server.flame_nodes(answer).items()
            if path.rpartition(";")[2].startswith("p_")}


class Load:
    """Clients that send profiles of their own, each again until it is answered with 200, as agents do."""

    def __init__(self, target, clients=4, pause=0.02):
        self.target, self.pause, self.clients = target, pause, clients
        self.acked, self.unknown, self.refused, self.waits = set(), set(), 0, []
        self.lock, self.stop, self.threads = threading.Lock(), threading.Event(), []

    def __enter__(self):
        self.threads = [threading.Thread(target=self._run, args=(c,)) for c in range(self.clients)]
        for thread in self.threads:
            thread.start()
        return self

    def _run(self, client):
        i = client
        while not self.stop.is_set():
            begin = time.monotonic()
            while not self.stop.is_set():
                try:
                    status, headers, _ = self.target.ingest(body_of(i), name=f"outage-{i % 3}")
                except (OSError, http.client.HTTPException):
                    status, headers = 0, {}
                if status == 200:
                    with self.lock:
                        self.acked.add(i)
                        self.waits.append(time.monotonic() - begin)
                    break
                assert status in (0, 503), status
                with self.lock:
                    self.refused += 1
                    self.unknown.add(i)
                assert status == 0 or headers["Retry-After"], headers
                self.stop.wait(0.2)
            i += self.clients
            self.stop.wait(self.pause)

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def check(target, load):
    found = stored(target)
    lost = load.acked - found.keys()
    assert not lost, f"{len(lost)} lost: {sorted(lost)[:10]}"
    wrong = {i: v for i, v in found.items() if v != 1_000 + i}
    assert not wrong, wrong
    extra = found.keys() - load.acked - load.unknown
    assert not extra, extra


def outage(target, away, back, seconds):
    with Load(target) as load:
        assert wait_until(lambda: metric(target, "hearth_seals_total") >= 2)
        away()
        began = time.monotonic()
        assert wait_until(lambda: metric(target, "hearth_seals_failing") == 1), target.log
        while time.monotonic() - began < seconds:
            before = len(load.acked)
            time.sleep(min(5, seconds))
            assert len(load.acked) > before, "profiles are accepted while the bucket is away"
        waiting = metric(target, "hearth_head_profiles")
        back()
        returned = time.monotonic()
        # The load goes on: drained is when no segment waits and the head holds some seconds' worth.
        assert wait_until(lambda: metric(target, "hearth_seals_failing") == 0 and metric(target, "hearth_spool_segments") == 0, 90), target.log
        drained = time.monotonic() - returned
    target.seal()
    assert metric(target, "hearth_head_profiles") == 0
    check(target, load)
    failures = metric(target, "hearth_seal_failures_total")
    lines = [sum(text in line for line in target.log) for text in ("segments cannot be sealed", "segments are sealed again")]
    assert lines == [1, 1], (lines, failures)
    assert not load.refused, "the spool was not full"
    return f"{seconds} s, {len(load.acked)} acknowledged, {waiting:.0f} waited, {failures:.0f} failed tries, drained {drained:.1f} s after"


def test_an_outage_of_the_simulator_loses_nothing_and_drains(args):
    with s3.Sim(args.test_hearth) as sim, on(sim, args, ["--seal.interval", "1s"]) as target:
        return outage(target, lambda: sim.set(down=1), lambda: sim.set(down=0), 180 if args.long else 6)


def test_a_killed_gateway_loses_nothing_and_drains(args):
    lacking = radosgw.missing()
    if lacking:
        raise runner.Skip(f"needs {', '.join(lacking)} (./dev setup s3)")
    with radosgw.Radosgw() as gateway:
        client = s3.Client(gateway.endpoint, gateway.access_key, gateway.secret_key)
        assert client.request("PUT", f"/{gateway.bucket}")[0] == 200
        with on(gateway, args, ["--seal.interval", "1s"]) as target:
            return outage(target, gateway.stop_gateway, gateway.start_gateway, 180 if args.long else 6)


def test_a_full_spool_refuses_and_takes_again(args):
    with s3.Sim(args.test_hearth) as sim, on(sim, args, ["--seal.interval", "1s", "--spool.bytes", "32KiB"]) as target:
        sim.set(down=1)
        with Load(target, pause=0) as load:
            assert wait_until(lambda: load.refused > 0), metric(target, "hearth_head_bytes")
            status, _, body = target.request("GET", "/ready")
            assert status == 503 and b"wait to be sealed" in body, (status, body)
            assert metric(target, "hearth_head_bytes") >= metric(target, "hearth_spool_limit_bytes") == 32 * 1024
            target.kill()  # The crash comes on top.
            target.start()
            assert target.request("GET", "/ready")[0] == 503
            refused, acked = load.refused, len(load.acked)
            sim.set(down=0)
            assert wait_until(lambda: len(load.acked) > acked), target.log
        target.seal()
        check(target, load)
        return f"{len(load.acked)} acknowledged, {refused} refused"


def test_ack_object_survives_the_loss_of_the_machine(args):
    with s3.Sim(args.test_hearth) as sim, on(sim, args, ["--ack", "object", "--ack.interval", "200ms"]) as target:
        status, headers, _ = target.ingest(body_of(1_000_000), name="first")
        assert status == 200 and headers["X-Ack"] == "object", (status, headers)
        with Load(target, clients=16, pause=0) as load:
            assert wait_until(lambda: len(load.acked) >= 100)
            sim.set(down=1)
            assert wait_until(lambda: load.refused > 0)
            during = len(load.acked)
            time.sleep(1)
            assert len(load.acked) <= during + 16, "nothing is acknowledged while the bucket is away"
            sim.set(down=0)
            assert wait_until(lambda: len(load.acked) > during + 50), target.log
            seals = metric(target, "hearth_seals_total")
            target.kill()
        load.acked.add(1_000_000)
        shutil.rmtree(target.data)
        target.start()
        check(target, load)
        waits = sorted(load.waits)
        assert seals < len(load.acked) / 2, "requests share segments"
        return f"{len(load.acked)} acknowledged by {seals:.0f} segments, median answer {waits[len(waits) // 2] * 1000:.0f} ms"


if __name__ == "__main__":
    runner.run(globals())
