#!/usr/bin/env python3
"""Deletion of series and tenants: gone from answers at once, from every object after compaction, and never half of it after a crash."""
import json
import pathlib
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support import pprof, runner, server  # noqa: E402
from support.server import metric, total  # noqa: E402

START = 1_700_000_000_000_000_000
DELETE = "/api/v1/admin/delete?selector=%7Bpod%3D%22a%22%7D"


def write(target, service, pod, value, n=5):
    for i in range(n):
        body = pprof.build({("main", f"{service}_{pod}"): (1, value)}, time_ns=START + i * 1_000_000_000)
        assert target.ingest(body, name=f"{service}{{pod={pod}}}")[0] == 200


def fill(target):
    """5 × 1 and 10 in pods a and b of one service, 100 in pod a of another."""
    write(target, "one", "a", 1)
    write(target, "one", "b", 10)
    write(target, "two", "a", 100)


def run(args, *words):
    done = subprocess.run([args.test_hearth, *words], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def url(target):
    return f"http://127.0.0.1:{target.port}"


def compact(target):
    status, _, body = target.request("POST", "/api/v1/admin/compact?force=true", b"")
    assert status == 200, (status, body)
    return json.loads(body)


def test_a_deleted_series_is_gone_at_once_and_provably(args):
    with server.Server(args.test_hearth) as target:
        fill(target)
        compact(target)
        write(target, "one", "c", 1000)
        whole = 5 * (1 + 10 + 100 + 1000)
        assert total(target) == whole
        selector = '{service_name="one", pod=~"a|c"}'
        code, _, said = run(args, "delete", "--url", url(target), selector)
        assert code == 2 and "--yes" in said, said
        code, _, said = run(args, "delete", "--url", url(target), "--yes", '{__type__="cpu"}')
        assert code == 1 and "stored labels" in said, said
        assert total(target) == whole
        code, said, error = run(args, "delete", "--url", url(target), "--yes", selector)
        assert code == 0, error
        deletion = json.loads(said)["id"]
        left = 5 * (10 + 100)
        assert total(target) == left, "in the head and in segments, at once"
        target.kill()
        target.start()
        assert total(target) == left, "after kill -9"
        code, said, _ = run(args, "verify", target.data)
        assert code == 0 and "deletions: 1 asked, 1 waiting, 0 gone" in said and "waiting, 5 profiles in 1 live" in said, said
        assert compact(target)["deleted"] == 10
        assert total(target) == left
        code, said, _ = run(args, "verify", target.data)
        assert code == 0 and "deletions: 1 asked, 0 waiting, 1 gone" in said and "no findings" in said, said
        assert metric(target, "hearth_deletions") == 1 and metric(target, "hearth_deleted_profiles_total") == 10
        # It holds until it is withdrawn. (The same profiles again would be retries.)
        write(target, "one", "a", 2)
        assert total(target) == left
        code, said, _ = run(args, "delete", "--url", url(target), "--list")
        assert code == 0 and deletion in said, said
        code, _, error = run(args, "delete", "--url", url(target), "--withdraw", deletion)
        assert code == 0, error
        assert total(target) == left + 10


def test_a_range_of_time_and_a_tenant(args):
    with server.Server(args.test_hearth) as target:
        fill(target)
        target.seal()
        middle = str(START // 1_000_000 + 2_000)
        code, _, error = run(args, "delete", "--url", url(target), "--from", middle, "--until", str(int(middle) + 1_000), "--yes", "{}")
        assert code == 0, error
        assert total(target) == 4 * (1 + 10 + 100), "of five seconds one is gone"
        code, _, error = run(args, "delete", "--url", url(target), "--yes", "{}")
        assert code == 0, error
        assert total(target) == 0
        compact(target)
        code, said, _ = run(args, "verify", target.data)
        assert code == 0 and "deletions: 2 asked, 0 waiting, 2 gone" in said and "0 profiles" in said, said
        assert not list(pathlib.Path(target.data).glob("bucket/m/**/*.seg")) and not list(pathlib.Path(target.data).glob("bucket/l0/**/*.seg"))


def test_a_query_process_on_the_bucket_leaves_it_out(args):
    with server.Server(args.test_hearth) as target:
        fill(target)
        target.seal()
        assert target.request("POST", DELETE, b"")[0] == 200
        bucket = f"{target.data}/bucket"
        with server.Server(args.test_hearth, args=["--role", "query", "--bucket", bucket]) as reader:
            assert total(reader) == 50


def test_a_crash_leaves_a_deletion_whole_or_undone(args):
    """A point that is never passed would let the request be answered."""
    for point, left in (("delete.before_put", 555), ("delete.after_put", 50), ("delete.after_copy", 50)):
        with server.Server(args.test_hearth) as target:
            target.kill()
            target.start(env={"HEARTH_KILL_POINT": point})
            fill(target)
            target.seal()
            try:
                answered = target.request("POST", DELETE, b"")
                raise AssertionError(f"{point}: answered {answered}")
            except (OSError, server.http.client.HTTPException):
                pass
            assert target.process.wait() == -signal.SIGKILL
            target.start()
            assert total(target) == left, (point, total(target))
            compact(target)
            assert total(target) == left, (point, total(target))


if __name__ == "__main__":
    runner.run(globals())
