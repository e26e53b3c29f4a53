"""A small service under pyroscope-io, for tests/e2e/test_agents.py: agent.py URL NAME SECONDS. Logs to standard error."""
import logging
import sys
import time

import pyroscope


def spin():
    return sum(i * i for i in range(20_000))


def work(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        spin()


def main():
    url, name, seconds = sys.argv[1:]
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")
    pyroscope.configure(application_name=name, server_address=url, tags={"env": "test"}, upload_interval=2, enable_logging=True)
    work(float(seconds))
    pyroscope.shutdown()


if __name__ == "__main__":
    main()
