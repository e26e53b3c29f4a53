#!/usr/bin/env python3
"""Runs every test of the tree and prints one table, then `N passed, N failed` as the last line.

  tests/run.py --build build-test [--hearth build/hearth] [--long] [--only NAME…]

Stages: tidy (source rules), meson (unit, property, golden, fault and fuzz-corpus programs), embed (a program outside the tree, on
the installed library), e2e (scripts under tests/e2e on the real binary), web (type check, unit tests, size gate), browser (Playwright
in headless Chromium). --long adds sanitizer builds and more crash rounds; docs/hacking.md has the table.
"""
import argparse
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


@dataclasses.dataclass
class Stage:
    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0
    note: str = ""


def run(command, cwd=ROOT, env=None, timeout=3600):
    """Runs and streams nothing; returns (exit code, output)."""
    try:
        done = subprocess.run([str(c) for c in command], cwd=cwd, env=env, timeout=timeout, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace")
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as expired:
        output = expired.stdout or ""
        if isinstance(output, bytes):
            output = output.decode(errors="replace")
        return 124, output + f"\ntimed out after {timeout} s"


def counts(output):
    """The last `N passed, N failed[, N skipped]` line of a script's output, or the closing lines of Node's test runner."""
    found = re.findall(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", output, re.M)
    if found:
        return tuple(int(x or 0) for x in found[-1])
    node = dict(re.findall(r"^(?:#|\u2139) (pass|fail|skipped) (\d+)$", output, re.M))
    return tuple(int(node.get(k, 0)) for k in ("pass", "fail", "skipped")) if node else None


def show_failure(stage, output, lines=60):
    print(f"---- {stage} failed; the end of its output:", flush=True)
    print("\n".join(output.splitlines()[-lines:]), flush=True)


def script_stage(name, command, **kwargs):
    stage = Stage(name)
    code, output = run(command, **kwargs)
    found = counts(output)
    if found:
        stage.passed, stage.failed, stage.skipped = found
        if code != 0 and stage.failed == 0:
            stage.failed, stage.note = 1, f"exit {code}"
    else:
        stage.passed, stage.failed = (1, 0) if code == 0 else (0, 1)
    if stage.failed:
        show_failure(name, output)
    return stage


def meson_stage(build, name="meson", env=None, extra=()):
    stage = Stage(name)
    log = ROOT / build / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    _, output = run(["meson", "test", "-C", build, "--no-rebuild", *extra], env=env)
    if not log.exists():
        stage.failed, stage.note = 1, "meson test wrote no log"
        show_failure(name, output)
        return stage
    for line in log.read_text().splitlines():
        test = json.loads(line)
        if test["result"] in ("OK", "EXPECTEDFAIL"):
            stage.passed += 1
        elif test["result"] == "SKIP":
            stage.skipped += 1
        else:
            stage.failed += 1
            show_failure(f"{name}: {test['name']} ({test['result']})", test.get("stdout", "") + test.get("stderr", ""))
    return stage


# What a sanitizer run covers. Memory: everything that decodes, stores or merges. Threads: what is used by several of them; a decoder
# under TSan takes minutes and can find nothing.
SANITIZED = {
    "asan": re.compile(r"^(unit-(base|model|symbols|formats|objstore|storage|query|ingest)|property|fault|fuzz)"),
    "tsan": re.compile(r"^(unit-(base|symbols|objstore|storage|storage-compaction|storage-remote|query|ingest|net|server)"
                       r"|property-(dictionary|store|query-brute-force|page-query)|fault.*)$"),
    "clang": re.compile(""),
    # As released: without the standard library's checks in the core, which reads bytes that may be damaged.
    "o2": re.compile(r"^(unit-(symbols|storage-segment|storage-compaction)|property-(segment|row-forms|merge)"
                     r"|fuzz-(segment|snapshot|symbol_delta))"),
}


def sanitizer_stage(kind, compiler=None):
    """Configures, builds and runs the core libraries' tests under one sanitizer (`clang`: without, by the other compiler; `o2`: as released)."""
    build = f"build-{kind}"
    flags = {"asan": ["-Db_sanitize=address,undefined"], "tsan": ["-Db_sanitize=thread"], "clang": [], "o2": []}[kind]
    env = dict(os.environ, **({"CXX": compiler, "CC": compiler.replace("++", "")} if compiler else {}))
    # Line tables are all that a sanitizer's report needs; full debug information takes 40 % more compile time here.
    setup = ["meson", "setup", build, "-Dbuildtype=plain", f"-Doptimization={2 if kind == 'o2' else 1}", "-Dcpp_args=-g1", "-Dweb=disabled",
             "-Dbenchmarks=false", "-Db_lundef=false", *flags]
    if not (ROOT / build / "build.ninja").exists():
        code, output = run(setup, env=env)
        if code != 0:
            show_failure(kind, output)
            return Stage(kind, failed=1, note="meson setup")
    _, listed = run(["meson", "introspect", "--tests", build])
    tests = [t for t in json.loads(listed) if SANITIZED[kind].match(t["name"])]
    targets = sorted({str(pathlib.Path(t["cmd"][0]).relative_to((ROOT / build).resolve())) for t in tests})
    code, output = run(["ninja", "-C", build, *targets], env=env)
    if code != 0:
        show_failure(kind, output)
        return Stage(kind, failed=1, note="build")
    env["ASAN_OPTIONS"] = "detect_leaks=1:strict_string_checks=1"
    env["UBSAN_OPTIONS"] = "print_stacktrace=1:halt_on_error=1"
    # A push locks each of its services; TSan's search for deadlocks gives up at 64 locks of a thread.
    env["TSAN_OPTIONS"] = f"detect_deadlocks=0:suppressions={ROOT / 'tests' / 'tsan.supp'}"
    return meson_stage(build, kind, env=env, extra=["--timeout-multiplier", "5", *[t["name"] for t in tests]])


def e2e_stages(args):
    for script in sorted((ROOT / "tests" / "e2e").glob("test_*.py")):
        command = [sys.executable, script, "--hearth", args.hearth, "--test-hearth", args.test_hearth]
        yield "e2e-" + script.stem[5:], lambda c=command: script_stage("e2e-" + pathlib.Path(c[1]).stem[5:], c + (["--long"] if args.long else []))


def web_copy(build):
    """The page's folder and its golden files in the build folder, with the packages that the build installed there."""
    packages = (ROOT / build / "web" / "page" / "node_modules").resolve()
    if not packages.is_dir():
        return None
    copy = ROOT / build / "web-check"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(ROOT / "web", copy / "web", ignore=shutil.ignore_patterns("node_modules", "dist"))
    shutil.copytree(ROOT / "tests" / "golden" / "tree", copy / "tests" / "golden" / "tree")
    (copy / "web" / "node_modules").symlink_to(packages)
    return copy / "web"


def web_stages(args):
    work = web_copy(args.build)
    if work is None:
        return
    yield "web", lambda: script_stage("web", ["npm", "run", "--silent", "check"], cwd=work)
    if not (shutil.which("chromium") or shutil.which("chromium-browser")):
        yield "browser", lambda: Stage("browser", skipped=1, note="needs Chromium")
        return
    yield "browser", lambda: script_stage("browser", ["node", work / "e2e" / "run.mjs", "--hearth", pathlib.Path(args.hearth).resolve()], cwd=work)


def stages(args):
    yield "tidy", lambda: script_stage("tidy", [sys.executable, ".ci/tidy.py"])
    yield "tidy-self", lambda: script_stage("tidy-self", [sys.executable, ".ci/tidy.py", "--self-test"])
    yield "meson", lambda: meson_stage(args.build)
    yield "embed", lambda: script_stage("embed", [sys.executable, "tests/install/test_embed.py", "--build", args.build])
    yield from e2e_stages(args)
    yield from web_stages(args)
    sanitizers = ["asan", "tsan", "o2"] if args.long else args.sanitizer
    for kind in sanitizers:
        yield kind, lambda k=kind: sanitizer_stage(k)
    if args.long:
        yield "clang", lambda: sanitizer_stage("clang", "clang++-19")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build-test")
    parser.add_argument("--hearth", help="binary for e2e and browser tests; default: the one of --build, which has kill points")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--sanitizer", action="append", default=[], choices=["asan", "tsan", "clang", "o2"])
    parser.add_argument("--only", nargs="*", help="run only the stages with these names")
    args = parser.parse_args()
    args.test_hearth = str(ROOT / args.build / "src" / "cli" / "hearth")
    args.hearth = args.hearth or args.test_hearth
    done = []
    for name, work in stages(args):
        if args.only and name not in args.only:
            continue
        begin = time.monotonic()
        stage = work()
        stage.seconds = time.monotonic() - begin
        done.append(stage)
        state = "FAIL" if stage.failed else "skip" if not stage.passed else "ok"
        print(f"{state:4}  {stage.name:18} {stage.seconds:7.1f} s  {stage.passed} passed, {stage.failed} failed, {stage.skipped} skipped"
              f"{'  (' + stage.note + ')' if stage.note else ''} ", flush=True)
    passed, failed, skipped = (sum(getattr(s, k) for s in done) for k in ("passed", "failed", "skipped"))
    print(f"total {sum(s.seconds for s in done):.0f} s")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
