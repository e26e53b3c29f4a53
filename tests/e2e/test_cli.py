#!/usr/bin/env python3
"""The commands as people type them: what is printed where, and the exit code. 0: done; 1: tried and failed; 2: wrong command line."""
import contextlib
import gzip
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support import pprof, runner, server  # noqa: E402

CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
STACKS = {("main", "parse"): 3, ("main", "send"): 2, ("main",): 1}


def hearth(args, *words, stdin=b"", env=None, code=0):
    """(standard output, standard error) of one command, which must exit with `code`."""
    done = subprocess.run([args.hearth, *map(str, words)], input=stdin, capture_output=True, timeout=60, env=dict(os.environ, **(env or {})))
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    assert done.returncode == code, f"{' '.join(map(str, words))}: exit {done.returncode}, want {code}\n{out}\n{err}"
    return out, err


def profile(stacks=None):
    return gzip.compress(pprof.build(stacks or STACKS, time_ns=time.time_ns()))


@contextlib.contextmanager
def stage(args, *flags):
    """A server, its address, and a folder for files."""
    with server.Server(args.hearth, args=flags) as target, tempfile.TemporaryDirectory(prefix="hearth-cli-") as folder:
        yield target, f"http://127.0.0.1:{target.port}", pathlib.Path(folder)


def label_values(target, name):
    now = int(time.time() * 1000)
    return target.rpc("LabelValues", {"name": name, "start": str(now - 3_600_000), "end": str(now + 3_600_000)}).get("names", [])


# --- push

def test_push_sends_several_files_and_says_what_happened_to_each(args):
    with stage(args) as (target, url, folder):
        for name in ("web.pb.gz", "shop cart.pprof"):
            (folder / name).write_bytes(profile())
        out, err = hearth(args, "push", "--url", url, folder / "web.pb.gz", folder / "shop cart.pprof", "--label", "region=eu", "--label", "v=1")
        assert re.search(r"web\.pb\.gz: stored as web \(\d+ bytes\)\n.*shop cart\.pprof: stored as shop_cart \(\d+ bytes\)\n$", out), out
        assert err == "", err
        assert label_values(target, "service_name") == ["shop_cart", "web"]
        assert label_values(target, "region") == ["eu"] and label_values(target, "v") == ["1"]


def test_push_takes_the_service_from_the_name_then_the_label_and_reads_standard_input(args):
    with stage(args) as (target, url, folder):
        (folder / "cpu.pb.gz").write_bytes(profile())
        hearth(args, "push", "--url", url, "--label", "service_name=by-label", folder / "cpu.pb.gz")
        hearth(args, "push", "--url", url, "--name", "by-name", "--label", "service_name=not-this", folder / "cpu.pb.gz")
        hearth(args, "push", "--url", url + "/", "-", stdin=profile())
        hearth(args, "push", "-", "--name", "folded", stdin=b"main;work 3\n", env={"HEARTH_URL": url})
        assert label_values(target, "service_name") == ["by-label", "by-name", "folded", "stdin"]


def test_push_stores_the_good_files_and_names_the_bad_ones(args):
    with stage(args) as (target, url, folder):
        (folder / "good.pb.gz").write_bytes(profile())
        (folder / "empty.pb.gz").write_bytes(b"")
        (folder / "broken.pb").write_bytes(b"not a profile")
        out, err = hearth(args, "push", "--url", url, folder / "gone.pb.gz", folder, folder / "empty.pb.gz", folder / "broken.pb",
                          folder / "good.pb.gz", code=1)
        assert out.count("\n") == 1 and "stored as good" in out, out
        for part in ("gone.pb.gz: No such file", "is a directory", "empty.pb.gz: is empty", "broken.pb: the server answered status 4"):
            assert part in err, (part, err)
        assert label_values(target, "service_name") == ["good"]


def test_push_says_why_it_cannot_reach_a_server(args):
    with stage(args) as (target, url, folder):
        target.stop()
        file = folder / "cpu.pb.gz"
        file.write_bytes(profile())
        for address, part in [(url, str(target.port)), ("ftp://example.org", "ftp"), ("http://", "http://")]:
            out, err = hearth(args, "push", "--url", address, file, code=1)
            assert out == "" and part in err, (address, err)


def test_push_names_the_tenant(args):
    with stage(args, "--auth.multitenancy-enabled") as (_, url, folder):
        file = folder / "cpu.pb.gz"
        file.write_bytes(profile())
        assert "status 401" in hearth(args, "push", "--url", url, file, code=1)[1]
        hearth(args, "push", "--url", url, "--tenant", "a", file)
        query = CPU + '{service_name="cpu"}'
        assert "parse" in hearth(args, "query", "--url", url, "--tenant", "a", query)[0]
        assert "no profiles" in hearth(args, "query", "--url", url, "--tenant", "b", query)[0]


