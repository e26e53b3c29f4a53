#!/usr/bin/env python3
"""hearth on S3: the simulator always, Ceph's gateway where its packages are installed (`./dev setup s3`). Sealed profiles live in
the bucket only: they survive the loss of the data folder, an outage loses nothing, rotated keys are picked up."""
import http.client
import os
import pathlib
import shutil
import ssl
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support import pprof, radosgw, runner, s3, server  # noqa: E402
from support.server import metric, total, wait_until  # noqa: E402

QUIET = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}


def keys_of(service):
    return dict(QUIET, AWS_ACCESS_KEY_ID=service.access_key, AWS_SECRET_ACCESS_KEY=service.secret_key)


def on(service, args, prefix="data", more=(), env=None):
    return server.Server(args.test_hearth, env=env or keys_of(service), args=[
        "--bucket", f"s3://{service.bucket}/{prefix}", "--s3.endpoint", service.endpoint, *more])


def value_of(i):
    return 1_000 + i


def ingest(target, i):
    body = pprof.build({("main", f"p_{i}"): (1, value_of(i))}, time_ns=1_700_000_000_000_000_000 + i * 1_000_000)
    status, _, answer = target.ingest(body, name=f"s3-{i % 3}")
    assert status == 200, (status, answer)


def life_on(service, args, count=60):
    """Ingest, seal, query, restart, lose the folder: the same sum each time."""
    want = sum(value_of(i) for i in range(count))
    with on(service, args, prefix=f"life-{time.time_ns()}") as target:
        assert metric(target, "hearth_bucket_probed") == 1
        for i in range(count):
            ingest(target, i)
            if i % 20 == 19:
                target.seal()
        assert metric(target, "hearth_head_profiles") == 0
        assert not (pathlib.Path(target.data) / "bucket").exists()
        assert total(target) == want, total(target)
        assert target.stop()[0] == 0
        target.start()
        assert total(target) == want, total(target)
        target.kill()
        shutil.rmtree(target.data)
        target.start()
        assert total(target) == want, total(target)
        return f"{count} profiles; start {target.start_seconds * 1000:.0f} ms, RSS {target.rss_mib():.0f} MiB"


def test_sealed_profiles_live_in_the_simulated_bucket(args):
    with s3.Sim(args.test_hearth) as sim:
        note = life_on(sim, args)
        assert sim.counts()["objects"] >= 4
        return note


def test_an_outage_under_load_loses_nothing_and_drains(args):
    count, sent = 0, threading.Event()
    with s3.Sim(args.test_hearth) as sim, on(sim, args, more=["--seal.interval", "1s", "--s3.timeout", "1s"]) as target:
        def load():
            nonlocal count
            try:
                while not sent.is_set():
                    ingest(target, count)
                    count += 1
                    time.sleep(0.005)
            except (OSError, http.client.HTTPException):
                pass  # The kill.
        thread = threading.Thread(target=load)
        thread.start()
        assert wait_until(lambda: metric(target, "hearth_seals_total") >= 1)
        sim.set(down=1)
        assert wait_until(lambda: metric(target, "hearth_seal_failures_total") >= 1)
        before = count
        time.sleep(1)
        assert count > before, "profiles are accepted while the bucket is away"
        began = time.monotonic()
        total(target)  # What is sealed is missing, the rest is answered; nobody waits for the bucket.
        assert time.monotonic() - began < 10
        target.kill()  # The outage and a crash at once.
        sent.set()
        thread.join(30)
        acked = count
        target.start()
        sim.set(down=0)
        assert wait_until(lambda: metric(target, "hearth_head_profiles") == 0), "the head drains"
        want = sum(value_of(i) for i in range(acked))
        # The request that the kill interrupted may have been stored.
        assert total(target) in (want, want + value_of(acked)), (total(target), want)
        assert metric(target, "hearth_corrupt_objects_total") == 0
    return f"{acked} profiles acknowledged"


def test_a_remote_bucket_is_verified(args):
    with s3.Sim(args.test_hearth) as sim, on(sim, args, prefix="verified") as target:
        for i in range(10):
            ingest(target, i)
        target.seal()

        def compact():
            status, _, body = target.request("POST", "/api/v1/admin/compact?force=true", b"")
            assert status == 200, (status, body)
        compact()
        ingest(target, 10)
        target.seal()
        command = [args.test_hearth, "verify", f"s3://{sim.bucket}/verified", "--s3.endpoint", sim.endpoint]
        env = dict(os.environ, **keys_of(sim))

        def verify():
            return subprocess.run(command, env=env, capture_output=True, text=True)

        def has_each_profile_once():
            # What was replaced is counted, too, until it is collected, which a segment that is still open puts off.
            compact()
            return "11 profiles" in verify().stdout
        assert wait_until(has_each_profile_once), verify()
        done = verify()
        assert done.returncode == 0 and "no findings" in done.stdout, done
        client = s3.Client(sim.endpoint, sim.access_key, sim.secret_key)
        client.request("PUT", f"/{sim.bucket}/verified/l0/ffffffffffffffff/0000000000.seg", b"no segment")
        done = verify()
        assert done.returncode == 1 and "ffffffffffffffff" in done.stderr, done
        sim.set(down=1)
        assert subprocess.run(command, env=env, capture_output=True).returncode == 1


