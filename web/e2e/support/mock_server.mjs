// A server of docs/ui_api.md with made-up data and the built page: node e2e/support/mock_server.mjs [PORT] [--empty].
// For work on the page without the binary; the end-to-end tests run on the real one.
import { createServer } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeEnvelopes, encodeNested } from '../../test/support/encode.mjs';

const dist = join(dirname(fileURLToPath(import.meta.url)), '../../dist');
const empty = process.argv.includes('--empty');
const CPU = 'process_cpu:cpu:nanoseconds:cpu:nanoseconds';
const HEAP = 'memory:inuse_space:bytes:space:bytes';
const TYPES = [HEAP, 'memory:alloc_space:bytes:space:bytes', 'mutex:delay:nanoseconds:contentions:count', CPU];
const SERVICES = ['cart', 'checkout', 'frontend', 'payments', 'recommendation', 'search'];
const LABELS = { region: ['eu-north', 'us-east', 'ap-south'], version: ['2.4.0', '2.4.1'], pod: [...Array(24).keys()].map((i) => `web-${i}`) };
const COST = { profiles: 1920, datasets: 38, scanned_bytes: 214e6, ms: 84.2, partial: [] };

/** mulberry32 */
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const PACKAGES = ['acme/store.', 'encoding/json.', 'runtime.', 'net/http.', 'compress/flate.', 'github.com/acme/checkout/internal/cart.', 'acme.', 'database/sql.', 'crypto/tls.', 'sync.'];
const VERBS = ['handle', 'Encode', 'walk', 'Marshal', 'mallocgc', 'serve', 'deflate', 'get', 'scanobject', 'flush', 'Query', 'readLoop', '(*Conn).Write', 'lookup', 'append', 'growslice'];

function makeTree(seed) {
  const next = random(seed);
  const grow = (name, value, depth) => {
    const node = { name, self: 0, children: [] };
    let left = value;
    const wanted = depth > 26 || value < 30 ? 0 : 1 + Math.floor(next() * (depth < 3 ? 2 : 4));
    const used = new Set();
    for (let i = 0; i < wanted; i++) {
      const part = Math.floor(left * (i === 0 ? 0.4 + next() * 0.45 : next() * 0.6));
      const child = PACKAGES[Math.floor(next() * PACKAGES.length)] + VERBS[Math.floor(next() * VERBS.length)];
      if (part < 10 || used.has(child)) continue;
      used.add(child);
      node.children.push(grow(child, part, depth + 1));
      left -= part;
    }
    node.self = left;
    return node;
  };
  return { name: '', self: 0, children: [grow('main.main', 900_000, 1), grow('runtime.gcBgMarkWorker', 210_000, 1), grow('net/http.(*conn).serve', 640_000, 1)] };
}

const scale = (node, by) => ({ name: node.name, self: Math.round(node.self * by), children: node.children.map((c) => scale(c, by)) });
const trees = new Map();
function treeOf(q) {
  const key = `${q.get('s')} ${q.get('t')} ${q.get('f')}`;
  if (!trees.has(key)) trees.set(key, makeTree([...key].reduce((h, c) => (h * 31 + c.charCodeAt(0)) | 0, 7)));
  return scale(trees.get(key), (Number(q.get('to')) - Number(q.get('from'))) / 1000);
}

const total = (node) => node.self + node.children.reduce((sum, child) => sum + total(child), 0);

function functionsOf(root) {
  const rows = new Map();
  const visit = (node, above) => {
    const row = rows.get(node.name) ?? { name: node.name, self: 0, total: 0 };
    row.self += node.self;
    if (!above.has(node.name)) row.total += total(node);
    rows.set(node.name, row);
    const inside = new Set(above).add(node.name);
    node.children.forEach((child) => visit(child, inside));
  };
  root.children.forEach((child) => visit(child, new Set()));
  return [...rows.values()];
}

