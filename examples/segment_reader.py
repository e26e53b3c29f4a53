#!/usr/bin/env python3
"""Prints the flame graph of a segment as folded stacks: segment_reader.py FILE [DATASET [SAMPLE_TYPE]].

Written from docs/segment_format.md alone. Needs Python and, to decompress, the command `zstd`. It checks checksums and otherwise
believes what the file says.
"""
import collections
import functools
import itertools
import struct
import subprocess
import sys

STR, FUNC, LOC, EDGE, TREE, CLASS, KEYS, HEAP, PROF, BLKS, ROWS = 131, 132, 134, 135, 136, 137, 138, 139, 141, 142, 143
CRC = list(range(256))
for _ in range(8):
    CRC = [c >> 1 ^ (0x82F63B78 if c & 1 else 0) for c in CRC]


def unzstd(data):
    return subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE, check=True).stdout


def check(data, want, what):
    crc = functools.reduce(lambda crc, b: CRC[(crc ^ b) & 255] ^ crc >> 8, data, 0xFFFFFFFF)
    if crc ^ 0xFFFFFFFF != want:
        sys.exit(f"{what}: wrong checksum")


def signed(v):
    """Undoes zigzag."""
    return v >> 1 ^ -(v & 1)


def wrap(v):
    """Differences and their sums are of 64 bits."""
    return (v + 2**63) % 2**64 - 2**63