def test_a_wrong_command_line_is_refused_before_anything_is_sent(args):
    for words, part in [(["push"], "no file"), (["push", "--label", "x", "f"], "KEY=VALUE"), (["push", "--nmae", "x", "f"], "--name"),
                        (["query"], "one query"), (["query", "--format", "xml", CPU + "{}"], "want text"),
                        (["query", "--from", "now", "--until", "now-1h", CPU + "{}"], "not before"), (["query", "cpu"], "cpu"),
                        (["query", "--max-nodes", "-1", CPU + "{}"], "max-nodes"), (["demo", "--hours", "0"], "--hours"),
                        (["demo", "x"], "flags only"), (["verify"], "no path"), (["inspect"], "one segment"), (["serve", "x"], "flags only"),
                        (["psuh"], "did you mean push"), ([], "Usage")]:
        out, err = hearth(args, *words, code=2)
        assert out == "" and part in err, (words, out, err)


def test_every_command_has_a_help_text(args):
    overview = hearth(args, "--help")[0]
    for command in ("serve", "push", "query", "inspect", "verify", "demo", "version"):
        assert f"  {command} " in overview
        assert f"hearth {command}" in hearth(args, command, "--help")[0]
    assert re.match(r"hearth \S+", hearth(args, "version")[0])


# --- query

def test_query_prints_each_format(args):
    with stage(args) as (target, url, folder):
        hearth(args, "push", "--url", url, "--name", "app", "-", stdin=profile())
        query = [CPU + '{service_name="app"}', "--url", url, "--from", "now-1h"]
        folded = "main 10000000\nmain;parse 30000000\nmain;send 20000000\n"
        assert sorted(hearth(args, "query", *query, "--format", "folded")[0].splitlines()) == folded.splitlines()
        text = hearth(args, "query", *query)[0]
        assert text.startswith(CPU) and all(name in text for name in ("main", "parse", "send")), text
        rows = [line.split() for line in hearth(args, "query", *query, "--format", "top")[0].splitlines() if line.endswith(("parse", "send", "main"))]
        assert [r[-1] for r in rows] == ["parse", "send", "main"], rows
        raw = folder / "out.pb.gz"
        assert hearth(args, "query", *query, "--format", "pprof", "--output", raw)[0] == ""
        merged = pprof.Profile(raw.read_bytes())
        assert merged.types == [("cpu", "nanoseconds")] and merged.collapsed(0) == {"main": 10**7, "main;parse": 3 * 10**7, "main;send": 2 * 10**7}
        graph = json.loads(hearth(args, "query", *query, "--format", "json")[0])
        assert server.flame_total(graph) == 60_000_000


def test_query_without_data_is_an_answer_and_a_failure_is_none(args):
    with stage(args) as (target, url, folder):
        query = [CPU + '{service_name="nobody"}', "--url", url]
        assert "no profiles" in hearth(args, "query", *query)[0]
        assert hearth(args, "query", *query, "--format", "folded")[0] == ""
        assert "label 'a'" in hearth(args, "query", CPU + '{a=~"("}', "--url", url, code=1)[1]
        hearth(args, "query", *query, "--output", folder / "no" / "such" / "folder", code=1)
        target.stop()
        out, err = hearth(args, "query", *query, code=1)
        assert out == "" and str(target.port) in err, err


# --- serve

def test_the_log_tells_of_writes_seals_and_starts(args):
    with stage(args, "--log.level", "debug") as (target, url, _):
        hearth(args, "push", "--url", url, "--name", "app", "-", stdin=profile())
        target.seal()
        target.stop()
        target.start()
        target.stop()
        lines = "\n".join(target.log)
        for pattern in (r"level=debug msg=\"profiles accepted\" tenant=anonymous path=/ingest profiles=1 bytes=\d+",
                        r"level=info msg=sealed segment=l0/\S+ profiles=1 datasets=1 bytes=\d+ ms=\d+",
                        r"level=info msg=recovered start=2 unsealed_profiles=0 unsealed_bytes=0 dictionaries=0 pending_seals=0 segments=1 ms=\d+"):
            assert re.search(pattern, lines), (pattern, lines)


# --- demo

