#!/usr/bin/env python3
"""kill -9 at random moments and at named kill points (acknowledging, sealing, uploading, committing a snapshot, compacting, collecting,
retaining, starting), under concurrent ingest, seals and compactions; after each restart every acknowledged profile is there, once, by
content: an answer of 200 means durable (docs/architecture.md).

Profile i has a stack of its own, …;p_<i>, with a value that only i has, beside stacks it shares with others. One merged answer
therefore tells for each i whether it is missing (no frame), right (its value), or doubled (twice its value).
A profile whose request got no answer may be there or not, whole or not at all: its shared stacks must agree with its own.
One further service is kept in lives that end at random and forgotten in those that end at a kill point, so that retention has
something to do.
"""
import collections
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support import pprof, runner, s3, server  # noqa: E402

SERVICES = 3
WRITERS = 4
ADMIN_CALLS = ("/api/v1/admin/seal", "/api/v1/admin/compact?force=true",
               "/api/v1/admin/delete?selector=%7Bservice_name%3D%22nobody%22%7D")
FORGOTTEN = "forgotten"
SERVER_ARGS = ("--log.level", "warn")
RETENTION_ARGS = ("--retention.rules", f"*/{FORGOTTEN}=1h")
DAY_NS = 86_400_000_000_000
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
    sent = expected.acked | expected.pending
    for i in sorted(sent):
        got = found.get(f"p_{i}", 0)
        if got not in ((value_of(i),) if i in expected.acked else (0, value_of(i))):
            wrong.append(f"profile {i} ({'acked' if i in expected.acked else 'pending'}): got {got}; want {value_of(i)}")
        if got:
            shared[f"s_{i % 5}"] += value_of(i)
            novel[f"n_{i // 3}"] += 3
    for name, want in (shared + novel).items():
        if found.get(name, 0) != want:
            wrong.append(f"shared stack {name}: got {found.get(name, 0)}; want {want}")
    unknown = [n for n in found if n.startswith("p_") and int(n[2:]) not in sent]
    return wrong + [f"never sent: {n}" for n in unknown]


