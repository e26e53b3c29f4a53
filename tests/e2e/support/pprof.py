"""pprof in plain Python: enough to write profiles from stacks and to add up what a file holds. Slow and independent of hearth's
own decoder on purpose: the end-to-end tests compare the two."""
import gzip
import struct


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, value):
    """A varint for ints, length-delimited for bytes and str."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def packed(number, values):
    return field(number, b"".join(varint(v) for v in values))


def build(stacks, types=(("samples", "count"), ("cpu", "nanoseconds")), period=("cpu", "nanoseconds"), period_value=10_000_000,
          time_ns=0, duration_ns=10_000_000_000):
    """pprof bytes of {(root, …, leaf): value or tuple of values}. A lone value v becomes (v, v * period_value) for two types."""
    strings = {"": 0}

    def text(s):
        return strings.setdefault(s, len(strings))
    body = b"".join(field(1, field(1, text(t)) + field(2, text(u))) for t, u in types)
    ids = {}
    samples = b""
    for frames, value in stacks.items():
        values = value if isinstance(value, tuple) else (value, value * period_value)[:len(types)]
        chain = [ids.setdefault(f, len(ids) + 1) for f in frames]
        samples += field(2, packed(1, reversed(chain)) + packed(2, values))
    locations = b"".join(field(4, field(1, i) + field(2, 1) + field(4, field(1, i) + field(2, 10))) for i in ids.values())
    functions = b"".join(field(5, field(1, i) + field(2, text(f)) + field(3, text(f)) + field(4, text("app.py"))) for f, i in ids.items())
    mapping = field(3, field(1, 1) + field(7, 1))
    tail = field(11, field(1, text(period[0])) + field(2, text(period[1]))) + field(12, period_value)
    table = b"".join(field(6, s) for s in strings)
    return body + samples + mapping + locations + functions + table + field(9, time_ns) + field(10, duration_ns) + tail


def fields(data):
    at = 0

    def read():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    while at < len(data):
        tag = read()
        if tag & 7 == 0:
            yield tag >> 3, read()
        elif tag & 7 == 2:
            size = read()
            yield tag >> 3, data[at:at + size]
            at += size
        elif tag & 7 == 1:
            yield tag >> 3, struct.unpack("<Q", data[at:at + 8])[0]
            at += 8
        else:
            yield tag >> 3, struct.unpack("<I", data[at:at + 4])[0]
            at += 4


def signed(value):
    return value - (1 << 64) if value >= 1 << 63 else value


def ints(message, number):
    out = []
    for n, v in fields(message):
        if n == number and isinstance(v, bytes):
            at = 0
            while at < len(v):
                value = shift = 0
                while True:
                    byte = v[at]
                    at += 1
                    value |= (byte & 127) << shift
                    shift += 7
                    if byte < 128:
                        break
                out.append(value)
        elif n == number:
            out.append(v)
    return out


class Profile:
    """types: [(type, unit)]; period: (type, unit); totals[i]; collapsed(i): {'root;…;leaf': value}; time_ns."""

    def __init__(self, data):
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        self.strings = [v.decode() for n, v in fields(data) if n == 6]
        names, lines = {}, {}
        self.types, self.samples, self.time_ns, self.period = [], [], 0, ("", "")
        for n, v in fields(data):
            one = dict(fields(v)) if isinstance(v, bytes) and n in (1, 5, 11) else {}
            if n == 1:
                self.types.append((self.strings[one.get(1, 0)], self.strings[one.get(2, 0)]))
            elif n == 2:
                self.samples.append((ints(v, 1), [signed(x) for x in ints(v, 2)], [dict(fields(x)) for m, x in fields(v) if m == 3]))
            elif n == 4:
                own = dict((m, x) for m, x in fields(v) if m == 1)
                lines[own.get(1, 0)] = [dict(fields(x)).get(1, 0) for m, x in fields(v) if m == 4]
            elif n == 5:
                names[one.get(1, 0)] = self.strings[one.get(2, 0)]
            elif n == 9:
                self.time_ns = v
            elif n == 11:
                self.period = (self.strings[one.get(1, 0)], self.strings[one.get(2, 0)])
        self.names, self.lines = names, lines
        self.totals = [sum(s[1][i] for s in self.samples) for i in range(len(self.types))]

    def collapsed(self, index):
        out = {}
        for locations, values, _ in self.samples:
            frames = [self.names[f] for l in locations for f in self.lines[l]]
            key = ";".join(reversed(frames))
            out[key] = out.get(key, 0) + values[index]
        return {k: v for k, v in out.items() if v}
