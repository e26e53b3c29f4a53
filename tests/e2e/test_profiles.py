#!/usr/bin/env python3
"""Real profile files of several runtimes in, flame graphs out: every total equals the sum of the file's samples, before and after
the seal, after a restart, and as pprof read by another decoder."""
import gzip
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support import go_pprof, pprof, runner, server  # noqa: E402

FILES = sorted((pathlib.Path(__file__).parent / "profiles").glob("*.pb*"))
METRIC = {"alloc_objects": "memory", "inuse_space": "memory", "samples": "process_cpu", "cpu": "process_cpu", "goroutine": "goroutines",
          "wall": "wall", "objects": "memory", "space": "memory", "sample": "wall"}


def metric_of(path, profile):
    """The metric that /ingest takes from the sample types, for the files at hand."""
    names = [t for t, _ in profile.types]
    if "wall" in names:
        return "wall"
    if "contentions" in names:
        return "mutex"  # contentions shows as mutex_count, for block profiles too.
    return METRIC[names[0]]


def types_of(path, profile):
    period = ":".join(profile.period)
    return [f"{metric_of(path, profile)}:{t}:{u}:{period}" for t, u in profile.types]


def wide_range():
    return {"start": "1000", "end": str(int(time.time() * 1000) + 86_400_000)}


def recent_range(profile):
    """Around the profile's own time (or now, where the file has none or one of 1970), in hours."""
    at = profile.time_ns // 1_000_000 if profile.time_ns > 10**18 else int(time.time() * 1000)
    return {"start": str(at - 7_200_000), "end": str(at + 7_200_000)}


def positive_totals(profile, with_empty_stacks=False):
    """Sums over what a flame graph shows: no sample with a negative value, none without a stack. Time series count the
    latter too: one Python agent sends such samples."""
    kept = [s for s in profile.samples if min(s[1]) >= 0 and (s[0] or with_empty_stacks)]
    return [sum(s[1][i] for s in kept) for i in range(len(profile.types))]


def check_totals(target):
    checked = 0
    for path in FILES:
        profile = pprof.Profile(path.read_bytes())
        for i, kind in enumerate(types_of(path, profile)):
            want = positive_totals(profile)[i]
            answer = target.rpc("SelectMergeStacktraces", {
                "profileTypeID": kind, "labelSelector": '{service_name="%s"}' % path.name, **wide_range()})
            got = server.flame_total(answer)
            assert got == want, f"{path.name} {kind}: got {got}; want {want}"
            series = target.rpc("SelectSeries", {"profileTypeID": kind, "labelSelector": '{service_name="%s"}' % path.name, "step": 3600,
                                                 **recent_range(profile)}).get("series", [])
            got = sum(point["value"] for s in series for point in s["points"])
            assert got == positive_totals(profile, True)[i], f"{path.name} {kind}: series say {got}"
            checked += want > 0
    return checked


def test_every_file_has_its_own_total_in_head_segment_and_after_restart(args):
    assert len(FILES) >= 20, f"only {len(FILES)} profile files"
    with server.Server(args.hearth) as target:
        for path in FILES:
            status, _, body = target.ingest(path.read_bytes(), name=path.name)
            assert status == 200, (path.name, status, body)
        checked = check_totals(target)
        target.seal()
        check_totals(target)
        code, _ = target.stop()
        assert code == 0
        target.start()
        check_totals(target)
        check_stacks(target)
        check_merged(target, args)
    return f"{len(FILES)} files, {checked} totals, four times"


