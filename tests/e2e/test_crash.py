#!/usr/bin/env python3
"""kill -9 at random moments and at named kill points, under concurrent ingest; after each restart every acknowledged profile is
there, once, by content: an answer of 200 means durable (docs/architecture.md).

Profile i has a stack of its own, …;p_<i>, with a value that only i has, beside stacks it shares with others. One merged answer
therefore tells for each i whether it is missing (no frame), right (its value), or doubled (twice its value).
A profile whose request got no answer may be there or not, whole or not at all: its shared stacks must agree with its own.
"""
import collections
import json
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support import pprof, runner, server  # noqa: E402

SERVICES = 3
ADMIN_CALLS = ("/api/v1/admin/seal", "/api/v1/admin/compact?force=true",
               "/api/v1/admin/delete?selector=%7Bservice_name%3D%22nobody%22%7D")
KIND = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"


class Expected:
    """What was sent and what was acknowledged. Thread-safe."""

    def __init__(self):
        self.lock = threading.Lock()
        self.next = 0
        self.acked, self.pending = set(), set()

    def begin(self):
        with self.lock:
            self.next += 1
            self.pending.add(self.next)
            return self.next

    def end(self, i):
        with self.lock:
            self.pending.discard(i)
            self.acked.add(i)


def value_of(i):
    return 1_000 + i


def body_of(i):
    stacks = {("main", f"worker_{i % 7}", f"p_{i}"): (1, value_of(i)), ("main", "shared", f"s_{i % 5}"): (1, value_of(i)),
              ("main", "novel", f"n_{i // 3}"): (1, 3)}
    return pprof.build(stacks, time_ns=1_700_000_000_000_000_000 + i * 1_000_000)


def writer(target, expected, stop):
    while not stop.is_set():
        i = expected.begin()
        try:
            status, _, _ = target.ingest(body_of(i), name=f"crash{i % SERVICES}")
        except (OSError, Exception):
            return  # The server is gone: the outcome of i stays unknown.
        if status == 200:
            expected.end(i)


def leaves(target):
    """{leaf frame: value} over all services."""
    out = collections.Counter()
    for s in range(SERVICES):
        answer = target.rpc("SelectMergeProfile", {"profileTypeID": KIND, "labelSelector": '{service_name="crash%d"}' % s,
                                                   "start": "1000", "end": "4000000000000"})
        strings = answer.get("stringTable", [])
        names = {f["id"]: strings[int(f.get("name", 0))] for f in answer.get("function", [])}
        leaf = {l["id"]: names[l["line"][0]["functionId"]] for l in answer.get("location", [])}
        for sample in answer.get("sample", []):
            out[leaf[sample["locationId"][0]]] += int(sample["value"][0])
    return out


def verify(found, expected):
    """Lists what is wrong; empty means nothing was lost, doubled or torn."""
    wrong, shared, novel = [], collections.Counter(), collections.Counter()
    for i in sorted(expected.acked | expected.pending):
        got = found.get(f"p_{i}", 0)
        if got not in ((value_of(i),) if i in expected.acked else (0, value_of(i))):
            wrong.append(f"profile {i} ({'acked' if i in expected.acked else 'pending'}): got {got}; want {value_of(i)}")
        if got:
            shared[f"s_{i % 5}"] += value_of(i)
            novel[f"n_{i // 3}"] += 3
    for name, want in (shared + novel).items():
        if found.get(name, 0) != want:
            wrong.append(f"shared stack {name}: got {found.get(name, 0)}; want {want}")
    unknown = [n for n in found if n.startswith("p_") and int(n[2:]) not in expected.acked | expected.pending]
    return wrong + [f"never sent: {n}" for n in unknown]


def load(target, expected, seconds, dice, kill):
    """Writers run for `seconds`; `kill` decides how the server ends."""
    stop = threading.Event()
    threads = [threading.Thread(target=writer, args=(target, expected, stop)) for _ in range(4)]
    for thread in threads:
        thread.start()
    kill(target, seconds, dice)
    stop.set()
    for thread in threads:
        thread.join()


def kill_at_random(target, seconds, dice):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(min(0.05, max(0.0, end - time.monotonic())))
        if dice.random() < 0.2:
            try:
                target.request("POST", dice.choice(ADMIN_CALLS), b"", timeout=5)
            except Exception:
                break
    target.kill()


def kill_at_point(target, seconds, dice):
    """The point kills from inside; seals and compactions are asked for so that their points are passed. A point never passed ends in
    kill -9."""
    end = time.monotonic() + seconds + 1.0
    while time.monotonic() < end and target.process.poll() is None:
        try:
            for call in ADMIN_CALLS:
                target.request("POST", call, b"", timeout=5)
        except Exception:
            pass
        time.sleep(0.05)
    point_hit = target.process.poll() is not None
    if not point_hit:
        target.kill()
    target.process.wait()
    return point_hit


