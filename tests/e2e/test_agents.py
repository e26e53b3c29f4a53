#!/usr/bin/env python3
"""Real agents: a Go program under the Pyroscope Go SDK, a Python program under pyroscope-io, curl, and `hearth push`. What each sent
is read by another decoder and summed; hearth's flame graphs must have the same totals. Needs Go, curl, and the module and package
registries (or their caches); skipped without."""
import collections
import email
import gzip
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support import go_pprof, pprof, proxy, runner, server  # noqa: E402

AGENTS = pathlib.Path(__file__).parent / "agents"
WORK = tempfile.TemporaryDirectory(prefix="hearth-agents-")
NO_NETWORK = re.compile(r"dial tcp|no such host|i/o timeout|module lookup disabled|proxyconnect|from versions: none|connection|temporary failure",
                        re.I)
SDK_SECONDS = 5  # Two upload intervals and a part of a third, which the end of the agent sends.


def download(command, what, **kwargs):
    """Runs a command that may load packages. Skips the test when the registry is out of reach, fails when anything else is wrong."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=240, **kwargs)
    output = done.stdout + done.stderr
    if done.returncode and NO_NETWORK.search(output):
        raise runner.Skip(f"{what} cannot be loaded: {output.strip().splitlines()[-1][:200]}")
    assert done.returncode == 0, f"{what}: {output[-2000:]}"


def go_agent():
    """The Go program, built once."""
    binary = pathlib.Path(WORK.name) / "go-agent"
    if not shutil.which("go"):
        raise runner.Skip("needs the Go toolchain")
    if not binary.exists():
        download(["go", "build", "-o", binary, "."], "the Pyroscope Go SDK", cwd=AGENTS / "go")
    return binary


def python_with_agent():
    """An interpreter that can import pyroscope, in an environment of its own."""
    folder = pathlib.Path(WORK.name) / "python"
    made = subprocess.run([sys.executable, "-m", "venv", folder], capture_output=True, text=True)
    if made.returncode:
        raise runner.Skip(f"needs Python's venv module: {(made.stdout + made.stderr).strip()[-200:]}")
    download([folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "pyroscope-io"], "pyroscope-io")
    return folder / "bin" / "python"


class GoAgent:
    """The running Go program; `errors` is what it wrote to standard error, known after the end."""

    def __init__(self, url, name):
        self.process = subprocess.Popen([go_agent(), url, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.pages = self.process.stdout.readline().strip()
        self.errors = ""

    def stop_sdk(self):
        """Sends what is left. The CPU profiler is then free for net/http/pprof."""
        self.process.stdin.write("stop\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "stopped\n"

    def fetch(self, page, file):
        with urllib.request.urlopen(self.pages + page, timeout=30) as answer:
            file.write_bytes(answer.read())
        return file

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.errors = self.process.communicate(timeout=10)[1]
        finally:
            self.process.kill()
            self.process.wait()


# --- what was sent

def sent_profiles(exchange):
    """[(pprof bytes, sample_type_config)] of one recorded request."""
    body = gzip.decompress(exchange.body) if exchange.headers.get("Content-Encoding") == "gzip" else exchange.body
    if exchange.path.startswith("/push.v1.PusherService/Push"):
        samples = [s for n, series in pprof.fields(body) if n == 1 for m, s in pprof.fields(series) if m == 2]
        return [(raw, {}) for s in samples for n, raw in pprof.fields(s) if n == 1]
    head = f"Content-Type: {exchange.headers['Content-Type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + body)
    parts = {p.get_param("name", header="content-disposition"): p.get_payload(decode=True) for p in message.get_payload()}
    return [(parts["profile"], json.loads(parts.get("sample_type_config", b"{}")))]


def family(config, types):
    """Mutex and block profiles have the same sample types; the SDK tells them apart by the display name."""
    name = config.get("contentions", {}).get("display-name", "")
    return name.removesuffix("_count") if "contentions" in [t for t, _ in types] else ""


def sent_totals(exchanges):
    """{(family, type, unit): total} over all profiles sent. A sample without a stack has no place in a flame graph."""
    totals = collections.Counter()
    for exchange in exchanges:
        for raw, config in sent_profiles(exchange):
            profile = pprof.Profile(raw)
            kept = [values for locations, values, _ in profile.samples if locations and min(values) >= 0]
            for i, (kind, unit) in enumerate(profile.types):
                totals[family(config, profile.types), kind, unit] += sum(values[i] for values in kept)
    return {key: total for key, total in totals.items() if total}


# --- what is stored

def span():
    return {"start": "1000", "end": str(int(time.time() * 1000) + 86_400_000)}


def stored_totals(target, service):
    """The same of all profile types that hearth shows for the service."""
    totals = {}
    for kind in target.rpc("ProfileTypes", span()).get("profileTypes", []):
        answer = target.rpc("SelectMergeStacktraces", {"profileTypeID": kind["ID"], "labelSelector": '{service_name="%s"}' % service, **span()})
        if total := server.flame_total(answer):
            name = kind["name"] if kind["name"] in ("mutex", "block") else ""
            totals[name, kind["sampleType"], kind["sampleUnit"]] = total
    return totals


def label_values(target, name):
    return target.rpc("LabelValues", {"name": name, **span()}).get("names", [])


def check_agent(target, recorder, service, want_types):
    refused = [e for e in recorder.exchanges if e.status != 200]
    assert not refused, [(e.path, e.status, e.answer) for e in refused[:3]]
    want = sent_totals(recorder.exchanges)
    assert want_types <= {kind for _, kind, _ in want}, sorted(want)
    assert service in label_values(target, "service_name")
    for state in ("in the head", "sealed"):
        got = stored_totals(target, service)
        assert got == want, f"{state}: {got}\nwant {want}"
        target.seal()
    return want


def test_the_go_sdk_sends_what_the_flame_graphs_hold(args):
    go_agent()
    with server.Server(args.hearth) as target, proxy.RecordingProxy(target.port) as recorder:
        with GoAgent(recorder.url, "go-sdk") as agent:
            time.sleep(SDK_SECONDS)
            agent.stop_sdk()
        assert agent.errors == "", agent.errors
        want = check_agent(target, recorder, "go-sdk", {"cpu", "samples", "alloc_objects", "alloc_space", "inuse_objects", "inuse_space",
                                                        "goroutine", "contentions", "delay"})
        assert {"mutex", "block"} <= {name for name, _, _ in want}, sorted(want)
        assert label_values(target, "region") == ["eu"], "labels of pprof.Do are labels of series"
        assert label_values(target, "env") == ["test"], "tags are labels of series"
    return f"{len(recorder.exchanges)} requests, {len(want)} totals, twice"


def test_the_python_agent_sends_what_the_flame_graphs_hold(args):
    python = python_with_agent()
    with server.Server(args.hearth) as target, proxy.RecordingProxy(target.port) as recorder:
        done = subprocess.run([python, AGENTS / "python" / "agent.py", recorder.url, "python-agent", str(SDK_SECONDS)],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        complaints = [line for line in done.stderr.splitlines() if re.match(r"(ERROR|WARNING|CRITICAL|Traceback)", line)]
        assert not complaints, complaints
        want = check_agent(target, recorder, "python-agent", {"cpu"})
    return f"{len(recorder.exchanges)} requests, {len(want)} totals, twice"


def test_files_of_a_running_go_program_by_curl_and_hearth_push(args):
    if not shutil.which("curl"):
        raise runner.Skip("needs curl")
    with server.Server(args.hearth) as target, GoAgent(f"http://127.0.0.1:{target.port}", "host") as agent:
        agent.stop_sdk()
        url = f"http://127.0.0.1:{target.port}"
        folder = pathlib.Path(WORK.name)
        files = {kind: agent.fetch(page, folder / f"{kind}.pb.gz") for kind, page in [
            ("cpu", "profile?seconds=2"), ("heap", "heap"), ("allocs", "allocs"), ("goroutine", "goroutine"), ("mutex", "mutex"),
            ("block", "block")]}
        for kind, file in files.items():
            if kind == "cpu":
                ingest = f"{url}/ingest?{urllib.parse.urlencode({'name': 'file-cpu'})}"
                subprocess.run(["curl", "-fsS", "--data-binary", f"@{file}", ingest], check=True, capture_output=True)
            else:
                subprocess.run([args.hearth, "push", "--url", url, "--name", f"file-{kind}", file], check=True, capture_output=True)
        assert {f"file-{kind}" for kind in files} <= set(label_values(target, "service_name"))
        compared = sum(check_file(args, target, kind, file) for kind, file in files.items())
    return f"{len(files)} files, {compared} types as go tool pprof reads them"


def check_file(args, target, kind, file):
    """Each type of the file: same total and same functions as `go tool pprof` sees in the file itself. A sample without a stack (a
    goroutine that has just been made) is in no flame graph."""
    stored = stored_totals(target, f"file-{kind}")
    sent = pprof.Profile(file.read_bytes())
    for i, (name, unit) in enumerate(sent.types):
        got = next((total for (_, n, u), total in stored.items() if (n, u) == (name, unit)), 0)
        want = go_pprof.total(file, name, unit) - sum(values[i] for locations, values, _ in sent.samples if not locations)
        assert got == want, f"{kind} {name}: got {got}; want {want}"
    shown = target.rpc("ProfileTypes", span())["profileTypes"]
    name, unit = sent.types[-1]
    for profile_type in [t["ID"] for t in shown if (t["sampleType"], t["sampleUnit"]) == (name, unit)]:
        answer = file.with_suffix(".answer")
        subprocess.run([args.hearth, "query", profile_type + '{service_name="file-%s"}' % kind, "--url", f"http://127.0.0.1:{target.port}",
                        "--from", "1", "--until", "now+1d", "--format", "pprof", "--output", answer], check=True, capture_output=True)
        if pprof.Profile(answer.read_bytes()).samples:
            check_functions(go_pprof.top(answer, nodes=10_000), go_pprof.top(file, name, nodes=10_000), f"{kind} {name}")
    return len(sent.types)


def check_functions(got, want, what):
    """Instances of a generic function are one in hearth; every other function has the same flat and cumulative value."""
    plain = {row for row in want if "[go.shape." not in row[2]}
    missing = plain - set(got)
    assert plain and not missing, f"{what}: {sorted(missing)[:5]}"


if __name__ == "__main__":
    runner.run(globals())
