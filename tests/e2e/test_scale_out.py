#!/usr/bin/env python3
"""Processes of several roles on one bucket: what each one takes and says, and the example under examples/scale-out behind nginx, on a
directory and on the S3 simulator."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support import pprof, runner, s3, server  # noqa: E402
from support.server import total, wait_until  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
QUIET = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}


def test_each_role_says_what_it_is_and_refuses_what_is_not_its_work(args):
    with tempfile.TemporaryDirectory() as folder:
        bucket = pathlib.Path(folder) / "bucket"
        body = pprof.build({("main", "f"): (1, 1_000)}, time_ns=1_700_000_000_000_000_000)

        def role(name):
            return server.Server(args.test_hearth, args=["--role", name, "--bucket", bucket, "--bucket.poll-interval", "200ms"])
        with role("write") as write, role("query") as query, role("compact") as compact:
            for target, name in ((write, "write"), (query, "query"), (compact, "compact")):
                assert target.request("GET", "/ready")[2] == f"ready (role {name})\n".encode()
                assert json.loads(target.request("GET", "/api/v1/status")[2])["role"] == name
                assert f'hearth_role{{role="{name}"}} 1'.encode() in target.request("GET", "/metrics")[2]
            for target in (query, compact):
                assert not os.listdir(target.data), "nothing is kept in a folder"
                status, _, answer = target.ingest(body, name="shop")
                assert status == 404 and b"--role" in answer and b"takes no profiles" in answer, (status, answer)
                status, _, answer = target.request("POST", "/push.v1.PusherService/Push", b"{}", {"Content-Type": "application/json"})
                assert status == 404 and json.loads(answer)["code"] == "unimplemented", (status, answer)
            for target in (write, query):
                assert target.request("POST", "/api/v1/admin/compact", b"")[0] == 501
            assert write.ingest(body, name="shop")[0] == 200
            write.seal()
            assert wait_until(lambda: total(query) == 1_000), total(query)
            status, _, answer = compact.request("POST", "/api/v1/admin/compact?force=true", b"")
            assert status == 200, (status, answer)
            # It may have done so by itself before.
            assert json.loads(compact.request("GET", "/api/v1/status")[2])["compaction"]["levels"][0]["segments"] == 0
            for target in (write, query, compact):
                assert total(target) == 1_000
            text = subprocess.run([args.test_hearth, "inspect", bucket], capture_output=True, text=True, check=True).stdout
            assert "write" in text.split("writers", 1)[1], text
            verified = subprocess.run([args.test_hearth, "verify", bucket], capture_output=True, text=True)
            assert verified.returncode == 0, verified.stdout + verified.stderr


def example(args, env):
    if shutil.which("nginx") is None:
        raise runner.Skip("needs nginx (Debian: nginx-light; ./dev setup test)")
    done = subprocess.run([sys.executable, ROOT / "examples" / "scale-out" / "run.py", "--hearth", args.test_hearth, "--profiles", "30"],
                          env=dict(os.environ, **env), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "all checks passed" in done.stdout, done.stdout[-2000:] + done.stderr[-3000:]



def test_the_example_on_a_directory(args):
    example(args, {})


def test_the_example_on_s3(args):
    with s3.Sim(args.test_hearth) as sim:
        example(args, dict(QUIET, HEARTH_BUCKET=f"s3://{sim.bucket}/scale-out", HEARTH_S3_ENDPOINT=sim.endpoint,
                           AWS_ACCESS_KEY_ID=sim.access_key, AWS_SECRET_ACCESS_KEY=sim.secret_key))


if __name__ == "__main__":
    runner.run(globals())