class Bytes:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        self.at += n
        return self.data[self.at - n:self.at]

    def varint(self):
        b = self.take(1)[0]
        return b if b < 128 else b - 128 | self.varint() << 7

    def svarint(self):
        return signed(self.varint())

    def fixed(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))

    def str(self):
        return self.take(self.varint())

    def vec(self, item):
        return [item() for _ in range(self.varint())]

    def vcol(self, n):
        column = Bytes(self.str())
        return [column.varint() for _ in range(n)]

    def zvcol(self, n):
        return [signed(v) for v in self.vcol(n)]

    def svb(self, n):
        column = self.str()
        values = Bytes(column[(n + 3) // 4:])
        return [int.from_bytes(values.take((column[i // 4] >> i % 4 * 2 & 3) + 1), "little") for i in range(n)]


def directory(data):
    if data[:10] != b"HEARTHSG\1\0":
        sys.exit("not a segment of format 1")
    at, stored, _, crc = struct.unpack_from("<QIII", data, len(data) - 32)
    check(data[at:at + stored], crc, "directory")
    b = Bytes(unzstd(data[at:at + stored]))
    b.str(), b.take(17), b.varint(), b.varint(), b.str()
    pool = b.vec(lambda: b.str().decode())
    b.str()
    datasets = []
    for _ in range(b.varint()):
        d = {"tenant": pool[b.varint()], "service": pool[b.varint()], "sections": {}}
        d["types"] = b.vec(lambda: pool[b.varint()] + ":" + pool[b.varint()])
        b.varint(), b.varint()
        at = b.varint()
        b.varint(), b.varint()
        d["series"], d["profiles"], _, d["nodes"], _ = (b.varint() for _ in range(5))
        d["totals"] = [b.svarint() for _ in d["types"]]
        for kind, codec, stored, raw, crc in b.vec(lambda: (*b.fixed("BB"), b.varint(), b.varint(), *b.fixed("I"))):
            d["sections"][kind] = (at, codec, stored, raw, crc)
            at += stored
        datasets.append(d)
    return datasets


def section(data, d, kind):
    at, codec, stored, _, crc = d["sections"][kind]
    check(data[at:at + stored], crc, f"section {kind}")
    return Bytes(unzstd(data[at:at + stored]) if codec else data[at:at + stored])


def strings(b):
    n, _ = b.varint(), b.varint()
    shared, length, suffixes, out = b.vcol(n), b.vcol(n), Bytes(b.str()), [b""]
    for s, rest in zip(shared, length):
        out.append(out[-1][:s] + suffixes.take(rest))
    return out[1:]


def frames(data, d):
    """Names per location, outermost first; location 0 is the root's."""
    names = [s.decode(errors="replace") for s in strings(section(data, d, STR))]
    b = section(data, d, FUNC)
    n, _ = b.varint(), b.take(1)
    functions = [names[s] for s in b.svb(n)]
    b = section(data, d, LOC)
    n, flags = b.varint(), b.take(1)[0]
    _, counts, _ = b.svb(n), b.svb(n), b.str() if flags & 1 else b""
    b.vcol(n if flags & 4 else counts.count(0))
    lines = iter(b.svb(sum(counts)))
    return [[]] + [[functions[next(lines)] for _ in range(count)][::-1] for count in counts]


def paths(data, d):
    """Names from the root down, per node."""
    names = frames(data, d)
    b = section(data, d, EDGE)
    counts = b.vcol(len(names))
    targets = iter(b.svb(sum(counts)))
    successors = [[next(targets) for _ in range(count)] for count in counts]
    b, out, above = section(data, d, TREE), [()], [(0, 0)]  # `above`: the nodes on the way to the one before, and locations.
    for i, (pops, edge) in enumerate(zip(b.vcol(d["nodes"]), b.vcol(d["nodes"])), 1):
        del above[len(above) - pops:]
        parent, location = above[-1]
        above.append((i, successors[location][edge]))
        out.append(out[parent] + tuple(names[above[-1][1]]))
    return out


def keys(data, d):
    """Node and label set, a list of (name, string, number), per key."""
    b = section(data, d, KEYS)

    def label():
        name, string = b.varint(), b.varint()
        return name, string, 0 if string else (b.svarint(), b.varint())[0]

    def listed(node):
        return [(node, b.varint(), b.take(1)[0]) for _ in range(b.varint())]

    sets = [[]] + b.vec(lambda: b.vec(label))
    found = listed(0)
    for node, c in enumerate(section(data, d, CLASS).data, 1):
        found += listed(node) if c == 255 else [(node, 0, c)] if c else []
    found.sort(key=lambda k: -k[2])  # Stable: inside a class they stay in preorder, then by label set.
    return [(node, sets[s]) for node, s, _ in found]


def block_keys(b, entries):
    gaps = iter(b.svb(sum(entries)))
    return [list(itertools.accumulate((next(gaps) + 1 for _ in range(n)), initial=-1))[1:] for n in entries]


def columns(b, n, types, period_of=None):
    """Value columns; without periods those of differences."""
    out = []
    for _ in range(types):
        encoding = b.take(1)[0]
        m = b.varint() if encoding else 0
        if encoding < 2:
            out.append(m if encoding else [0] * n)
            continue
        words = [low | high << 32 for low, high in zip(b.svb(n), b.svb(n) if encoding == 3 else itertools.repeat(0))]
        out.append([m * v for v in (words if encoding == 2 and period_of else map(signed, words))])
    return [[v * p for v, p in zip(out[c], period_of)] if isinstance(c, int) else c for c in out]


def replay(heads, entries, deltas):
    """The rows {key: values} of each profile of a chain."""
    now, at = {}, 0
    for head, changed in zip(heads, entries):
        now = dict(now) if head & 1 else {}
        for key in changed:
            now[key] = [wrap(v + c[at]) for v, c in zip(now.get(key, [0] * len(deltas)), deltas)]
            at += 1
        now = {key: values for key, values in now.items() if any(values)}
        yield now


def block_rows(b, rows, periods, types, scale):
    """(key, values) of all rows of a block."""
    mode = b.take(1)[0]
    if mode == 0:
        ids = block_keys(b, rows)
        period_of = [p for n, p in zip(rows, periods) for _ in range(n)]
        yield from zip([key for of_profile in ids for key in of_profile], zip(*columns(b, sum(rows), types, period_of)))
        return
    for counters in [True, False] if mode == 2 else [False]:
        heads = b.svb(len(rows))
        entries = block_keys(b, [h >> 1 for h in heads])
        n = sum(map(len, entries))
        deltas = [list(map(signed, b.svb(n))) for _ in range(2)] if counters else columns(b, n, types)
        for period, now in zip(periods, replay(heads, entries, deltas)):
            for key, values in now.items():
                if counters:
                    size, c = scale(key, period)
                    values = [int(float(n) * s * c) for n in (values[0], values[0] - values[1]) for s in (1, size)]
                yield key, values


def heap_scale(data, d, key_list):
    b = section(data, d, HEAP)
    name, n = b.varint(), b.varint()
    rate = size = 0
    factors = {}
    for dr, ds, (c,) in zip(b.zvcol(n), b.zvcol(n), struct.iter_unpack("<d", b.data[-8 * n:])):
        rate, size = wrap(rate + dr), size + ds
        factors[rate, size] = size, c
    sizes = [sum(number for key, string, number in labels if key == name and not string) for _, labels in key_list]
    return lambda key, period: factors[period, sizes[key]]


def sums(data, d, key_list):
    """The values of all profiles added up, per key."""
    types, p, at = len(d["types"]), 0, d["sections"][ROWS][0]
    b = section(data, d, PROF)
    b.take(1), b.vcol(d["series"]), b.vcol(d["profiles"]), b.vcol(d["profiles"])
    periods, rows = b.zvcol(d["profiles"]), b.vcol(d["profiles"])
    for i in range(1, len(periods)):
        periods[i] = wrap(periods[i] + periods[i - 1])
    scale = heap_scale(data, d, key_list) if HEAP in d["sections"] else None
    total = collections.defaultdict(lambda: [0] * types)
    b = section(data, d, BLKS)
    for _ in range(b.varint()):
        profiles, *_, stored, _ = [b.varint() for _ in range(9 + types)]
        check(data[at:at + stored], *b.fixed("I"), "row block")
        block = Bytes(unzstd(data[at:at + stored]))
        at += stored
        for key, values in block_rows(block, rows[p:p + profiles], periods[p:p + profiles], types, scale):
            total[key] = [a + v for a, v in zip(total[key], values)]
        p += profiles
    return total


def folded(data, d, sample_type):
    """Value per stack of function names, outermost first."""
    path_of, key_list, out = paths(data, d), keys(data, d), collections.Counter()
    for key, values in sums(data, d, key_list).items():
        out[path_of[key_list[key][0]]] += values[sample_type]
    return out


if __name__ == "__main__":
    file = open(sys.argv[1], "rb").read()
    datasets = directory(file)
    for i, d in enumerate(datasets if len(sys.argv) == 2 else []):
        print(i, d["tenant"], d["service"], *(f"{t}={v}" for t, v in zip(d["types"], d["totals"])))
    if len(sys.argv) > 2:
        d = datasets[int(sys.argv[2])]
        for path, value in sorted(folded(file, d, int(sys.argv[3]) if len(sys.argv) > 3 else -1).items()):
            print(";".join(path), value)
