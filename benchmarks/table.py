#!/usr/bin/env python3
"""Runs the benchmarks that stand behind the targets of docs/benchmarks.md and writes its table.

  benchmarks/table.py --bench build-bench/benchmarks/hearth_bench [--update docs/benchmarks.md] [--keep run.jsonl]
  benchmarks/table.py run.jsonl… [--update docs/benchmarks.md]      from lines that were kept

Without --update the table goes to standard output. A target without a measurement says so. --load-seconds 600 makes the load of
ten thousand services what its target says.
"""
import argparse
import dataclasses
import datetime
import json
import pathlib
import subprocess
import sys
import time

BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"

# What is run, in order: flags, and a prefix of names. Each in a process of its own: one that fails costs only its own rows.
RUNS = [
    ["--runs", "5", "gunzip"], ["--runs", "5", "parse"],
    ["--runs", "5", "dedup/novel"], ["--runs", "5", "dedup/services-1"], ["--runs", "5", "dedup/services-800"],
    ["--runs", "3", "ingest/in-process"], ["--runs", "3", "ingest/http"],
    ["idle"], ["recover"], ["head/small"], ["life"], ["merge-files"], ["query/under-ingest"],
    ["--runs", "5", "query/merge-1k"], ["--runs", "5", "query/merge-10k"],
    ["size/curve"], ["size/zstd"],
    ["rss-10k-services/paced"],
    ["--runs", "3", "--pods", "1", "query/pods-24h"], ["--runs", "3", "--pods", "100", "query/pods-24h"],
]


