#!/usr/bin/env python3
"""The format page is enough to read a segment: examples/segment_reader.py, written from it, says of a segment's stacks what the
server says that wrote it."""
import importlib.util
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support import pprof, runner, server  # noqa: E402
from test_profiles import FILES, types_of, wide_range  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("segment_reader", ROOT / "examples" / "segment_reader.py")
reader = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reader)


def flame_stacks(target, service, kind):
    """Self value per path, as the server's flame graph has it."""
    flame = target.rpc("SelectMergeStacktraces", {"profileTypeID": kind, "labelSelector": '{service_name="%s"}' % service,
                                                  "maxNodes": "0", **wide_range()})
    return {path: self_value for path, (_, self_value) in server.flame_nodes(flame).items() if self_value}


def folded_stacks(data, dataset, sample_type):
    stacks = reader.folded(data, dataset, sample_type)
    return {";".join(path): value for path, value in stacks.items() if path and value}


def test_the_reader_reads_what_the_server_sealed(args):
    checked = 0
    with server.Server(args.hearth) as target:
        for path in FILES:
            for _ in range(2):  # The second profile of a service is stored as changes, where that pays.
                status, _, body = target.ingest(path.read_bytes(), name=path.name)
                assert status == 200, (path.name, status, body)
        target.seal()
        for segment in pathlib.Path(target.data).glob("bucket/**/*.seg"):
            data = segment.read_bytes()
            for dataset in reader.directory(data):
                profile = pprof.Profile((FILES[0].parent / dataset["service"]).read_bytes())
                kinds = {kind.split(":", 1)[1].rsplit(":", 2)[0]: kind for kind in types_of(dataset["service"], profile)}
                for i, sample_type in enumerate(dataset["types"]):
                    got = folded_stacks(data, dataset, i)
                    want = flame_stacks(target, dataset["service"], kinds[sample_type])
                    assert got == want, f"{dataset['service']} {sample_type}: {set(got.items()) ^ set(want.items())}"[:1000]
                    checked += bool(want)
    assert checked > len(FILES), checked
    return f"{checked} flame graphs"


def inspected(args, path, dataset, section):
    out = subprocess.run([args.hearth, "inspect", path, "--format", "json", "--dataset", str(dataset), "--section", section],
                         stdout=subprocess.PIPE, check=True).stdout
    return json.loads(out)[0]["rows"]


def test_the_reader_reads_the_golden_segments(args):
    checked = 0
    for path in sorted((ROOT / "tests/golden/segment").glob("*.seg")):
        data = path.read_bytes()
        for i, dataset in enumerate(reader.directory(data)):
            keys = reader.keys(data, dataset)
            want = {}
            for row in inspected(args, path, i, "ROWS"):
                values = want.setdefault(row["key"], [0] * len(dataset["types"]))
                for t, name in enumerate(dataset["types"]):
                    values[t] += row[name]
            got = {key: list(values) for key, values in reader.sums(data, dataset, keys).items()}
            assert got == want, f"{path.name} dataset {i}"
            assert [k[0] for k in keys] == [row["node"] for row in inspected(args, path, i, "KEYS")]
            checked += 1
    return f"{checked} datasets"


if __name__ == "__main__":
    runner.run(globals())
