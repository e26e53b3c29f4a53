// Reader of the binary tree payload (docs/ui_api.md, part 3): bytes → columns. Every size is checked before memory is taken.

/** What the server says about a tree. */
export interface TreeHeader {
  v: number;
  tree: number;
  trees: number;
  sides: number;
  nodes: number;
  frames: number;
  totals: number[];
  unit: string;
  min: number;
  cap: number;
  clamped: number;
  strings: number;
  names: number;
  cost?: { profiles: number; datasets: number; scanned_bytes: number; ms: number; partial: string[] };
  fn?: { total: number; self: number; paths: number; recursive: boolean };
}

/** Names as parallel columns; index 0 is the nameless root. */
export interface Names {
  text: string[];
  pkg: string[];
  file: string[];
  binary: string[];
  line: number[];
  kind: number[];
}

/** Frames as parallel columns in preorder: struct of arrays, `self` of side A. */
export interface Columns {
  depth: Uint16Array;
  name: Uint32Array;
  self: Float64Array;
  flags: Uint8Array;
}

export interface DecodedTree {
  header: TreeHeader;
  names: Names;
  columns: Columns;
}

export const FOLDED = 1;
export const INLINED = 2;

const MAX_DEPTH = 65_535;
const MAX_COUNT = 8_000_000;
const MAX_STRING = 65_536;

function fail(what: string): never {
  throw new Error(`read tree: ${what}`);
}

class Cursor {
  at = 0;
  constructor(readonly bytes: Uint8Array) {}

  varint(): number {
    const bytes = this.bytes;
    let value = 0;
    let scale = 1;
    for (let n = 0; n < 10; n++) {
      if (this.at >= bytes.length) fail('the payload ends inside a number');
      const byte = bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    return fail(`a number of more than 10 bytes at byte ${this.at}`);
  }

  take(length: number, what: string): Uint8Array {
    if (length > this.bytes.length - this.at) fail(`${what} has ${length} bytes; ${this.bytes.length - this.at} are left`);
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

function count(header: Record<string, unknown>, field: string): number {
  const value = header[field];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) fail(`header field ${field} is no count`);
  return value as number;
}

function readHeader(cursor: Cursor): TreeHeader {
  const lengthBytes = cursor.take(4, 'the header length');
  const length = new DataView(lengthBytes.buffer, lengthBytes.byteOffset, 4).getUint32(0, true);
  const parsed: unknown = JSON.parse(new TextDecoder().decode(cursor.take(length, 'the header')));
  if (typeof parsed !== 'object' || parsed === null) fail('the header is no object');
  const header = parsed as Record<string, unknown>;
  if (header['v'] !== 1) fail(`version ${String(header['v'])} of the tree format; this page reads 1`);
  if (header['sides'] !== 1) fail(`${String(header['sides'])} sides; this reader takes 1`);
  const left = cursor.bytes.length - cursor.at;
  // A string takes at least 1 byte, a name 6, a node 3.
  for (const [field, size] of [['strings', 1], ['names', 6], ['nodes', 3]] as const) {
    const n = count(header, field);
    if (n > MAX_COUNT || n * size > left) fail(`${n} ${field} in ${left} bytes`);
  }
  if (header['nodes'] === 0) fail('a tree without a root');
  return header as unknown as TreeHeader;
}

function readStrings(cursor: Cursor, n: number): string[] {
  const decoder = new TextDecoder();
  const strings = new Array<string>(n);
  for (let i = 0; i < n; i++) {
    const length = cursor.varint();
    if (length > MAX_STRING) fail(`a string of ${length} bytes; at most ${MAX_STRING} are allowed`);
    strings[i] = decoder.decode(cursor.take(length, 'a string'));
  }
  return strings;
}

function readNames(cursor: Cursor, n: number, strings: readonly string[]): Names {
  const names: Names = { text: [], pkg: [], file: [], binary: [], line: [], kind: [] };
  const string = (): string => strings[cursor.varint()] ?? fail('a string id out of range');
  for (let i = 0; i < n; i++) {
    names.text.push(string());
    names.pkg.push(string());
    names.file.push(string());
    names.binary.push(string());
    names.line.push(cursor.varint());
    names.kind.push(cursor.take(1, 'a kind')[0]!);
  }
  return names;
}

function readColumns(cursor: Cursor, nodes: number, names: number): Columns {
  const depth = new Uint16Array(nodes);
  const flags = new Uint8Array(nodes);
  const name = new Uint32Array(nodes);
  const self = new Float64Array(nodes);
  let last = -1;
  for (let i = 0; i < nodes; i++) {
    const code = cursor.varint();
    const up = Math.floor(code / 4);
    const level = last + 1 - up;
    if (level < 0 || (i > 0 && level === 0)) fail(`frame ${i} goes up ${up} levels from depth ${last}`);
    if (level > MAX_DEPTH) fail(`frame ${i} is deeper than ${MAX_DEPTH}`);
    if (i > 0 && up === 0 && flags[i - 1]! & FOLDED) fail(`frame ${i} is below a folded frame`);
    depth[i] = last = level;
    flags[i] = code & 3;
  }
  for (let i = 0; i < nodes; i++) {
    const id = cursor.varint();
    if (id >= names) fail(`frame ${i} has the name ${id} of ${names}`);
    name[i] = id;
  }
  for (let i = 0; i < nodes; i++) self[i] = cursor.varint();
  return { depth, name, self, flags };
}

/** Reads one tree payload. Throws an Error with a sentence for anything malformed. */
export function decodeTree(payload: Uint8Array): DecodedTree {
  const cursor = new Cursor(payload);
  const header = readHeader(cursor);
  const strings = readStrings(cursor, header.strings);
  const names = readNames(cursor, header.names, strings);
  const columns = readColumns(cursor, header.nodes, header.names);
  if (cursor.at !== payload.length) fail(`${payload.length - cursor.at} bytes after the last column`);
  return { header, names, columns };
}

/** The number of nodes a payload declares, without decoding it; 0 when the header is not readable. */
export function peekNodes(payload: Uint8Array): number {
  try {
    return readHeader(new Cursor(payload)).nodes;
  } catch {
    return 0;
  }
}