class Lines:
    """Measurements, found by name, unit and parameters; a later line replaces an equal earlier one."""

    def __init__(self, lines):
        self.lines = [json.loads(line) for line in lines if line.startswith("{")]

    def find(self, name, unit, **params):
        """The last line whose parameters have these values (underscores stand for spaces in their names)."""
        wanted = {k.replace("_", " "): str(v) for k, v in params.items()}
        for line in reversed(self.lines):
            have = line["params"]
            if line["name"] == name and line["unit"] == unit and all(have.get(k) == v for k, v in wanted.items()):
                return line
        return None

    def value(self, name, unit, **params):
        """CPU time where the line has it: other programs on the machine matter less to it."""
        line = self.find(name, unit, **params)
        return None if line is None else line.get("on_cpu", line["median"])

    def machine(self):
        return self.lines[-1]["machine"] if self.lines else {}

    def calibration(self):
        rates = sorted(line["calibration_mb_s"] for line in self.lines)
        return (rates[0], rates[len(rates) // 2], rates[-1]) if rates else (0, 0, 0)


@dataclasses.dataclass
class Row:
    target: str
    what: str
    want: float
    unit: str
    measured: object           # A function of Lines: a number or None.
    at_most: bool = True
    seconds: object = None     # Seconds that stand behind one unit of a time: 1e-6 for µs; None for no time.


CPU = {"stream": "generated/cpu"}
HEAP = {"stream": "generated/heap"}


def total(lines, *parts):
    values = [lines.value(*part[:2], **part[2]) for part in parts]
    return None if None in values else sum(values)


def ratio(above, below):
    return None if above is None or not below else above / below


def symbols(lines, profiles):
    """Bytes per profile of the sections that say what rows mean (docs/segment_format.md)."""
    sections = ("STR", "FUNC", "MAP", "LOC", "EDGE", "TREE", "CLASS", "KEYS", "HEAP")
    found = [lines.value("size/curve", "B/profile", section=section, profiles=profiles, **CPU) for section in sections]
    return sum(v for v in found if v) if any(found) else None


def saved(lines, profiles):
    alone, shared = symbols(lines, 1), symbols(lines, profiles)
    return None if alone is None or shared is None else 100 * (1 - shared / alone)


def named(name, unit, **params):
    return lambda lines: lines.value(name, unit, **params)


def pods(question, unit, segments, pods):
    return named(f"query/pods-24h/{question}", unit, segments=segments, pods=pods)


def curve(profiles, stream):
    return named("size/curve", "B/profile", section="all but ROLL", profiles=profiles, **stream)


ROWS = [
    Row("T1", "pprof parsed and validated, raw bytes", 1200, "MB/s", named("parse", "MB/s", variant="hearth", **CPU), at_most=False),
    Row("T1", "the same, beside protobuf", 2.5, "×", lambda l: ratio(l.value("parse", "us/profile", variant="protobuf reused", **CPU),
                                                                     l.value("parse", "us/profile", variant="hearth", **CPU)), at_most=False),
    Row("T2", "gunzip and parse of a 28 KB body", 160, "µs", lambda l: total(
        l, ("gunzip", "us/profile", {"variant": "libdeflate", **CPU}), ("parse", "us/profile", {"variant": "hearth", **CPU})), seconds=1e-6),
    Row("T3", "dictionary: all known, 800 services in turn", 70, "µs/profile",
        named("dedup/services-800", "us/profile", variant="hearth", **CPU), seconds=1e-6),
    Row("T3", "the same, beside one service", 1.5, "×", lambda l: ratio(l.value("dedup/services-800", "us/profile", variant="hearth", **CPU),
                                                                        l.value("dedup/services-1", "us/profile", variant="hearth", **CPU))),
    Row("T3", "dictionary: new stacks from an empty one on", 175, "µs/profile",
        named("dedup/novel", "us/profile", variant="hearth", **CPU), seconds=1e-6),
    Row("T4", "body to durable ack, 200 services, 28 KB", 2700, "profiles/CPU-s",
        named("ingest/in-process", "profiles/CPU-s", services=200, **CPU), at_most=False, seconds="rate"),
    Row("T4", "body to durable ack, heap profiles, 113 KB", 780, "profiles/CPU-s",
        named("ingest/in-process", "profiles/CPU-s", services=1, **HEAP), at_most=False, seconds="rate"),
    Row("T5", "HTTP end to end with its load, one service", 6000, "profiles/s",
        named("ingest/http", "profiles/s", services=1, **CPU), at_most=False, seconds="rate"),
    Row("T5", "HTTP end to end with its load, 200 services", 4000, "profiles/s",
        named("ingest/http", "profiles/s", services=200, **CPU), at_most=False, seconds="rate"),
    Row("T6", "10,000 services, a profile each 10 s: of all processors", 50, "%", named("rss-10k-services/paced", "% of all processors")),
    Row("T6", "… peak resident memory", 8192, "MiB", named("rss-10k-services/paced", "MiB peak RSS")),
    Row("T6", "… refused", 0, "profiles", named("rss-10k-services/paced", "refused")),
    Row("T7", "2 KB requests, 64 writers", 12000, "requests/s", named("head/small", "requests/s", writers=64), at_most=False, seconds="rate"),
    Row("T7", "ack p99 at 3,000/s, in fdatasyncs (p50 of the run)", 20, "×", named("head/small", "ack p99 / fdatasync p50")),
    Row("T8", "CPU profile in a sealed hour, N = 228", 1100, "B", curve(228, CPU)),
    Row("T8", "… N = 1,000", 750, "B", curve(1000, CPU)),
    Row("T8", "… N = 10,000", 590, "B", curve(10000, CPU)),
    Row("T9", "Go heap profile (113 KB gzip), N = 40", 1700, "B", curve(40, HEAP)),
    Row("T10", "symbols saved against profiles alone, N = 228", 95, "%", lambda l: saved(l, 228), at_most=False),
    Row("T10", "… N = 1,000", 98, "%", lambda l: saved(l, 1000), at_most=False),
    Row("T11", "1,000 profiles to JSON of 16,384 nodes, cold", 7, "ms", named("query/merge-1k", "ms", variant="cold, to JSON"), seconds=1e-3),
    Row("T11", "… symbols decoded before", 4, "ms", named("query/merge-1k", "ms", variant="warm, to JSON"), seconds=1e-3),
    Row("T12", "10,000 profiles to JSON, cold", 32, "ms", named("query/merge-10k", "ms", variant="cold, to JSON"), seconds=1e-3),
    Row("T12", "… symbols decoded before", 20, "ms", named("query/merge-10k", "ms", variant="warm, to JSON"), seconds=1e-3),
    Row("T13", "228 profiles of a compacted hour, beside `go tool pprof`", 400, "×", named("merge-files", "x", variant="go tool pprof / hearth"), at_most=False),
    Row("", "… sealed a moment ago, from rows", None, "×", named("merge-files", "x", variant="go tool pprof / hearth from rows"), at_most=False),
    Row("T14", "24 h of 1 pod from rollups of hours", 15, "ms", pods("24 h, cold", "ms on cpu", "hours", 1), seconds=1e-3),
    Row("T14", "24 h of 1 pod from rows", 60, "ms", pods("24 h, rows, cold", "ms on cpu", "hours", 1), seconds=1e-3),
    Row("T14", "24 h of 100 pods, hours", 150, "ms", pods("24 h, cold", "ms on cpu", "hours", 100), seconds=1e-3),
    Row("T14", "24 h of 100 pods, a day segment", 25, "ms", pods("24 h, cold", "ms on cpu", "day", 100), seconds=1e-3),
    Row("T15", "series of 24 h × 100 pods", 5, "ms", pods("series 24 h, 60 s, warm", "ms on cpu", "day", 100), seconds=1e-3),
    Row("T16", "query p99 under half the ingest rate, beside idle", 3, "×", named("query/under-ingest", "p99 under ingest / idle")),
    Row("T17", "GETs for 1 h × 1 service, nothing cached", 3, "GETs", pods("s3 1 h, nothing cached", "GETs", "hours", 1)),
    Row("T17", "GETs for 24 h, directories known", 24, "GETs", pods("s3 24 h, directories known", "GETs", "hours", 1)),
    Row("T17", "GETs for 1 h × 1 service, directories known", 1, "GETs", pods("s3 1 h, directories known", "GETs", "hours", 1)),
    Row("T17", "GETs for 24 h, a day segment, directories known", 1, "GETs", pods("s3 24 h, directories known", "GETs", "day", 1)),
    Row("T18", "sealing and compaction, all levels", 100, "µs/profile", named("life", "seal + compaction CPU us/profile"), seconds=1e-6),
    Row("T19", "idle, resident", 24, "MiB", named("idle", "MiB RSS")),
    Row("T19", "ready on an empty directory", 150, "ms", named("idle", "ms to ready", directory="empty"), seconds=1e-3),
    Row("T19", "stop", 1000, "ms", named("idle", "ms to stop"), seconds=1e-3),
    Row("T19", "recovery of unsealed rows, cold page cache", 250, "MB/s", named("recover", "MB/s of head rows"), at_most=False),
    Row("T20", "bytes to the disk per byte kept", 6, "×", named("life", "bytes written / bytes kept")),
]


def number(value):
    if value is None:
        return "–"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def calibrated(row, value, mb_s):
    """The time behind a value as a multiple of what the calibration loop takes for a megabyte."""
    if value is None or row.seconds is None or not mb_s:
        return ""
    seconds = 1 / value if row.seconds == "rate" else value * row.seconds
    return f"{seconds * mb_s:.3g}"


def table(lines):
    low, middle, high = lines.calibration()
    out = ["| | | target | measured | met | calibration |", "| --- | --- | --- | --- | --- | --- |"]
    for row in ROWS:
        value = row.measured(lines)
        met = "" if value is None or row.want is None else "yes" if (value <= row.want if row.at_most else value >= row.want) else "**no**"
        sign = "≤" if row.at_most else "≥"
        want = "" if row.want is None else f"{sign} {number(row.want)} {row.unit}"
        measured = "not measured" if value is None else f"{number(value)} {row.unit}"
        out.append(f"| {row.target} | {row.what} | {want} | {measured} | {met} | {calibrated(row, value, middle)} |")
    machine = lines.machine()
    out.append("")
    out.append(f"{machine.get('cpu', 'unknown processor')}, {machine.get('cores', '?')} cores, Linux {machine.get('kernel', '?')}, compiler "
               f"{machine.get('compiler', '?')}, {machine.get('build', '?')}. Calibration loop: {middle:.0f} MB/s, between {low:.0f} and {high:.0f} "
               f"during the run{BUSY if high > 1.25 * low else ''}. {datetime.date.today().isoformat()}.")
    return "\n".join(out)


BUSY = ": **other programs ran at the same time**, which lowers every rate and raises every time"


def measure(bench, load_seconds, keep):
    """Runs everything; lines go to `keep`, too, as they come."""
    listed = subprocess.run([bench, "--list"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    lines = []
    for run in RUNS:
        if not any(name.startswith(run[-1]) for name in listed):
            print(f"{' '.join(run)}: this program has no such benchmark", file=sys.stderr)
            continue
        begin = time.monotonic()
        done = subprocess.run([bench, "--load-seconds", str(load_seconds), *run], stdout=subprocess.PIPE, text=True)
        lines += done.stdout.splitlines()
        if keep:
            keep.write(done.stdout)
            keep.flush()
        print(f"{time.monotonic() - begin:6.1f} s  {' '.join(run)}{'' if done.returncode == 0 else ': FAILED'}", file=sys.stderr, flush=True)
    return lines


def update(page, text):
    old = page.read_text()
    before, rest = old.split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=pathlib.Path, help="lines that were kept")
    parser.add_argument("--bench", help="hearth_bench, to measure now")
    parser.add_argument("--load-seconds", type=int, default=60)
    parser.add_argument("--keep", type=pathlib.Path, help="where the lines of this run go")
    parser.add_argument("--update", type=pathlib.Path, help="page whose table is replaced")
    args = parser.parse_args()
    if bool(args.bench) == bool(args.files):
        parser.error("either --bench or files")
    if args.bench:
        keep = args.keep.open("w") if args.keep else None
        lines = measure(args.bench, args.load_seconds, keep)
    else:
        lines = [line for path in args.files for line in path.read_text().splitlines()]
    text = table(Lines(lines))
    if args.update:
        update(args.update, text)
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