def test_rotated_keys_are_read_from_the_file_again(args):
    with tempfile.TemporaryDirectory() as folder, s3.Sim(args.test_hearth) as sim:
        file = pathlib.Path(folder) / "credentials"

        def write(key, secret):
            file.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
        write(sim.access_key, sim.secret_key)
        with on(sim, args, env=QUIET, more=["--s3.credentials-file", file]) as target:
            ingest(target, 1)
            target.seal()
            sim.set(access_key="rotated", secret_key="rotated-canary-secret")
            ingest(target, 2)
            status, _, body = target.request("POST", "/api/v1/admin/seal", b"")
            assert status >= 400 and b"InvalidAccessKeyId" in body, (status, body)
            write("rotated", "rotated-canary-secret")
            assert wait_until(lambda: target.request("POST", "/api/v1/admin/seal", b"")[0] == 200)
            assert total(target) == value_of(1) + value_of(2)
            shown = "\n".join(target.log) + "".join(target.request("GET", path)[2].decode() for path in (
                "/metrics", "/api/v1/status", "/api/v1/status/config"))
            assert "canary" not in shown and sim.secret_key not in shown


def start_fails(target, want):
    try:
        target.start()
    except RuntimeError as error:
        assert want in str(error), str(error)
        return
    raise AssertionError("it started")


def test_a_wrong_bucket_is_refused(args):
    with s3.Sim(args.test_hearth) as sim:
        with on(sim, args, prefix="one") as first, on(sim, args, prefix="two") as second:
            for target in (first, second):
                ingest(target, 1)
                target.seal()
                assert target.stop()[0] == 0
            first.args[1] = "s3://test/two"
            start_fails(first, "belongs to cluster")
            first.args[1] = "s3://test/typo"
            start_fails(first, "is it the right bucket")
            first.args[1] = "s3://nosuch/one"
            shutil.rmtree(first.data)
            start_fails(first, "NoSuchBucket")


def test_a_store_that_ignores_conditions_is_used_with_a_warning(args):
    with s3.Sim(args.test_hearth) as sim:
        sim.set(ignore_conditions=1)
        with on(sim, args) as target:
            assert metric(target, 'hearth_bucket_guarantee{guarantee="create_if_absent"}') == 0
            assert any("ignores conditions" in line for line in target.log), target.log
            ingest(target, 1)
            target.seal()
            assert total(target) == value_of(1)


def test_stop_does_not_wait_for_a_store_that_hangs(args):
    with s3.Sim(args.test_hearth) as sim, on(sim, args, more=["--seal.interval", "1s", "--s3.timeout", "60s"]) as target:
        sim.set(latency_ms=60000)
        ingest(target, 1)
        assert wait_until(lambda: metric(target, 'hearth_bucket_requests_total{operation="get"}') is not None)
        time.sleep(2.5)  # The seal has begun.
        code, seconds = target.stop()
        assert code == 0 and seconds < 2, (code, seconds)
        return f"{seconds:.2f} s"


class TlsProxy:
    """TLS in front of the simulator."""

    def __init__(self, folder, to):
        self.cert, key = folder / "cert.pem", folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-keyout", key, "-out", self.cert, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                       check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, key)
        self.to = ("127.0.0.1", int(to.rsplit(":", 1)[1]))
        self.listener = context.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True)
        self.endpoint = f"https://localhost:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except ssl.SSLError:
                continue  # A peer that does not trust us.
            except OSError:
                return
            upstream = socket.create_connection(self.to)
            for a, b in ((client, upstream), (upstream, client)):
                threading.Thread(target=self._copy, args=(a, b), daemon=True).start()

    def _copy(self, a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    access_key, secret_key, bucket = s3.Sim.access_key, s3.Sim.secret_key, s3.Sim.bucket


def test_https_with_its_own_authority(args):
    if shutil.which("openssl") is None:
        raise runner.Skip("needs openssl")
    with tempfile.TemporaryDirectory() as folder, s3.Sim(args.test_hearth) as sim:
        proxy = TlsProxy(pathlib.Path(folder), sim.endpoint)
        with on(proxy, args, more=["--s3.ca-file", proxy.cert]) as target:
            ingest(target, 1)
            target.seal()
            assert total(target) == value_of(1)
        start_fails(on(proxy, args), "certificate")


def with_bucket(gateway):
    status, body = s3.Client(gateway.endpoint, gateway.access_key, gateway.secret_key).request("PUT", f"/{gateway.bucket}")
    assert status == 200, (status, body)


def test_ceph_passes_the_conformance_suite_and_keeps_profiles(args):
    lacking = radosgw.missing()
    if lacking:
        raise runner.Skip(f"needs {', '.join(lacking)} (./dev setup s3)")
    unit = pathlib.Path(args.test_hearth).resolve().parent.parent.parent / "tests" / "unit" / "objstore" / "unit_objstore"
    with radosgw.Radosgw() as gateway:
        with_bucket(gateway)
        env = dict(os.environ, HEARTH_TEST_S3_ENDPOINT=gateway.endpoint, HEARTH_TEST_S3_BUCKET=gateway.bucket,
                   HEARTH_TEST_S3_KEY=gateway.access_key, HEARTH_TEST_S3_SECRET=gateway.secret_key)
        suite = subprocess.run([unit, "[s3-external]"], env=env, capture_output=True, text=True, timeout=300)
        assert suite.returncode == 0, suite.stdout[-3000:] + suite.stderr[-2000:]
        assert "assertions in" in suite.stdout, suite.stdout
        note = life_on(gateway, args)
        with on(gateway, args, prefix="outage", more=["--seal.interval", "1s", "--s3.timeout", "2s"]) as target:
            ingest(target, 1)
            target.seal()
            gateway.stop_gateway()
            for i in range(2, 20):
                ingest(target, i)
            assert wait_until(lambda: metric(target, "hearth_seal_failures_total") >= 1)
            gateway.start_gateway()
            assert wait_until(lambda: metric(target, "hearth_head_profiles") == 0, 90), target.log
            assert total(target) == sum(value_of(i) for i in range(1, 20))
        return note


if __name__ == "__main__":
    runner.run(globals())
