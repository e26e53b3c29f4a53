#!/usr/bin/env python3
"""Checks what a compiler does not: layers, third-party fences, coroutine form, pages that exist, leftovers.

  .ci/tidy.py              check the tree, print findings, exit 1 if there are any
  .ci/tidy.py --self-test  prove that each rule can fail

Ranks and fences are those of docs/architecture.md. Only files that git knows are read.
"""
import pathlib
import posixpath
import re
import subprocess
import sys

RANK = {
    "base": 0, "model": 1, "proto": 1, "net": 1, "symbols": 2, "formats": 2, "objstore": 2, "storage": 3,
    "query": 4, "ingest": 4, "symbolize": 4, "check": 5, "db": 5, "rules": 5, "scrape": 5, "api": 6,
    "server": 7, "cli": 8,
}

# Header pattern → places that may include it (a folder of src, or one file).
FENCES = [
    (r"boost/(asio|beast|url)", ["net"]),
    (r"openssl/", ["net", "objstore/sigv4.cc"]),
    (r"rocksdb/", ["storage/rocks_kv_store.cc", "storage/rocks_page_store.cc"]),
    (r"google/protobuf/", ["formats", "api", "proto"]),
    (r"nlohmann/", ["formats", "api", "cli", "check", "rules", "storage/inspect_format.cc", "objstore/json.cc"]),
    (r"(lz4|lz4frame|zstd|libdeflate|brotli/\w+)\.h", ["base", "storage", "formats"]),
    (r"roaring/", ["storage", "symbols", "query", "base"]),
    (r"xxhash\.h", ["base/hash.h"]),
    (r"re2/", ["model", "query", "check"]),
    (r"curl/", ["objstore/curl_library.h", "objstore/curl_library.cc", "objstore/curl_transport.cc"]),
    (r"pugixml", ["objstore/s3_xml.cc"]),
    (r"CLI/", ["server/flag_parser.cc"]),
    (r"spdlog/", ["base/log.cc"]),
    (r"tl/expected", []),
    (r"prometheus/", ["api/metrics.cc"]),
    (r"catch2/", []),
    (r"streamvbyte\.h", []),
]

# An awaited call takes named things only: a temporary in it, even one inside another call, may be destroyed twice (GCC 12.2).
NAME = r"[*&]?[\w:]+(?:(?:\.|->)\w+)*"
ARGUMENT = rf"(?:{NAME}|std::move\({NAME}\)|\"\"|' ')"
CO_AWAIT_OK = re.compile(
    r"^(?:(?:const )?[\w:]+(?:<[^;{}\[\]]*>)?[&*]? \w+ = |co_return )?co_await "
    rf"{NAME}(?:<[\w:, ]*>)?(?:\( ?(?:{ARGUMENT}(?:, {ARGUMENT})*)?\))?;$")
WEB_FORBIDDEN = re.compile(r"\.innerHTML|dangerouslySetInnerHTML|insertAdjacentHTML|document\.write\(")
PAGE = re.compile(r"[\w.:/-]*\w\.md\b")
LEFTOVER = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")


def tracked(root):
    out = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                         cwd=root, capture_output=True, check=True).stdout.decode()
    return [p for p in out.split("\0") if p and (root / p).is_file()]


def strip_cpp(text):
    """Comments become blanks, strings become empty, so that rules see code only."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"\w*\(.*?\)\w*"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def blank(match):
        piece = match.group(0)
        if piece.startswith(("//", "/*")):
            return "\n" * piece.count("\n")
        return '""' if piece[0] in 'R"' else "' '"
    return pattern.sub(blank, text)


def allowed(where, places):
    return any(where == p or where.startswith(p + "/") for p in places)


def check_includes(path, text):
    """`path` is relative to the root. Yields (line number, message)."""
    in_src = path.startswith("src/")
    where = path[4:] if in_src else path
    own = where.split("/")[0]
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not match:
            continue
        quote, header = match.groups()
        target = header.split("/")[0]
        if in_src and (header.startswith(".") or own not in RANK):
            yield number, f"layer: {where}: paths start at src/, in a folder that has a rank"
        if in_src and quote == '"' and own in RANK and target in RANK and target != own \
                and RANK[target] >= RANK[own]:
            yield number, f"layer: {own} (rank {RANK[own]}) includes {header} (rank {RANK[target]})"
        if path.startswith("include/hearth/") and quote == "<" and ("/" in header or header.endswith(".h")) \
                and path != "include/hearth/result.h":
            yield number, f"public header: only the standard library may be included, not <{header}>"
        if in_src:
            for pattern, places in FENCES:
                if re.match(pattern, header) and not allowed(where, places):
                    yield number, f"fence: {header} belongs to {', '.join(places) or 'no file of src'}"


def check_co_await(text):
    code = strip_cpp(text)
    for match in re.finditer(r"\bco_await\b", code):
        start = max(code.rfind(c, 0, match.start()) for c in ";{}") + 1
        end = code.find(";", match.start())
        statement = " ".join(code[start:end + 1].split())
        if not CO_AWAIT_OK.match(statement):
            yield code.count("\n", 0, match.start()) + 1, f"co_await must stand alone, with named arguments: {statement[:90]}"


def check_web(path, text):
    part = path.split("/")[2] if path.count("/") >= 3 else ""
    for number, line in enumerate(text.splitlines(), 1):
        if WEB_FORBIDDEN.search(line):
            yield number, "web: text nodes only (no markup from strings)"
        if part in ("engine", "state", "net") and re.search(r"from ['\"](preact|@preact)", line):
            yield number, f"web: {part}/ imports no Preact"
        if re.search(r"style=\{\{[^}]*:\s*\d+\s*[,}]", line):
            yield number, "web: a numeric style value needs its unit (Preact adds none)"


def check_pages(path, text, pages):
    """A page that a text names is one of the repository: by its path from the root, in Markdown also from the page's own folder."""
    for number, line in enumerate(text.splitlines(), 1):
        for name in PAGE.findall(line):
            found = name.lstrip("/") in pages or path.endswith(".md") and posixpath.normpath(posixpath.join(posixpath.dirname(path), name)) in pages
            if not found and "://" not in name:
                yield number, f"page: {name} is not in the repository; say the reason, or give a path from the root"