/** Merges `from` into `into` by name. */
function merge(into, from) {
  into.self += from.self;
  for (const child of from.children) {
    let same = into.children.find((c) => c.name === child.name);
    if (!same) into.children.push((same = { name: child.name, self: 0, children: [] }));
    merge(same, child);
  }
}

function sandwichOf(root, fn) {
  const callees = { name: fn, self: 0, children: [] };
  const callers = { name: fn, self: 0, children: [] };
  let paths = 0;
  const visit = (node, stack) => {
    if (node.name === fn) {
      paths++;
      merge(callees, node);
      let at = { name: '', self: total(node), children: [] };
      for (const name of stack) at = { name, self: at.name === '' ? at.self : 0, children: at.name === '' ? [] : [at] };
      const chain = { name: fn, self: stack.length ? 0 : total(node), children: stack.length ? [chainOf([...stack].reverse(), total(node))] : [] };
      return merge(callers, chain);
    }
    node.children.forEach((child) => visit(child, node.name === '' ? stack : [...stack, node.name]));
  };
  visit(root, []);
  return { callers, callees, paths };
}
const chainOf = ([name, ...rest], value) => ({ name, self: rest.length ? 0 : value, children: rest.length ? [chainOf(rest, value)] : [] });

function invert(root) {
  const out = { name: '', self: 0, children: [] };
  const visit = (node, stack) => {
    const here = node.name === '' ? stack : [node.name, ...stack];
    if (node.self > 0) merge(out, { name: '', self: 0, children: [chainOf(here, node.self)] });
    node.children.forEach((child) => visit(child, here));
  };
  visit(root, []);
  return out;
}

function at(root, path) {
  let node = root;
  for (const name of path) node = node?.children.find((c) => c.name === name);
  return node;
}

const wave = (i, seed) => 1 + 0.35 * Math.sin(i / 9 + seed) + 0.12 * Math.sin(i * 1.7 + seed) + (i % 53 === 7 ? 0.8 : 0);