def check_merged(target, args):
    """A forced compaction leaves day segments alone, with the same stacks; `inspect` and `verify` agree beside the running server."""
    status, _, body = target.request("POST", "/api/v1/admin/compact?force=true", b"", timeout=120)
    assert status == 200, (status, body)
    done = json.loads(body)
    # The server may have merged them by itself before it was told to.
    compacted = server.metric(target, "hearth_compacted_profiles_total")
    assert compacted >= len(FILES) and done["duplicates"] == done["expired"] == 0, (compacted, body)
    assert server.metric(target, "hearth_compaction_duplicates_total") == 0
    check_totals(target)
    check_stacks(target)
    shown = subprocess.run([args.hearth, "inspect", "--format", "json", target.data], capture_output=True, text=True, check=True).stdout
    levels = {row["level"]: row["objects"] for table in json.loads(shown) if table["name"] == "levels" for row in table["rows"]}
    assert levels.pop("2 day") >= 1 and not any(levels.values()), levels
    metrics = target.request("GET", "/metrics")[2].decode()
    assert 'hearth_level_segments{level="0"} 0' in metrics, metrics
    verified = subprocess.run([args.hearth, "verify", target.data], capture_output=True, text=True)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def check_stacks(target):
    """Collapsed stacks of SelectMergeProfile equal those of the file, for each type."""
    for path in FILES:
        profile = pprof.Profile(path.read_bytes())
        for i, kind in enumerate(types_of(path, profile)):
            if not positive_totals(profile)[i]:
                continue
            body = json.dumps({"profileTypeID": kind, "labelSelector": '{service_name="%s"}' % path.name, **wide_range()}).encode()
            status, _, raw = target.request("POST", "/querier.v1.QuerierService/SelectMergeProfile", body,
                                            {"Content-Type": "application/json"})
            assert status == 200, (status, raw[:200])
            merged = json.loads(raw)
            got = collapsed_json(merged)
            want = {strip_shape(k): v for k, v in profile.collapsed(i).items() if k}  # Without a stack: series only.
            assert got == want, f"{path.name} {kind}: {first_difference(got, want)}"


def strip_shape(stack):
    """Go's generic shape parameters are not part of a name: the instances are one function (docs/write_pipeline.md)."""
    out, at = "", 0
    while True:
        start = stack.find("[go.shape.", at)
        if start < 0:
            return out + stack[at:]
        depth, end = 0, start
        while True:
            depth += {"[": 1, "]": -1}.get(stack[end], 0)
            end += 1
            if depth == 0:
                break
        out, at = out + stack[at:start], end


def collapsed_json(message):
    strings = message.get("stringTable", [])
    names = {f["id"]: strings[int(f.get("name", 0))] for f in message.get("function", [])}
    frames = {l["id"]: [names[x["functionId"]] for x in l.get("line", [])] for l in message.get("location", [])}
    out = {}
    for sample in message.get("sample", []):
        stack = ";".join(reversed([n for l in sample.get("locationId", []) for n in frames[l]]))
        out[stack] = out.get(stack, 0) + int(sample["value"][0])
    return out


def first_difference(got, want):
    for key in sorted(set(got) | set(want)):
        if got.get(key) != want.get(key):
            return f"{key[-150:]}: got {got.get(key)}; want {want.get(key)}"
    return "equal"


def test_pprof_answers_read_the_same_in_go(args):
    if not shutil.which("go"):
        raise runner.Skip("needs the Go toolchain")
    with server.Server(args.hearth) as target, tempfile.TemporaryDirectory() as directory:
        compared = 0
        for path in FILES:
            profile = pprof.Profile(path.read_bytes())
            target.ingest(path.read_bytes(), name=path.name)
            kind = types_of(path, profile)[-1]
            out = pathlib.Path(directory) / "answer.pb.gz"
            subprocess.run([args.hearth, "query", kind + '{service_name="%s"}' % path.name, "--url", f"http://127.0.0.1:{target.port}",
                            "--from", "1", "--until", "now+1d", "--format", "pprof", "--output", out], check=True, capture_output=True)
            want = go_pprof.top(path, profile.types[-1][0])
            got = go_pprof.top(out)
            assert got == want, f"{path.name}:\n{got}\nwant\n{want}"
            compared += 1
    return f"{compared} files, top 20 equal"