def start_demo(args, folder, *flags):
    """(process, port, lines of standard error, which grow)."""
    process = subprocess.Popen([args.hearth, "demo", "--listen", "127.0.0.1:0", "--hours", "0.1", *flags], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, env=dict(os.environ, TMPDIR=str(folder)))
    match = re.search(r"listening on http://[^ :]+:(\d+)", process.stdout.readline())
    lines = []
    threading.Thread(target=lambda: lines.extend(process.stderr), daemon=True).start()
    assert match, lines
    return process, int(match.group(1)), lines


def wait_for(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"after {seconds} s still no {what}"
        time.sleep(0.05)


def end_demo(process):
    begin = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert time.monotonic() - begin < 5, "a demo ends at once"


def test_demo_shows_three_services_and_four_kinds_and_leaves_nothing(args):
    with tempfile.TemporaryDirectory(prefix="hearth-cli-") as folder:
        process, port, lines = start_demo(args, folder)
        try:
            wait_for("demo data", lambda: any("wrote" in line for line in lines))
            target = server.Server(args.hearth, data=folder)
            target.port = port
            assert len(label_values(target, "service_name")) == 3
            assert label_values(target, "__name__") == ["goroutines", "memory", "mutex", "process_cpu"]
            assert os.listdir(folder), "the temporary data is below TMPDIR"
            end_demo(process)
            assert os.listdir(folder) == []
        finally:
            process.kill()


def test_demo_ends_while_it_writes_and_keeps_what_it_is_told_to_keep(args):
    with tempfile.TemporaryDirectory(prefix="hearth-cli-") as folder:
        data = pathlib.Path(folder) / "data"
        process, _, _ = start_demo(args, folder, "--data", str(data), "--hours", "48")
        try:
            end_demo(process)
            assert os.listdir(folder) == ["data"] and (data / "db").is_dir()
        finally:
            process.kill()


# --- inspect and verify

@contextlib.contextmanager
def sealed(args):
    """(data directory, its one segment file), with no server on it."""
    with stage(args) as (target, url, _):
        hearth(args, "push", "--url", url, "--name", "app", "--label", "region=eu", "-", stdin=profile())
        assert target.seal()["sealed_profiles"] == 1
        target.stop()
        (segment,) = (pathlib.Path(target.data) / "bucket").glob("l0/*/*.seg")
        yield pathlib.Path(target.data), segment


def test_inspect_prints_the_directory_and_each_section(args):
    with sealed(args) as (_, segment):
        directory = hearth(args, "inspect", segment)[0]
        assert "app" in directory and "ROWS" in directory, directory
        json.loads(hearth(args, "inspect", "--format", "json", segment)[0])
        assert "parse" in hearth(args, "inspect", "--section", "STR", segment)[0]
        assert "region" in hearth(args, "inspect", "--section", "LBL", "--dataset", "0", segment)[0]
        assert "--format" in hearth(args, "inspect", "--format", "xml", segment, code=2)[1]
        hearth(args, "inspect", "--section", "NONE", segment, code=2)
        assert "No such file" in hearth(args, "inspect", str(segment) + "x", code=1)[1]


def test_verify_finds_any_damaged_byte_and_names_the_file(args):
    dice = random.Random(args.seed)
    with sealed(args) as (data, segment):
        assert re.match(r"1 segments, 1 profiles, 3 rows, \d+ bytes: no findings\n$", hearth(args, "verify", data)[0])
        good = segment.read_bytes()
        for at in [0, 8, len(good) // 2, len(good) - 1, *(dice.randrange(len(good)) for _ in range(40))]:
            segment.write_bytes(good[:at] + bytes([good[at] ^ 1 << dice.randrange(8)]) + good[at + 1:])
            _, err = hearth(args, "verify", segment, code=1)
            assert str(segment) in err, (at, err)
        for size in (0, 31, len(good) // 2, len(good) - 1):
            segment.write_bytes(good[:size])
            assert str(segment) in hearth(args, "verify", segment, code=1)[1], size
            hearth(args, "inspect", segment, code=1)
        assert "No such file" in hearth(args, "verify", data / "gone", code=1)[1]
    return f"{len(good)} bytes"


def test_inspect_of_a_damaged_section_fails_and_the_directory_is_still_shown(args):
    with sealed(args) as (data, segment):
        good = segment.read_bytes()
        segment.write_bytes(good[:40] + bytes([good[40] ^ 0xff]) + good[41:])  # The first section, STR, begins after 32 bytes.
        assert "ROWS" in hearth(args, "inspect", segment)[0]
        out, err = hearth(args, "inspect", "--section", "STR", segment, code=1)
        assert out == "" and "STR" in err and str(segment) in err, err
        assert str(segment) in hearth(args, "verify", data, code=1)[1]


if __name__ == "__main__":
    runner.run(globals())