def check_file(path, text, pages):
    cpp = path.endswith((".cc", ".h"))
    if cpp and path.startswith(("src/", "include/")):
        yield from check_includes(path, text)
    if cpp and path.startswith("src/net/"):
        yield from check_co_await(text)
    elif cpp and path.startswith("src/") and re.search(r"\bco_(await|return|yield)\b", strip_cpp(text)):
        yield 1, "coroutines exist in src/net only"
    if path != ".ci/tidy.py":
        yield from check_pages(path, text, pages)
    if path.startswith("web/src/"):
        yield from check_web(path, text)
    if path.endswith("package-lock.json") and '"resolved"' in text:
        yield 1, "package-lock.json holds a registry address"
    if path.startswith(("src/", "include/", "web/src/", "tests/", "benchmarks/")) and path.endswith(
            (".cc", ".h", ".ts", ".tsx", ".css", ".proto", ".py", ".mjs")):
        for number, line in enumerate(text.splitlines(), 1):
            if LEFTOVER.search(line):
                yield number, "leftover: say it in an issue, not in the code"


def run(root):
    findings = []
    paths = tracked(root)
    pages = {p for p in paths if p.endswith(".md")}
    for path in paths:
        try:
            text = (root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        findings += [f"{path}:{n}: {message}" for n, message in check_file(path, text, pages)]
    return findings


def self_test():
    bad = [
        ("src/base/a.cc", '#include "storage/store.h"\n'),
        ("src/query/a.cc", '#include "ingest/pipeline.h"\n'),
        ("src/base/a.cc", '#include "../api/app.h"\n'),
        ("src/extra/a.cc", '#include "base/log.h"\n'),
        ("src/storage/head.cc", "#include <rocksdb/db.h>\n"),
        ("src/api/a.cc", "#include <boost/asio.hpp>\n"),
        ("include/hearth/a.h", "#include <fmt/format.h>\n"),
        ("src/net/a.cc", "void f() { if (co_await g()) { h(); } }\n"),
        ("src/net/a.cc", "void f() { co_await g(Opt{1}); }\n"),
        ("src/net/a.cc", "void f() { co_await g(Opt(1)); }\n"),
        ("src/net/a.cc", "void f() { co_await g(a, h(std::string(x)), b); }\n"),
        ("src/net/a.cc", "void f() { auto n = co_await g(std::move(h(x))); }\n"),
        ("src/net/a.cc", "void f() { co_await make(x).run(y); }\n"),
        ("src/net/a.cc", "void f() { co_await g(a + b); }\n"),
        ("src/net/a.cc", "void f() { co_await [x]() -> Task { co_return; }(); }\n"),
        ("src/net/a.cc", "void f() { auto [a, b] = co_await g(); }\n"),
        ("src/net/a.cc", "void f() { while (!co_await g(x)) {} }\n"),
        ("src/query/a.cc", "Task f() { co_return; }\n"),
        ("web/src/engine/a.ts", "import { h } from 'preact';\n"),
        ("web/src/ui/a.tsx", "el.innerHTML = name;\n"),
        ("web/src/ui/a.tsx", "<div style={{top: 4}}/>\n"),
        ("web/package-lock.json", '{"resolved": "x"}\n'),
        ("src/base/a.cc", "// TO" + "DO later\n"),
        ("src/base/a.cc", "// The bytes: symbols.md 3.\n"),
        ("tests/e2e/test_a.py", "# see docs/gone.md\n"),
        ("docs/a.md", "[gone](gone.md)\n"),
    ]
    pages = {"docs/symbols.md"}
    good = [
        ("src/storage/a.cc", '#include "base/log.h"\n#include "symbols/dictionary.h"\n'),
        ("src/net/a.cc", "Task f() {\n  auto n = co_await g(socket, buffer);\n  co_await h(x);\n  co_return co_await k(y);\n}\n"),
        ("src/net/a.cc", "Task f() {\n  const bool ok =\n      co_await this->a_.run<int>(\n          *b, c->d, std::move(e), ns::token, 5, \"x\");\n}\n"),
        ("src/net/a.cc", "// co_await { is fine in a comment\n"),
        ("src/base/a.cc", "// docs/symbols.md 3, and https://example.org/README.md\n"),
        ("docs/a.md", "[symbols](symbols.md), `docs/symbols.md`, [there](../docs/symbols.md#example)\n"),
        ("web/src/ui/a.tsx", "import { h } from 'preact';\n<div style={{top: `${x}px`}}/>\n"),
    ]
    failed = [f"rule did not fire: {path}: {text!r}" for path, text in bad if not list(check_file(path, text, pages))]
    failed += [f"false alarm: {path}: {found}" for path, text in good if (found := list(check_file(path, text, pages)))]
    return failed


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    findings = self_test() if "--self-test" in sys.argv else run(root)
    for finding in findings:
        print(finding)
    print(f"tidy: {len(findings)} finding{'' if len(findings) == 1 else 's'}", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