const calls = {
  about: () => ({ version: '0.1.0', commit: 'mock', server_time: Date.now(), started: Date.now() - 1e6, tenancy: false, tokens: false, listen_url: '', roles: [], limits: {} }),
  waiting: () => ({ empty, received: empty ? 0 : 412, rejected: 1, services: empty ? [] : SERVICES, server_time: Date.now() }),
  rejections: () => ({ rejections: [{ at: Date.now() - 60000, status: 400, reason: 'malformed_profile', message: 'read profile: unknown format, first bytes 7b 22', path: '/ingest', service: '', bytes: 412 }] }),
  services(q) {
    if (empty) return { type: '', unit: '', empty: true, types: [], services: [], cost: COST };
    const services = SERVICES.map((name, n) => ({
      name, types: n === 5 ? TYPES.slice(0, 2) : TYPES, series: 24 - n * 3, last_seen: Date.now() - (n === 3 ? 14 * 60000 : 9000 + n * 1000),
      total: n === 5 ? null : 4.464e12 / (n + 1), previous: n === 5 ? null : (4.464e12 / (n + 1)) * (0.8 + 0.1 * n), profiles: 240,
      spark: n === 5 ? [] : [...Array(40).keys()].map((i) => (n === 3 && i > 30 ? null : wave(i * 3, n))),
      top: n === 5 ? [] : [{ name: 'encoding/json.Marshal', self: 3.66e11 / (n + 1) }, { name: 'runtime.mallocgc', self: 2.6e11 / (n + 1) }, { name: 'compress/flate.deflate', self: 1.9e11 / (n + 1) }],
    }));
    return { type: q.get('t') || CPU, unit: (q.get('t') || CPU).split(':')[2], empty: false, types: TYPES, services, cost: COST };
  },
  labels: () => ({ labels: Object.entries(LABELS).map(([name, values]) => ({ name, values: values.length })), cost: COST }),
  'label-values'(q) {
    const all = LABELS[q.get('label')] ?? [];
    const hits = all.filter((v) => v.includes(q.get('q') ?? ''));
    return { label: q.get('label'), values: hits.slice(0, 50).map((value, i) => ({ value, total: 1000 / (i + 1), share: 0.5 / (i + 1) })), matched: hits.length, all: all.length, cost: COST };
  },
  series(q) {
    const step = Number(q.get('step'));
    const start = Math.floor(Number(q.get('from')) / step) * step;
    const n = Math.floor((Number(q.get('to')) - start) / step) + 1;
    const points = (seed, by) => [...Array(n).keys()].map((i) => (i > 60 && i < 68 ? null : Math.round(wave(i, seed) * 1.24e9 * (step / 1000) * by)));
    const groups = q.get('g') ? LABELS[q.get('g')].slice(0, 7).map((value, i) => ({ value, points: points(i, 1 / (i + 2)) })) : [];
    for (const g of groups) g.sum = g.points.reduce((a, b) => a + (b ?? 0), 0);
    const rest = q.get('g') === 'pod' ? { groups: 17, points: points(9, 0.4) } : null;
    if (rest) rest.sum = rest.points.reduce((a, b) => a + (b ?? 0), 0);
    const sum = groups.reduce((a, g) => a + g.sum, 0) + (rest?.sum ?? 0);
    return { unit: q.get('t').split(':')[2], start, step, total: points(0, 1), groups, other: rest, sum, cost: COST };
  },
  functions(q) {
    const root = treeOf(q);
    const rows = functionsOf(root).sort((a, b) => b.self - a.self);
    const matched = q.get('q') ? { functions: 34, value: total(root) * 0.412, path_value: 1000, in_path: 120 } : null;
    return { unit: q.get('t').split(':')[2], total: total(root), functions: rows.length, rows: rows.length, names: rows.map((r) => r.name), self: rows.map((r) => r.self), totals: rows.map((r) => r.total), matched, cost: COST };
  },
  tree(q) {
    const whole = q.get('o') === 'bu' ? invert(treeOf(q)) : treeOf(q);
    const root = at(whole, q.getAll('path'));
    const min = Math.max(1, Math.floor(total(root) / (q.get('cap') ? 60 : 4096)));
    return encodeEnvelopes([['tree', encodeNested(root, { min, unit: q.get('t').split(':')[2], cost: COST })]]);
  },
  sandwich(q) {
    const root = treeOf(q);
    const { callers, callees, paths } = sandwichOf(root, q.get('fn'));
    const row = functionsOf(root).find((r) => r.name === q.get('fn'));
    const fn = { total: row.total, self: row.self, paths, recursive: false };
    const half = (tree, i) => encodeNested(tree, { min: Math.max(1, Math.floor(total(tree) / 4096)), tree: i, trees: 2, fn, unit: q.get('t').split(':')[2] });
    return encodeEnvelopes([['tree', half(callers, 0)], ['tree', half(callees, 1)]]);
  },
};

const MEDIA = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml' };
const POLICY = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types hearth";

createServer((request, response) => {
  const url = new URL(request.url, 'http://x');
  const call = url.pathname.startsWith('/api/ui/v1/') && calls[url.pathname.slice(11)];
  if (call) {
    const answer = call(url.searchParams);
    const binary = answer instanceof Uint8Array;
    response.setHeader('Content-Type', binary ? 'application/x-hearth-tree' : 'application/json; charset=utf-8');
    return response.end(binary ? answer : JSON.stringify(answer));
  }
  const file = join(dist, url.pathname.includes('.') ? url.pathname : 'index.html');
  if (!existsSync(file)) return response.writeHead(404).end();
  response.setHeader('Content-Type', MEDIA[file.slice(file.lastIndexOf('.') + 1)]);
  response.setHeader('Content-Security-Policy', POLICY);
  return response.end(readFileSync(file));
}).listen(Number(process.argv[2] ?? 4099), '127.0.0.1');
