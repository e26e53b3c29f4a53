#!/usr/bin/env python3
"""Runs the shell lines of README.md and docs/http_api.md that a reader would type. A block with the comment `<!-- tested -->` above it
is one; it runs as it stands, but for the address, against a fresh server with a CPU profile cpu.pb.gz in the current folder."""
import gzip
import http.server
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support import pprof, runner, server  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^<!-- tested -->\n```sh\n(.*?)^```$", re.M | re.S)
PROFILE = gzip.compress(pprof.build({("main.main", "main.work"): 7, ("main.main", "main.idle"): 3}, time_ns=time.time_ns() - 10**9))


class GoProgram(http.server.BaseHTTPRequestHandler):
    """Stands in for the reader's program with net/http/pprof on port 6060."""

    def do_GET(self):
        self.send_response(200 if self.path.startswith("/debug/pprof/profile") else 404)
        self.send_header("Content-Length", str(len(PROFILE)))
        self.end_headers()
        self.wfile.write(PROFILE)

    def log_message(self, *_):
        pass


def run_blocks(args, page, target):
    """{first line of a block: its output}."""
    if not shutil.which("curl"):
        raise runner.Skip("needs curl")
    with http.server.HTTPServer(("127.0.0.1", 0), GoProgram) as program, tempfile.TemporaryDirectory(prefix="hearth-docs-") as folder:
        threading.Thread(target=program.serve_forever, daemon=True).start()
        folder = pathlib.Path(folder)
        (folder / "cpu.pb.gz").write_bytes(PROFILE)
        (folder / "build").mkdir()
        (folder / "build" / "hearth").symlink_to(pathlib.Path(args.hearth).resolve())
        outputs = {}
        for block in BLOCK.findall((ROOT / page).read_text()):
            text = re.sub(r"(127\.0\.0\.1|localhost):4040", f"127.0.0.1:{target.port}", block)
            text = text.replace("localhost:6060", f"127.0.0.1:{program.server_address[1]}")
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=folder, capture_output=True, text=True, timeout=60,
                                  env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HEARTH_URL": f"http://127.0.0.1:{target.port}"})
            assert done.returncode == 0, f"{page}: exit {done.returncode}\n{block}\n{done.stdout}\n{done.stderr}"
            outputs[block.splitlines()[0]] = done.stdout
        program.shutdown()
    return outputs


def output_of(outputs, word):
    (found,) = [out for first, out in outputs.items() if word in first]
    return found


def services(target):
    now = int(time.time() * 1000)
    return target.rpc("LabelValues", {"name": "service_name", "start": str(now - 3_600_000), "end": str(now + 3_600_000)}).get("names", [])


def test_the_lines_of_the_readme_do_what_it_says(args):
    with server.Server(args.hearth) as target:
        outputs = run_blocks(args, "README.md", target)
        assert services(target) == ["my-app"]
        printed = output_of(outputs, "hearth push")
        assert "stored as my-app" in printed and "main.work" in printed, printed
    return f"{len(outputs)} blocks"


def test_the_lines_of_the_http_api_do_what_it_says(args):
    with server.Server(args.hearth) as target:
        outputs = run_blocks(args, "docs/http_api.md", target)
        assert services(target) == ["checkout", "shop"]
        assert '"main.work"' in output_of(outputs, "now=")
        assert '"main.work"' in output_of(outputs, "pyroscope/render")
        assert '"sealed_profiles"' in output_of(outputs, "/ready")
    return f"{len(outputs)} blocks"


def test_no_shell_line_is_forgotten(args):
    """Every curl and every `build/hearth` command of the two pages stands in a block that is run."""
    for page, untested in [("README.md", 2), ("docs/http_api.md", 0)]:
        text = (ROOT / page).read_text()
        blocks = re.findall(r"^```\w*\n(?:.*?\n)?```$", text, re.M | re.S)
        shell = [b for b in blocks if re.search(r"^(curl|build/hearth|\./dev|docker|git|printf|now=)", b, re.M)]
        assert len(shell) == len(BLOCK.findall(text)) + untested, page


if __name__ == "__main__":
    runner.run(globals())