def forget(target, dice, days=(0, 7)):
    """One profile for retention, of the day of the others or, 7 days before, of one that it has for itself."""
    time_ns = 1_700_000_000_000_000_000 - dice.choice(days) * DAY_NS + dice.randrange(DAY_NS // 24)
    body = pprof.build({("main", "gone"): (1, 1)}, time_ns=time_ns)
    target.ingest(body, name=FORGOTTEN)


def caller(target, call, stop, dice):
    """Asks for a seal or a compaction again and again, beside everything else."""
    longest = 0.5 if "delete" in call else 0.1
    while not stop.wait(dice.uniform(0.01, longest)):
        try:
            if "compact" in call:
                forget(target, dice)
            target.request("POST", call, b"", timeout=10)
        except Exception:
            return


def load(target, expected, seconds, dice, kill, busy=True):
    """Writers run for `seconds`, and with `busy` seals and compactions; `kill` decides how the server ends."""
    stop = threading.Event()
    threads = [threading.Thread(target=writer, args=(target, expected, stop)) for _ in range(WRITERS)]
    if busy:
        threads += [threading.Thread(target=caller, args=(target, call, stop, random.Random(dice.random()))) for call in ADMIN_CALLS]
    for thread in threads:
        thread.start()
    kill(target, seconds)
    stop.set()
    for thread in threads:
        thread.join()


def kill_at_random(target, seconds):
    time.sleep(seconds)
    target.kill()


def kill_at_point(target, seconds):
    """The point kills from inside. True when it did; a point never passed ends in kill -9."""
    try:
        target.process.wait(timeout=seconds)
        return True
    except subprocess.TimeoutExpired:
        target.kill()
        return False


def kill_points():
    """Every named point of the source."""
    source = pathlib.Path(__file__).resolve().parent.parent.parent / "src"
    return sorted({name for path in source.rglob("*.cc") for name in re.findall(r'HEARTH_KILL_POINT\("([^"]+)"\)', path.read_text())})


def is_rare(point):
    """An epoch ends after an hour, or with its last rows of an earlier life; an orphan is collected after a day; retention follows the
    merges of its life, which a slow machine does not finish in time."""
    return point.startswith(("epoch.", "retain.")) or point == "collect.before_orphan"


def start_armed(target, point, dice):
    """Starts with a kill point. False when it fired before the server listened. Some points are passed once in a life."""
    passes = dice.randint(1, 12) if point.startswith("append.") else 1
    try:
        target.start(env={"HEARTH_KILL_POINT": f"{point}:{passes}"})
        return True
    except RuntimeError:
        assert target.process.wait() == -signal.SIGKILL, f"{point}: exit {target.process.returncode}: {target.log[-5:]}"
        return False


def armed_round(target, point, expected, dice, seconds):
    """One life that a kill point ends, or its time. True when the point fired."""
    if not start_armed(target, point, dice):
        return True  # While starting.
    outcome = []
    load(target, expected, seconds, dice, lambda *a: outcome.append(kill_at_point(*a)))
    return outcome[0]


def crash_rounds(args, rounds, points, server_args=SERVER_ARGS, bucket=None, env=None, lose_machine=0):
    """Kills a server with these arguments so often, every second time at a kill point; `server_args` may name another way to
    acknowledge, `bucket` is what `hearth verify` reads, its data folder unless said. With probability `lose_machine`
    the folder goes with a life that ends at random."""
    dice = random.Random(args.seed)
    expected = Expected()
    hit = set()
    with server.Server(args.test_hearth, args=server_args, env=env) as target:
        target.kill()

        def check():
            target.args = list(server_args)
            target.start()
            found = leaves(target)
            wrong = verify(found, expected)
            assert not wrong, f"round {n}: {len(wrong)} wrong: {wrong[:5]}"
            return found

        def at_point(point, seconds=1.3):
            target.args = [*server_args, *RETENTION_ARGS]
            if armed_round(target, point, expected, dice, seconds):
                hit.add(point)

        for n in range(rounds):
            if points and n % 2:
                at_point(points[n // 2 % len(points)])
                continue
            check()
            load(target, expected, dice.uniform(0.05, 0.5), dice, kill_at_random, busy=dice.random() < 0.7)
            if dice.random() < lose_machine:
                shutil.rmtree(target.data)
        for point in sorted(set(points) - hit) * 3:  # A slow machine may not have come that far.
            if point in hit:
                continue
            check()
            forget(target, dice, (7,))  # What retention finds as a segment of its own.
            target.request("POST", "/api/v1/admin/compact?force=true", b"")
            load(target, expected, 0.3, dice, kill_at_random)
            at_point(point, seconds=8)
        found = check()
        assert target.stop()[0] == 0
        check_the_checker(found, expected)
        status = subprocess.run([args.test_hearth, "verify", *(bucket or [target.data])], env=target.env, capture_output=True, text=True)
        assert status.returncode == 0, status.stdout + status.stderr
    return expected, hit


def check_the_checker(found, expected):
    """The checker must fail when one record is dropped, doubled or torn on purpose."""
    one = next(iter(sorted(expected.acked)))
    for changed in ({f"p_{one}": 0}, {f"p_{one}": 2 * value_of(one)}, {f"s_{one % 5}": found[f"s_{one % 5}"] - value_of(one)}):
        assert verify({**found, **changed}, expected), f"the checker did not notice {changed}"


def test_nothing_acknowledged_is_lost_or_doubled(args):
    points = kill_points()
    rounds = max(200 if args.long else 100, 2 * len(points))
    expected, hit = crash_rounds(args, rounds, points)
    assert len(expected.acked) > rounds, f"only {len(expected.acked)} acknowledged"
    missed = {p for p in set(points) - hit if not is_rare(p)}
    assert not missed or rounds < 2 * len(points), f"kill points never hit: {sorted(missed)}"
    return f"{rounds} rounds, {len(expected.acked)} acked, {len(expected.pending)} unknown, 0 lost, 0 doubled; kill points hit {len(hit)} of {len(points)}; seed {args.seed}"


def crash_rounds_on_s3(args, rounds, more, lose_machine=0):
    """The same on the S3 simulator: what is sealed, merged and retained is uploaded. The points of seals and merges must all be hit."""
    points = [p for p in kill_points() if p.split(".")[0] in ("append", "claim", "seal", "compact", "retain", "collect")]
    with s3.Sim(args.test_hearth) as sim:
        bucket = [f"s3://{sim.bucket}/crash", "--s3.endpoint", sim.endpoint]
        env = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_ACCESS_KEY_ID": sim.access_key,
               "AWS_SECRET_ACCESS_KEY": sim.secret_key}
        expected, hit = crash_rounds(args, rounds, points, [*SERVER_ARGS, "--bucket", *bucket, *more], bucket, env, lose_machine)
    assert len(expected.acked) > rounds, f"only {len(expected.acked)} acknowledged"
    missed = {p for p in set(points) - hit if not is_rare(p)}
    assert not missed, f"kill points never hit: {sorted(missed)}"
    return f"{rounds} rounds, {len(expected.acked)} acked, {len(expected.pending)} unknown, 0 lost, 0 doubled; kill points hit {len(hit)} of {len(points)}; seed {args.seed}"


def test_nothing_acknowledged_is_lost_or_doubled_with_uploads(args):
    return crash_rounds_on_s3(args, 200 if args.long else 52, [])


def test_ack_object_loses_nothing_with_the_machine(args):
    return crash_rounds_on_s3(args, 200 if args.long else 100, ["--ack", "object", "--ack.interval", "20ms"], lose_machine=1 / 3)


def test_the_loss_of_the_machine_is_noticed(args):
    """What those rounds must be able to see: without `--ack object` the data folder holds what was acknowledged last."""
    try:
        crash_rounds_on_s3(args, 8, ["--seal.interval", "1h"], lose_machine=1)
    except AssertionError as noticed:
        assert "(acked): got 0" in str(noticed), noticed
        return str(noticed)[:100]
    raise AssertionError("eight lives lost their folder and nothing was missing")


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
