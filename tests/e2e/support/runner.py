"""A test script is functions named test_*; run(globals()) calls them in order and prints `N passed, N failed`."""
import argparse
import sys
import time
import traceback


class Skip(Exception):
    """Raised by a test that the machine cannot run; the text says what it needs."""


def run(namespace):
    parser = argparse.ArgumentParser()
    parser.add_argument("--hearth", default="build/hearth", help="release binary")
    parser.add_argument("--test-hearth", default="build-test/src/cli/hearth", help="binary with kill points")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("names", nargs="*", help="tests to run; all by default")
    args = parser.parse_args()
    passed = failed = skipped = 0
    for name, test in [(n, f) for n, f in namespace.items() if n.startswith("test_") and callable(f)]:
        if args.names and name not in args.names:
            continue
        begin = time.monotonic()
        try:
            note = test(args) or ""
            passed += 1
            print(f"ok    {name} ({time.monotonic() - begin:.1f} s) {note}", flush=True)
        except Skip as reason:
            skipped += 1
            print(f"skip  {name}: {reason}", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL  {name} (seed {args.seed})\n{traceback.format_exc()}", flush=True)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(1 if failed else 0)