def test_raw_gzip_multipart_and_push_are_the_same(args):
    raw = pprof.build({("main", "work"): 7, ("main", "idle"): 3}, time_ns=1_700_000_000_000_000_000)
    boundary = "xYzZY"
    multipart = (f'--{boundary}\r\nContent-Disposition: form-data; name="profile"; filename="profile.pprof"\r\n\r\n').encode() + \
        gzip.compress(raw) + f"\r\n--{boundary}--\r\n".encode()
    import base64
    push = json.dumps({"series": [{"labels": [{"name": "__name__", "value": "process_cpu"}, {"name": "service_name", "value": "push"}],
                                   "samples": [{"rawProfile": base64.b64encode(gzip.compress(raw)).decode()}]}]}).encode()
    with server.Server(args.hearth) as target:
        for name, path, body, headers in [
                ("raw", "/ingest?name=raw", raw, {}),
                ("gz", "/pyroscope/ingest?name=gz", gzip.compress(raw), {}),
                ("format", "/ingest?name=format&format=pprof", raw, {}),
                ("parts", "/ingest?name=parts", multipart, {"Content-Type": f"multipart/form-data; boundary={boundary}"}),
                ("push", "/push.v1.PusherService/Push", push, {"Content-Type": "application/json"}),
                ("folded", "/ingest?name=folded&format=folded", b"main;work 7\nmain;idle 3\n", {})]:
            status, _, answer = target.request("POST", path, body, headers)
            assert status == 200, (name, status, answer)
            query = {"profileTypeID": "process_cpu:cpu:nanoseconds:cpu:nanoseconds", "labelSelector": '{service_name="%s"}' % name, **wide_range()}
            nodes = server.flame_nodes(target.rpc("SelectMergeStacktraces", query))
            assert nodes == {"main": (100_000_000, 0), "main;work": (70_000_000, 70_000_000), "main;idle": (30_000_000, 30_000_000)}, (name, nodes)


def test_a_retry_counts_once_and_a_query_is_repeatable(args):
    with server.Server(args.hearth) as target:
        body = FILES[1].read_bytes()
        for _ in range(3):
            assert target.ingest(body, name="retry")[0] == 200
        profile = pprof.Profile(body)
        kind = types_of(FILES[1], profile)[-1]
        query = {"profileTypeID": kind, "labelSelector": '{service_name="retry"}', "maxNodes": 16, **wide_range()}
        assert server.flame_total(target.rpc("SelectMergeStacktraces", query)) == profile.totals[-1]
        answers = {target.request("POST", "/querier.v1.QuerierService/SelectMergeStacktraces", json.dumps(query).encode(),
                                  {"Content-Type": "application/json"})[2] for _ in range(30)}
        assert len(answers) == 1


def test_the_other_of_a_cut_is_the_least_possible(args):
    """An independent computation: keep the nodes whose total reaches the N-th largest; the rest is `other`."""
    with server.Server(args.hearth) as target:
        path = max(FILES, key=lambda p: p.stat().st_size)
        target.ingest(path.read_bytes(), name="cut")
        profile = pprof.Profile(path.read_bytes())
        totals = {}
        for stack, value in profile.collapsed(len(profile.types) - 1).items():
            frames = strip_shape(stack).split(";")
            for i in range(1, len(frames) + 1):
                totals[tuple(frames[:i])] = totals.get(tuple(frames[:i]), 0) + value
        limits = [len(totals) // n for n in (2, 3, 4, 8, 30)]
        for limit in limits:
            threshold = sorted(totals.values(), reverse=True)[limit - 1]
            kept = {k for k, v in totals.items() if v >= threshold}
            want = sum(v for k, v in totals.items() if k not in kept and (k[:-1] in kept or len(k) == 1))
            answer = target.rpc("SelectMergeStacktraces", {"profileTypeID": types_of(path, profile)[-1], "labelSelector": '{service_name="cut"}',
                                                           "maxNodes": limit, **wide_range()})
            nodes = server.flame_nodes(answer)
            got = sum(total for p, (total, _) in nodes.items() if p.split(";")[-1] == "other")
            assert got == want, (limit, got, want)
            assert {tuple(p.split(";")) for p in nodes if p.split(";")[-1] != "other"} == kept, limit
    return f"{len(totals)} nodes cut to {limits}"


def test_idle_memory_start_and_stop(args):
    with server.Server(args.hearth) as target:
        time.sleep(0.5)
        rss, ready = target.rss_mib(), target.start_seconds
        code, seconds = target.stop()
        assert code == 0
        assert rss <= 40, f"idle RSS {rss:.1f} MiB"
        assert ready <= 0.3 and seconds <= 1.0, (ready, seconds)
    return f"RSS {rss:.1f} MiB, listening after {ready * 1000:.0f} ms, exit after {seconds * 1000:.0f} ms"


if __name__ == "__main__":
    runner.run(globals())
