"""What `go tool pprof` reads in a file: a decoder that is not ours."""
import re
import subprocess


def top(path, sample_index=None, nodes=20):
    """[(flat, cum, name)] of the largest, sorted, values in the smallest unit. sample_index: the type's name; default the file's own."""
    return _rows(_run(path, sample_index, nodes, "minimum"))


def total(path, sample_index, unit):
    """Sum over all samples, as the heading of -top says it. unit: the type's own, so that nothing is rounded."""
    match = re.search(r"of (\d+)[A-Za-z]* total", _run(path, sample_index, 1, unit))
    assert match, f"{path}: go tool pprof -top prints no total"
    return int(match.group(1))


def _run(path, sample_index, nodes, unit):
    command = ["go", "tool", "pprof", "-top", f"-nodecount={nodes}", "-nodefraction=0", "-edgefraction=0", f"-unit={unit}"]
    if sample_index:
        command.append("-sample_index=" + sample_index)
    return subprocess.run([*command, str(path)], check=True, capture_output=True, text=True).stdout


def _rows(text):
    rows = [line.split(maxsplit=5) for line in text.splitlines() if "%" in line and not line.startswith(("Showing", "Duration", "Dropped"))]
    return sorted((r[0], r[3], r[5].replace(" (inline)", "")) for r in rows if len(r) == 6)