def kill_points():
    """Every named point of the source."""
    source = pathlib.Path(__file__).resolve().parent.parent.parent / "src"
    return sorted({name for path in source.rglob("*.cc") for name in re.findall(r'HEARTH_KILL_POINT\("([^"]+)"\)', path.read_text())})


def start_armed(target, point, dice):
    """Starts with a kill point. False when it fired before the server listened. Some points are passed once in a life."""
    passes = 1 if point.split(".")[0] in ("open", "claim", "seal", "epoch", "compact", "collect", "delete") else dice.randint(1, 12)
    try:
        target.start(env={"HEARTH_KILL_POINT": f"{point}:{passes}"})
        return True
    except RuntimeError:
        assert target.process.wait() == -signal.SIGKILL, f"{point}: exit {target.process.returncode}: {target.log[-5:]}"
        return False


def armed_round(target, point, expected, dice):
    """One life that a kill point ends. True when the point fired."""
    if not start_armed(target, point, dice):
        return True  # While starting.
    outcome = []
    load(target, expected, 0.3, dice, lambda *a: outcome.append(kill_at_point(*a)))
    return outcome[0]


def crash_rounds(args, rounds, points):
    dice = random.Random(args.seed)
    expected = Expected()
    hit = set()
    with server.Server(args.test_hearth, args=["--log.level", "warn"]) as target:
        target.kill()
        for n in range(rounds):
            if points and n % 2:
                point = points[n // 2 % len(points)]
                hit |= {point} if armed_round(target, point, expected, dice) else set()
                continue
            target.start()
            wrong = verify(leaves(target), expected)
            assert not wrong, f"round {n}: {len(wrong)} wrong: {wrong[:5]}"
            load(target, expected, dice.uniform(0.05, 0.6), dice, kill_at_random)
        for point in sorted(set(points) - hit) * 3:  # A slow machine may not have come that far.
            if point not in hit and armed_round(target, point, expected, dice):
                hit.add(point)
        target.start()
        found = leaves(target)
        wrong = verify(found, expected)
        assert not wrong, f"after {rounds} rounds: {len(wrong)} wrong: {wrong[:5]}"
        assert target.stop()[0] == 0
        check_the_checker(found, expected)
        status = subprocess.run([args.test_hearth, "verify", target.data], capture_output=True, text=True)
        assert status.returncode == 0, status.stdout + status.stderr
    return expected, hit


def check_the_checker(found, expected):
    """The checker must fail when one record is dropped, doubled or torn on purpose."""
    one = next(iter(sorted(expected.acked)))
    for changed in ({f"p_{one}": 0}, {f"p_{one}": 2 * value_of(one)}, {f"s_{one % 5}": found[f"s_{one % 5}"] - value_of(one)}):
        assert verify({**found, **changed}, expected), f"the checker did not notice {changed}"


def test_nothing_acknowledged_is_lost_or_doubled(args):
    points = kill_points()
    rounds = max(200 if args.long else 50, 2 * len(points))
    expected, hit = crash_rounds(args, rounds, points)
    assert len(expected.acked) > rounds, f"only {len(expected.acked)} acknowledged"
    # An epoch ends after an hour, or with its last rows of an earlier life; an orphan is collected after a day.
    rarely = {p for p in points if p.startswith("epoch.") or p == "collect.before_orphan"}
    missed = set(points) - hit - rarely
    assert not missed or rounds < 2 * len(points), f"kill points never hit: {sorted(missed)}"
    return f"{rounds} rounds, {len(expected.acked)} acked, {len(expected.pending)} unknown, 0 lost, 0 doubled; kill points hit {len(hit)} of {len(points)}; seed {args.seed}"


def test_a_dropped_record_is_noticed_end_to_end(args):
    """One acknowledged row is left out of its durable batch on purpose: after kill -9 exactly that profile must be reported."""
    expected = Expected()
    with server.Server(args.test_hearth, env={"HEARTH_FAIL_POINT": "append.lose_row:7"}) as target:
        for _ in range(20):
            i = expected.begin()
            assert target.ingest(body_of(i), name=f"crash{i % SERVICES}")[0] == 200
            expected.end(i)
        assert verify(leaves(target), expected) == [], "before the kill everything is in memory"
        target.kill()
        target.start(env={"HEARTH_FAIL_POINT": ""})
        wrong = [w for w in verify(leaves(target), expected) if w.startswith("profile ")]
        assert len(wrong) == 1 and "profile 7 (acked): got 0" in wrong[0], wrong
    return wrong[0]


if __name__ == "__main__":
    runner.run(globals())
