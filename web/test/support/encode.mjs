// Writer of the binary tree format, for tests: the mirror of src/engine/decode.ts.

/** LEB128 of a safe integer. */
export function varint(value) {
  const bytes = [];
  for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  bytes.push(value);
  return bytes;
}

const utf8 = new TextEncoder();
const u32 = (n) => [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, (n >>> 24) & 255];

/**
 * Payload of one tree. `nodes`: {depth, name, self, folded?, inlined?} in preorder, `name` an index into `names`;
 * `names`: {text, pkg?, file?, binary?, line?, kind?}, the first one nameless; `header`: fields besides the counts.
 */
export function encodeTree({ nodes, names, header }) {
  const strings = [''];
  const ids = new Map([['', 0]]);
  const id = (text = '') => {
    if (!ids.has(text)) ids.set(text, strings.push(text) - 1);
    return ids.get(text);
  };
  const nameBytes = names.flatMap((n) => [
    ...varint(id(n.text)), ...varint(id(n.pkg)), ...varint(id(n.file)), ...varint(id(n.binary)), ...varint(n.line ?? 0), n.kind ?? 0,
  ]);
  const head = {
    v: 1, tree: 0, trees: 1, sides: 1, nodes: nodes.length, frames: nodes.length, totals: [0], unit: 'count', min: 1, cap: 100000,
    clamped: 0, strings: 0, names: names.length, cost: { profiles: 1, datasets: 1, scanned_bytes: 1, ms: 1.5, partial: [] }, ...header,
  };
  head.strings = strings.length;
  const text = utf8.encode(JSON.stringify(head));
  const bytes = [...u32(text.length), ...text];
  for (const string of strings) {
    const encoded = utf8.encode(string);
    bytes.push(...varint(encoded.length), ...encoded);
  }
  for (const byte of nameBytes) bytes.push(byte);
  let last = -1;
  for (const node of nodes) {
    bytes.push(...varint((last + 1 - node.depth) * 4 + (node.inlined ? 2 : 0) + (node.folded ? 1 : 0)));
    last = node.depth;
  }
  for (const node of nodes) bytes.push(...varint(node.name));
  for (const node of nodes) bytes.push(...varint(node.self));
  return Uint8Array.from(bytes);
}

const KINDS = { progress: 0, partial: 1, tree: 2, error: 3 };

/** A stream of envelopes: [kind, payload] pairs. */
export function encodeEnvelopes(parts) {
  const bytes = [];
  for (const [kind, payload] of parts) {
    bytes.push(typeof kind === 'number' ? kind : KINDS[kind], ...u32(payload.length));
    for (const byte of payload) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/** A nested tree {name, self, children} as nodes and names, children by total descending, frames under `min` folded. */
export function flatten(root, min = 1) {
  const names = [{ text: '' }];
  const ids = new Map([['', 0]]);
  const nameId = (text) => {
    if (!ids.has(text)) ids.set(text, names.push({ text }) - 1);
    return ids.get(text);
  };
  const total = (node) => (node.total ??= node.self + (node.children ?? []).reduce((sum, child) => sum + total(child), 0));
  let frames = 0;
  const count = (node) => {
    frames++;
    (node.children ?? []).forEach(count);
  };
  count(root);
  const nodes = [];
  const visit = (node, depth) => {
    nodes.push({ depth, name: nameId(node.name), self: node.self });
    const children = [...(node.children ?? [])].sort((a, b) => total(b) - total(a) || (a.name < b.name ? -1 : 1));
    let folded = 0;
    for (const child of children) {
      if (total(child) >= min) visit(child, depth + 1);
      else folded += total(child);
    }
    if (folded > 0) nodes.push({ depth: depth + 1, name: 0, self: folded, folded: true });
  };
  total(root);
  visit(root, 0);
  return { nodes, names, frames, total: total(root) };
}

/** A nested tree as a payload. */
export function encodeNested(root, header = {}) {
  const { nodes, names, frames, total } = flatten(root, header.min ?? 1);
  return encodeTree({ nodes, names, header: { frames, totals: [total], ...header } });
}
