// Refinement: the frames of one subtree are replaced by a finer answer, in place.
import type { Columns, DecodedTree, Names } from './decode';
import { FrameTree } from './tree';

/** Ids of `extra`'s names in `names`, to which unknown ones are appended. */
function mergeNames(names: Names, extra: Names): Uint32Array {
  const ids = new Map<string, number>();
  names.text.forEach((text, id) => ids.set(text, id));
  return Uint32Array.from(extra.text, (text, from) => {
    const known = ids.get(text);
    if (known !== undefined) return known;
    const id = names.text.length;
    for (const column of ['text', 'pkg', 'file', 'binary'] as const) names[column].push(extra[column][from]!);
    names.line.push(extra.line[from]!);
    names.kind.push(extra.kind[from]!);
    ids.set(text, id);
    return id;
  });
}

const copyNames = (names: Names): Names => ({
  text: names.text.slice(),
  pkg: names.pkg.slice(),
  file: names.file.slice(),
  binary: names.binary.slice(),
  line: names.line.slice(),
  kind: names.kind.slice(),
});

function joined<T extends Uint8Array | Uint16Array | Uint32Array | Float64Array>(
  make: (length: number) => T, whole: T, begin: number, end: number, part: T,
): T {
  const result = make(begin + part.length + whole.length - end);
  result.set(whole.subarray(0, begin) as never, 0);
  result.set(part as never, begin);
  result.set(whole.subarray(end) as never, begin + part.length);
  return result;
}

/**
 * `tree` with the subtree at `node` replaced by `sub`, whose node 0 is the same frame. Name ids of `tree` stay valid. The value of
 * `node` is the server's in both, so nothing outside the subtree moves; an answer with another value (new data arrived in
 * between) is refused with null.
 */
export function splice(tree: FrameTree, node: number, sub: DecodedTree): FrameTree | null {
  if (sub.header.totals[0] !== tree.total[node]) return null;
  const begin = node;
  const end = tree.subtreeEnd(node);
  const names = copyNames(tree.names);
  const ids = mergeNames(names, sub.names);
  const base = tree.columns.depth[node]!;
  const name = sub.columns.name.map((id) => ids[id]!);
  name[0] = tree.columns.name[node]!;
  const { depth, self, flags } = tree.columns;
  const columns: Columns = {
    depth: joined((n) => new Uint16Array(n), depth, begin, end, sub.columns.depth.map((d) => d + base)),
    name: joined((n) => new Uint32Array(n), tree.columns.name, begin, end, name),
    self: joined((n) => new Float64Array(n), self, begin, end, sub.columns.self),
    flags: joined((n) => new Uint8Array(n), flags, begin, end, sub.columns.flags),
  };
  const added = columns.depth.length - tree.count;
  return new FrameTree({ ...tree.header, nodes: tree.header.nodes + added }, names, columns);
}
