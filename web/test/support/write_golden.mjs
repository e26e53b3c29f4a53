// Writes tests/golden/tree: one complete answer per variant and its meaning in JSON. node test/support/write_golden.mjs
// The files are the contract between the C++ writer and the page's reader: change them only with the format.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeEnvelopes, encodeTree } from './encode.mjs';

const folder = join(dirname(fileURLToPath(import.meta.url)), '../../../tests/golden/tree');
const cost = { profiles: 3, datasets: 2, scanned_bytes: 4096, ms: 1.5, partial: [] };
const base = { cap: 100000, cost };

const names = [{ text: '' }, { text: 'main' }, { text: 'serve' }, { text: 'encode' }];
const VARIANTS = {
  root_only: [{ nodes: [{ depth: 0, name: 0, self: 0 }], names: [{ text: '' }], header: { ...base, frames: 1, totals: [0], unit: 'nanoseconds' } }],
  plain: [
    {
      nodes: [
        { depth: 0, name: 0, self: 0 },
        { depth: 1, name: 1, self: 10 },
        { depth: 2, name: 2, self: 40 },
        { depth: 3, name: 3, self: 300 },
        { depth: 2, name: 3, self: 50 },
      ],
      names,
      header: { ...base, frames: 5, totals: [400], unit: 'nanoseconds' },
    },
  ],
  folded: [
    {
      nodes: [
        { depth: 0, name: 0, self: 0 },
        { depth: 1, name: 1, self: 100 },
        { depth: 2, name: 2, self: 5000 },
        { depth: 3, name: 0, self: 7, folded: true },
        { depth: 2, name: 0, self: 12, folded: true },
        { depth: 1, name: 3, self: 900 },
      ],
      names,
      header: { ...base, frames: 11, totals: [6019], unit: 'bytes', min: 16, clamped: 3 },
    },
  ],
  utf8: [
    {
      nodes: [
        { depth: 0, name: 0, self: 0 },
        { depth: 1, name: 1, self: 9007199254740991 },
      ],
      names: [{ text: '' }, { text: 'größe::<π>()\u{1f525}' }],
      header: { ...base, frames: 2, totals: [9007199254740991], unit: 'count' },
    },
  ],
  partial: [
    {
      nodes: [
        { depth: 0, name: 0, self: 0 },
        { depth: 1, name: 1, self: 1 },
      ],
      names: names.slice(0, 2),
      header: { ...base, cost: { ...cost, partial: ['read segment 7: checksum failed'] }, frames: 2, totals: [1], unit: 'count' },
    },
  ],
  sandwich: [
    {
      nodes: [
        { depth: 0, name: 1, self: 0 },
        { depth: 1, name: 2, self: 350 },
      ],
      names: [{ text: '' }, { text: 'encode' }, { text: 'serve' }],
      header: { ...base, tree: 0, trees: 2, frames: 2, totals: [350], unit: 'nanoseconds', fn: { total: 350, self: 350, paths: 2, recursive: false } },
    },
    {
      nodes: [{ depth: 0, name: 1, self: 350 }],
      names: [{ text: '' }, { text: 'encode' }],
      header: { ...base, tree: 1, trees: 2, frames: 1, totals: [350], unit: 'nanoseconds', fn: { total: 350, self: 350, paths: 2, recursive: false } },
    },
  ],
};

/** Members in the order of docs/ui_api.md. */
function ordered({ nodes, names: list, header }) {
  const fields = { v: 1, tree: 0, trees: 1, sides: 1, nodes: nodes.length, ...header };
  const order = ['v', 'tree', 'trees', 'sides', 'nodes', 'frames', 'totals', 'unit', 'min', 'cap', 'clamped', 'strings', 'names', 'cost', 'fn'];
  const known = { min: 1, clamped: 0, strings: 0, names: list.length, ...fields };
  return Object.fromEntries(order.filter((name) => known[name] !== undefined).map((name) => [name, known[name]]));
}

mkdirSync(folder, { recursive: true });
for (const [name, trees] of Object.entries(VARIANTS)) {
  const parts = trees.map((tree) => ['tree', encodeTree({ ...tree, header: ordered(tree) })]);
  writeFileSync(join(folder, `${name}.bin`), encodeEnvelopes(parts));
  const meaning = trees.map((tree) => ({
    header: ordered(tree),
    names: tree.names.map((n) => n.text),
    nodes: tree.nodes.map((n) => ({ depth: n.depth, name: tree.names[n.name].text, self: n.self, folded: n.folded ?? false })),
  }));
  for (const tree of meaning) tree.header.strings = new Set(['', ...tree.names]).size;
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ trees: meaning }, null, 1)}\n`);
}
