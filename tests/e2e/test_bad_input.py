#!/usr/bin/env python3
"""Every bad input gets the status of the reference and a message that names the field; nothing partial is stored; memory stays
bounded (docs/http_api.md 1 and 2)."""
import gzip
import json
import pathlib
import socket
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support import pprof, runner, server  # noqa: E402

GOOD = pprof.build({("main", "work"): 7}, time_ns=1_700_000_000_000_000_000)


def bomb(megabytes):
    """gzip of zeros, made in pieces."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()


def profile_with(**changes):
    """A hand-made profile with one thing wrong."""
    strings = changes.get("strings", [b"", b"cpu", b"nanoseconds", b"main"])
    values = changes.get("values", [5])
    return (pprof.field(1, pprof.field(1, changes.get("type", 1)) + pprof.field(2, 2)) +
            pprof.field(2, pprof.packed(1, changes.get("stack", [1])) + pprof.packed(2, values) + changes.get("label", b"")) +
            pprof.field(4, pprof.field(1, changes.get("location_id", 1)) + pprof.field(4, pprof.field(1, changes.get("line_function", 1)))) +
            pprof.field(5, pprof.field(1, changes.get("function_id", 1)) + pprof.field(2, changes.get("name", 3))) +
            b"".join(pprof.field(6, s) for s in strings) + pprof.field(9, 1_700_000_000_000_000_000))


CASES = [
    # what, body, fragment of the message
    ("truncated gzip", gzip.compress(GOOD)[:-9], "gzip"),
    ("gzip bomb", bomb(200), "size"),
    ("cut message", GOOD[:-7], "pprof"),
    ("garbage", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "pprof"),
    ("string index out of range", profile_with(name=99), "string"),
    ("negative string index", profile_with(name=-1), "string"),
    ("location id 0 in a stack", profile_with(stack=[0]), "location"),
    ("function id 0", profile_with(function_id=0, line_function=0), "function id is 0"),
    ("value count", profile_with(values=[1, 2]), "value"),
    ("string 0 not empty", profile_with(strings=[b"x", b"cpu", b"nanoseconds", b"main"]), "string"),
    ("invalid UTF-8", profile_with(strings=[b"", b"cpu", b"nanoseconds", b"ma\xffin"]), "UTF-8"),
    ("dash in a sample type", profile_with(strings=[b"", b"alloc-size", b"nanoseconds", b"main"]), "sample type"),
]


def message_of(body):
    return json.loads(body)["message"]


def services(target):
    return target.rpc("LabelValues", {"name": "service_name", "start": "1000", "end": "4000000000000"}).get("names", [])


def test_broken_profiles_are_refused_by_both_doors(args):
    import base64
    with server.Server(args.hearth) as target:
        base = target.rss_mib()
        for what, body, fragment in CASES:
            status, _, answer = target.request("POST", "/ingest?name=bad&format=pprof", body)
            assert status == 422, (what, status, answer[:200])
            assert fragment.lower() in message_of(answer).lower(), (what, message_of(answer))
            push = {"series": [{"labels": [{"name": "__name__", "value": "cpu"}, {"name": "service_name", "value": "bad"}],
                                "samples": [{"rawProfile": base64.b64encode(body).decode()}]}]}
            status, _, answer = target.request("POST", "/push.v1.PusherService/Push", json.dumps(push).encode(),
                                               {"Content-Type": "application/json"})
            assert status == 400, (what, status, answer[:200])
            assert json.loads(answer)["code"] == "invalid_argument", (what, answer)
            assert fragment.lower() in message_of(answer).lower(), (what, message_of(answer))
        assert services(target) == []
        grown = target.rss_mib() - base
        assert grown < 120, f"RSS grew by {grown:.0f} MiB"
    return f"{len(CASES)} bodies, RSS +{grown:.0f} MiB"


def test_negative_and_empty_samples_are_dropped_not_refused(args):
    with server.Server(args.hearth) as target:
        body = pprof.build({("main", "good"): 7, ("main", "negative"): (-1, 5), ("main", "zero"): (0, 0)}, time_ns=1_700_000_000_000_000_000)
        assert target.ingest(body, name="neg")[0] == 200
        nodes = server.flame_nodes(target.rpc("SelectMergeStacktraces", {
            "profileTypeID": "process_cpu:cpu:nanoseconds:cpu:nanoseconds", "labelSelector": '{service_name="neg"}', "start": "1000", "end": "4000000000000"}))
        assert set(nodes) == {"main", "main;good"}, nodes


def test_a_reference_to_nothing_costs_the_frame_not_the_sample(args):
    """docs/write_pipeline.md, "frames": a stack keeps its other frames when a location or function does not exist."""
    with server.Server(args.hearth) as target:
        assert target.ingest(profile_with(stack=[7, 1]), name="dangling")[0] == 200
        query = {"profileTypeID": "process_cpu:cpu:nanoseconds::", "labelSelector": '{service_name="dangling"}', "start": "1000", "end": "4000000000000"}
        assert server.flame_nodes(target.rpc("SelectMergeStacktraces", query)) == {"main": (5, 5)}
        metrics = target.request("GET", "/metrics")[2].decode()
        assert 'hearth_repairs_total{kind="frames_dropped"} 1' in metrics, [m for m in metrics.splitlines() if "repairs" in m]


def test_a_stack_of_100000_frames_keeps_its_leaf_side(args):
    with server.Server(args.hearth) as target:
        deep = tuple(f"f{i}" for i in range(100_000))
        assert target.ingest(pprof.build({deep: 7}, time_ns=1_700_000_000_000_000_000), name="deep")[0] == 200
        answer = target.rpc("SelectMergeStacktraces", {"profileTypeID": "process_cpu:cpu:nanoseconds:cpu:nanoseconds", "maxNodes": "1048576",
                                                       "labelSelector": '{service_name="deep"}', "start": "1000", "end": "4000000000000"})
        names = set(answer["flamegraph"]["names"])
        assert "[truncated]" in names and "f99999" in names and "f0" not in names
        assert server.flame_total(answer) == 70_000_000


def many_types(count):
    stacks = {("main",): tuple(range(1, count + 1))}
    return pprof.build(stacks, types=tuple((f"t{i}", "count") for i in range(count)), time_ns=1_700_000_000_000_000_000)


def test_what_no_segment_can_hold_is_refused_and_seals_go_on(args):
    long_location = (
        pprof.field(1, pprof.field(1, 1) + pprof.field(2, 2)) + pprof.field(2, pprof.packed(1, [1]) + pprof.packed(2, [5])) +
        pprof.field(4, pprof.field(1, 1) + b"".join(pprof.field(4, pprof.field(1, 1) + pprof.field(2, i)) for i in range(1100))) +
        pprof.field(5, pprof.field(1, 1) + pprof.field(2, 3)) + b"".join(pprof.field(6, t) for t in [b"", b"cpu", b"nanoseconds", b"main"]))
    with server.Server(args.hearth) as target:
        for what, body in [("65 sample types", many_types(65)), ("1,100 lines", long_location)]:
            status, _, answer = target.ingest(body, name="wide", format="pprof")
            assert status == 422 and "at most" in message_of(answer), (what, status, answer)
        assert target.ingest(many_types(64), name="wide", format="pprof")[0] == 200
        assert target.seal()["sealed_profiles"] == 1


def test_few_bytes_never_become_gigabytes(args):
    import base64
    lying = gzip.compress(b"x" * 10)[:-4] + (16 << 20).to_bytes(4, "little")  # ISIZE says 16 MiB.
    series = {"labels": [{"name": "__name__", "value": "cpu"}, {"name": "service_name", "value": "lie"}],
              "samples": [{"rawProfile": base64.b64encode(lying + bytes(20_000)).decode()}] * 500}
    key = "k" * 1000
    label = lambda k, v: pprof.field(3, pprof.field(1, k) + pprof.field(2, v))  # noqa: E731
    unique = 40_000
    labelled = (pprof.field(1, pprof.field(1, 1) + pprof.field(2, 2)) +
                b"".join(pprof.field(2, pprof.packed(1, [1]) + pprof.packed(2, [5]) + label(4, 5) + label(6, 7 + i)) for i in range(unique)) +
                pprof.field(4, pprof.field(1, 1) + pprof.field(4, pprof.field(1, 1))) + pprof.field(5, pprof.field(1, 1) + pprof.field(2, 3)) +
                b"".join(pprof.field(6, t) for t in [b"", b"cpu", b"nanoseconds", b"main", key.encode(), b"v" * 2000, b"id"]) +
                b"".join(pprof.field(6, f"{i}") for i in range(unique)))
    files = (pprof.field(1, pprof.field(1, 1) + pprof.field(2, 2)) + pprof.field(2, pprof.packed(1, [1]) + pprof.packed(2, [5])) +
             pprof.field(4, pprof.field(1, 1) + pprof.field(4, pprof.field(1, 1))) +
             b"".join(pprof.field(5, pprof.field(1, i + 1) + pprof.field(2, 3) + pprof.field(4, 4)) for i in range(50_000)) +
             b"".join(pprof.field(6, t) for t in [b"", b"cpu", b"nanoseconds", b"main", b"f" * 60_000]))
    with server.Server(args.hearth) as target:
        base = target.rss_mib()
        status = target.request("POST", "/push.v1.PusherService/Push", json.dumps({"series": [series]}).encode(), {"Content-Type": "application/json"})[0]
        assert status == 400, status
        assert target.ingest(labelled, name="labels")[0] in (422, 429)
        assert target.ingest(files, name="files", spyName="rbspy")[0] == 422
        assert flood_of_chunk_extension(target) in (0, 400)
        grown = target.rss_mib() - base
        assert grown < 250, f"RSS grew by {grown:.0f} MiB"
        assert target.request("GET", "/healthz")[0] == 200
    return f"RSS +{grown:.0f} MiB"


def flood_of_chunk_extension(target):
    """Sends up to 64 MiB of one chunk extension; the status, 0 when the server just closed."""
    with socket.create_connection(("127.0.0.1", target.port), timeout=15) as connection:
        try:
            connection.sendall(b"POST /ingest?name=x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5;")
            for _ in range(64):
                connection.sendall(b"a" * (1 << 20))
        except OSError:
            pass
        try:
            answer = connection.recv(65536)
        except OSError:
            return 0
        return int(answer.split(b" ", 2)[1]) if answer else 0


def test_requests_that_are_not_profiles(args):
    with server.Server(args.hearth) as target:
        ct = {"Content-Type": "application/json"}
        for what, method, path, body, headers, want in [
                ("unknown path", "GET", "/nope", None, {}, 404),
                ("unknown api path", "GET", "/api/v1/nope", None, {}, 404),
                ("wrong method", "GET", "/ingest?name=x", None, {}, 405),
                ("wrong method on Connect", "GET", "/querier.v1.QuerierService/LabelNames", None, {}, 405),
                ("wrong content type", "POST", "/querier.v1.QuerierService/LabelNames", b"x", {"Content-Type": "text/plain"}, 415),
                ("no name", "POST", "/ingest", GOOD, {}, 400),
                ("bad JSON", "POST", "/querier.v1.QuerierService/LabelNames", b"{", ct, 400),
                ("empty JSON", "POST", "/querier.v1.QuerierService/LabelNames", b"", ct, 400),
                ("no range", "POST", "/querier.v1.QuerierService/LabelNames", b"{}", ct, 400),
                ("bad selector", "POST", "/querier.v1.QuerierService/Series", b'{"matchers":["{a="],"start":"1","end":"2"}', ct, 400),
                ("unknown compression", "POST", "/push.v1.PusherService/Push", b"{}", {**ct, "Content-Encoding": "br"}, 501),
                ("empty push", "POST", "/push.v1.PusherService/Push", b"{}", ct, 400),
                ("malformed Accept", "GET", "/ready", None, {"Accept": "a b"}, 400),
                ("folded number", "POST", "/ingest?name=x&format=folded", b"main;work seven\n", {}, 422),
                ("multipart without boundary", "POST", "/ingest?name=x", b"--x\r\n", {"Content-Type": "multipart/form-data"}, 422),
                ("label without service", "POST", "/push.v1.PusherService/Push", b'{"series":[{"labels":[],"samples":[]}]}', ct, 400)]:
            status, _, answer = target.request(method, path, body, headers)
            assert status == want, f"{what}: got {status}; want {want}: {answer[:200]!r}"
        assert services(target) == []


def raw_exchange(target, data):
    with socket.create_connection(("127.0.0.1", target.port), timeout=15) as connection:
        connection.sendall(data)
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = connection.recv(65536)
            if not piece:
                break
            answer += piece
        return int(answer.split(b" ", 2)[1]) if answer else 0


def test_oversize_heads_and_bodies(args):
    with server.Server(args.hearth) as target:
        assert raw_exchange(target, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 40_000 + b"\r\n\r\n") == 431
        assert raw_exchange(target, b"GET /" + b"a" * 12_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n") == 414
        assert raw_exchange(target, b"POST /ingest?name=x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10737418240\r\n\r\n") == 413
        assert raw_exchange(target, b"POST /ingest?name=x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400
        assert target.request("GET", "/healthz")[0] == 200


def test_the_command_line_fails_with_a_message(args):
    import subprocess
    for command, fragment in [(["serve", "--no-such-flag"], "no-such-flag"), (["nonsense"], "nonsense"),
                              (["push", "/no/such/file.pb.gz"], "/no/such/file.pb.gz"), (["inspect", "/etc/hostname"], "/etc/hostname")]:
        done = subprocess.run([args.hearth, *command], capture_output=True, text=True, timeout=20)
        assert done.returncode != 0 and fragment in done.stderr, (command, done)


if __name__ == "__main__":
    runner.run(globals())
