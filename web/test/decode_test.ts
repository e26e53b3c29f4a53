import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { FOLDED, decodeTree, peekNodes } from '../src/engine/decode';
import { readEnvelopes } from '../src/net/envelopes';
import { encodeEnvelopes, encodeNested, encodeTree, varint } from './support/encode.mjs';

interface Meaning {
  trees: { header: Record<string, unknown>; names: string[]; nodes: { depth: number; name: string; self: number; folded: boolean }[] }[];
}

for (const file of readdirSync(GOLDEN_DIR).filter((name) => name.endsWith('.bin'))) {
  test(`golden file ${file} reads as its JSON says`, () => {
    const meaning = JSON.parse(readFileSync(`${GOLDEN_DIR}/${file.replace('.bin', '.json')}`, 'utf8')) as Meaning;
    const envelopes = readEnvelopes(readFileSync(`${GOLDEN_DIR}/${file}`));
    assert.deepEqual(envelopes.map((e) => e.kind), meaning.trees.map(() => 'tree'));
    envelopes.forEach(({ payload }, i) => {
      const { header, names, columns } = decodeTree(payload);
      const nodes = Array.from(columns.depth, (depth, n) => ({
        depth,
        name: names.text[columns.name[n]!],
        self: columns.self[n],
        folded: (columns.flags[n]! & FOLDED) !== 0,
      }));
      assert.deepEqual({ ...header }, meaning.trees[i]!.header);
      assert.deepEqual(names.text, meaning.trees[i]!.names);
      assert.deepEqual(nodes, meaning.trees[i]!.nodes);
    });
  });
}

const two = { nodes: [{ depth: 0, name: 0, self: 0 }, { depth: 1, name: 1, self: 5 }], names: [{ text: '' }, { text: 'f' }] };

test('a payload cut anywhere is refused with a sentence', () => {
  const whole = encodeTree(two);
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => decodeTree(whole.subarray(0, length)), /./);
  }
});

test('bytes after the last column are refused', () => {
  assert.throws(() => decodeTree(Uint8Array.from([...encodeTree(two), 0])), /1 bytes after/);
});

test('a name id out of range is refused', () => {
  const bad = encodeTree({ ...two, nodes: [{ depth: 0, name: 0, self: 0 }, { depth: 1, name: 9, self: 5 }] });
  assert.throws(() => decodeTree(bad), /name 9 of 2/);
});

test('a second root and a child of a folded frame are refused', () => {
  const second = encodeTree({ ...two, nodes: [{ depth: 0, name: 0, self: 0 }, { depth: 0, name: 1, self: 5 }] });
  assert.throws(() => decodeTree(second), /goes up/);
  const below = encodeTree({
    ...two,
    nodes: [{ depth: 0, name: 0, self: 0 }, { depth: 1, name: 0, self: 5, folded: true }, { depth: 2, name: 1, self: 5 }],
  });
  assert.throws(() => decodeTree(below), /folded/);
});

test('counts beyond the payload are refused before memory is taken', () => {
  assert.throws(() => decodeTree(encodeTree({ ...two, header: { nodes: 7_000_000 } })), /7000000 nodes in/);
  assert.throws(() => decodeTree(encodeTree({ ...two, header: { names: -1 } })), /names is no count/);
});

test('another version is refused', () => {
  assert.throws(() => decodeTree(encodeTree({ ...two, header: { v: 2 } })), /version 2/);
});

test('a number of more than ten bytes is refused', () => {
  const payload = encodeTree(two);
  const endless = Uint8Array.from([...payload.subarray(0, payload.length - 1), ...Array(11).fill(0x80)]);
  assert.throws(() => decodeTree(endless), /10 bytes/);
});

test('varints read back up to 2^53', () => {
  for (const self of [0, 127, 128, 16_384, 2 ** 31, 2 ** 32 + 7, 2 ** 53 - 1]) {
    const tree = decodeTree(encodeTree({ ...two, nodes: [two.nodes[0]!, { depth: 1, name: 1, self }] }));
    assert.equal(tree.columns.self[1], self);
  }
  assert.deepEqual(varint(300), [0xac, 2]);
});

test('the number of nodes can be read without decoding', () => {
  assert.equal(peekNodes(encodeTree(two)), 2);
  assert.equal(peekNodes(Uint8Array.from([1, 2, 3])), 0);
});

test('envelopes: unknown kinds are marked, cut ones refused', () => {
  const bytes = encodeEnvelopes([['progress', Uint8Array.from([123, 125])], [9, new Uint8Array(0)], ['tree', encodeNested({ name: '', self: 1 })]]);
  assert.deepEqual(readEnvelopes(bytes).map((e) => e.kind), ['progress', 'unknown', 'tree']);
  assert.throws(() => readEnvelopes(bytes.subarray(0, bytes.length - 1)), /are left/);
  assert.throws(() => readEnvelopes(bytes.subarray(0, 3)), /head/);
});
