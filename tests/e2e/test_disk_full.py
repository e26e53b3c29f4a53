#!/usr/bin/env python3
"""A file system that is really full, on a tmpfs of its own: writes are refused and come back, queries go on, what was acknowledged stays."""
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support import pprof, runner, server  # noqa: E402
from support.server import total  # noqa: E402

MIB = 1 << 20


@contextlib.contextmanager
def small_disk(mib):
    """A mounted tmpfs; skips where that needs rights that we lack."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="hearth-full-"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", path], capture_output=True, text=True)
    try:
        if mounted.returncode:
            raise runner.Skip(f"needs to mount a tmpfs: {mounted.stderr.strip()}")
        yield path
    finally:
        if not mounted.returncode:
            subprocess.run(["umount", "-l", path], check=True)
        path.rmdir()


def free(path):
    stat = os.statvfs(path)
    return stat.f_bavail * stat.f_frsize


def fill(path, leave=0):
    """A file of others that takes all but `leave` bytes."""
    with contextlib.suppress(OSError), open(path / "others", "ab", buffering=0) as out:
        while free(path) > leave:
            out.write(b"x" * min(MIB, free(path) - leave))
    return path / "others"


def body(i):
    return pprof.build({("main", f"p_{i}"): (1, 1000 + i)}, time_ns=1_700_000_000_000_000_000 + i * 1_000_000)


def within(seconds, condition, what):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.2)


def accepted(target, i):
    status, headers, _ = target.ingest(body(i), name="full")
    assert status == 200 or (status == 503 and headers["Retry-After"]), status
    return status == 200


def test_a_full_disk_refuses_writes_and_comes_back(args):
    with small_disk(200) as disk, server.Server(args.test_hearth, data=str(disk / "data"), args=["--seal.interval", "5s"]) as target:
        within(10, (disk / "data" / "reserve").exists, "the reserve is held")
        want = 0
        for i in range(20):
            assert accepted(target, i)
            want += 1000 + i
        others = fill(disk)
        assert free(disk) < MIB
        i = 100
        while accepted(target, i):  # The space is looked at once a second.
            want += 1000 + i
            i += 1
            assert i < 100_000, "writes are refused"
        assert total(target) == want, "queries go on"
        within(5, lambda: not (disk / "data" / "reserve").exists(), "the reserve is given up")
        target.seal()  # The reserve is enough for it.
        assert total(target) == want
        others.unlink()
        within(10, lambda: accepted(target, 20), "writes come back")
        within(10, (disk / "data" / "reserve").exists, "the reserve is held again")
        want += 1020
        target.kill()
        target.start()
        assert total(target) == want
    return f"total {want}"


def test_a_start_on_a_full_disk_uses_the_reserve(args):
    with small_disk(200) as disk, server.Server(args.test_hearth, data=str(disk / "data")) as target:
        within(10, (disk / "data" / "reserve").exists, "the reserve is held")
        assert accepted(target, 1)
        target.kill()
        others = fill(disk)
        target.start()
        assert any("the reserve is given up" in line for line in target.log)
        assert not any("cannot be written" in line for line in target.log)
        assert total(target) == 1001
        fill(disk)  # RocksDB has let go of what it had allocated for its log.
        within(10, lambda: target.request("GET", "/ready")[0] == 503, "writes are refused")
        assert not accepted(target, 2)
        assert total(target) == 1001
        others.unlink()
        within(10, lambda: accepted(target, 2), "writes come back without a restart")
        assert total(target) == 2003


if __name__ == "__main__":
    runner.run(globals())
