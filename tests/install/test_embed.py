#!/usr/bin/env python3
"""Builds and runs examples/embed outside the tree, against files that `meson install` puts into a temporary root: with pkg-config
and the example's Makefile, and with CMake where there is one.

  tests/install/test_embed.py --build build-test
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def run(command, **kwargs):
    """Output of a command that must succeed."""
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, **kwargs)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}")
    return done.stdout


def install(build, into):
    """Installs what developers need; returns the prefix below `into`."""
    run(["meson", "install", "-C", build, "--no-rebuild", "--tags", "devel", "--destdir", into])
    found = list(into.rglob("hearth.pc"))
    assert len(found) == 1, f"installed {len(found)} files hearth.pc; want 1"
    named = re.search(r"^prefix=(.*)$", found[0].read_text(), re.M).group(1)
    return into / named.lstrip("/"), found[0].parent


def check_headers(prefix):
    """Each public header compiles alone and includes nothing that is not installed."""
    headers = sorted((prefix / "include" / "hearth").glob("*.h"))
    want = sorted(p.name for p in (ROOT / "include" / "hearth").glob("*.h"))
    assert [h.name for h in headers] == want, f"installed headers: {[h.name for h in headers]}; want {want}"
    compiler = os.environ.get("CXX", "c++")
    for header in headers:
        run([compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", prefix / "include", "-x", "c++", "-"],
            input=f"#include <hearth/{header.name}>\n")


def check_program(program, data):
    output = run([program, data])
    for want in ("process_cpu:samples:count::, 6 profiles", "100.00 %", "  layout", "last minute, sums of 10 s: ", "sealed 6 profiles"):
        assert want in output, f"want {want!r} in what {program} printed:\n{output}"
    # What was sealed is there when the directory is opened again, beside a pprof file.
    profile = ROOT / "tests" / "e2e" / "profiles" / "go-compress-cpu.pb.gz"
    output = run([program, data, profile])
    for want in ("process_cpu:samples:count::, 6 profiles", "process_cpu:cpu:nanoseconds:cpu:nanoseconds, 1 profiles", "sealed 1 profiles"):
        assert want in output, f"want {want!r} in what {program} printed:\n{output}"


def with_pkg_config(source, prefix, pkgconfig, data):
    """By the example's Makefile, or, where there is no make, by what stands in it."""
    env = {**os.environ, "PKG_CONFIG_PATH": str(pkgconfig)}
    pkg_config = ["pkg-config", f"--define-variable=prefix={prefix}"]
    flags = ["-O0", "-Wall", "-Wextra", "-Werror"]
    if shutil.which("make"):
        run(["make", "-C", source, "CXXFLAGS=" + " ".join(flags), "PKG_CONFIG=" + " ".join(pkg_config)], env=env)
    else:
        cflags, libs = (run([*pkg_config, what, "hearth"], env=env).split() for what in ("--cflags", "--libs"))
        run(["c++", "-std=c++20", *flags, *cflags, source / "flame.cc", "-o", source / "flame", *libs])
    check_program(source / "flame", data)


def with_cmake(source, prefix, data):
    build = source / "build"
    run(["cmake", "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}"])
    run(["cmake", "--build", build])
    check_program(build / "flame", data)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    args = parser.parse_args()
    if not (pathlib.Path(args.build) / "src" / "library" / "libhearth.a").exists():
        print("0 passed, 0 failed, 1 skipped")
        return 0
    with tempfile.TemporaryDirectory(prefix="hearth-embed-") as name:
        work = pathlib.Path(name)
        prefix, pkgconfig = install(args.build, work / "root")
        source = work / "embed"
        shutil.copytree(ROOT / "examples" / "embed", source)
        checks = [("headers", lambda: check_headers(prefix)),
                  ("pkg-config", lambda: with_pkg_config(source, prefix, pkgconfig, work / "data-pkg-config"))]
        if shutil.which("cmake"):
            checks.append(("cmake", lambda: with_cmake(source, prefix, work / "data-cmake")))
        failed = 0
        for what, check in checks:
            try:
                check()
                print(f"ok    {what}")
            except AssertionError as error:
                failed += 1
                print(f"FAIL  {what}: {error}")
    print(f"{len(checks) - failed} passed, {failed} failed, {3 - len(checks)} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
