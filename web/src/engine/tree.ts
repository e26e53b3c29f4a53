// A laid-out call tree: what decode gives plus everything that follows from it.
import { FOLDED, type Columns, type DecodedTree, type Names, type TreeHeader } from './decode';

/** Frames of one depth, left to right, in `nodes[begin..end)`. */
export interface Level {
  begin: number;
  end: number;
}

/**
 * Immutable columns over nodes in preorder. `start[i]` is where the frame begins on the value axis, `start[i] + total[i]` where it
 * ends; children stand at the left of their parent, its self value at the right. `nodes`, `x0` and `x1` are ordered by depth, then
 * by position, so that one level is one sorted run.
 */
export class FrameTree {
  readonly count: number;
  readonly levels: Level[];
  readonly total: Float64Array;
  readonly start: Float64Array;
  readonly parent: Int32Array;
  readonly nodes: Uint32Array;
  readonly x0: Float64Array;
  readonly x1: Float64Array;
  readonly maxDepth: number;

  constructor(
    readonly header: TreeHeader,
    readonly names: Names,
    readonly columns: Columns,
  ) {
    const n = columns.depth.length;
    this.count = n;
    this.parent = new Int32Array(n);
    this.total = new Float64Array(columns.self);
    this.start = new Float64Array(n);
    this.nodes = new Uint32Array(n);
    this.x0 = new Float64Array(n);
    this.x1 = new Float64Array(n);
    this.maxDepth = this.link();
    this.sum();
    this.place();
    this.levels = this.index();
  }

  /** Parents; returns the greatest depth. */
  private link(): number {
    const { depth } = this.columns;
    const path: number[] = [];
    let deepest = 0;
    for (let i = 0; i < this.count; i++) {
      const d = depth[i]!;
      path[d] = i;
      this.parent[i] = d === 0 ? -1 : path[d - 1]!;
      if (d > deepest) deepest = d;
    }
    return deepest;
  }

  private sum(): void {
    const { total, parent } = this;
    for (let i = this.count - 1; i > 0; i--) total[parent[i]!] = total[parent[i]!]! + total[i]!;
  }

  private place(): void {
    const { depth } = this.columns;
    const next = new Float64Array(this.maxDepth + 2);
    for (let i = 0; i < this.count; i++) {
      const d = depth[i]!;
      const x = next[d]!;
      this.start[i] = x;
      next[d] = x + this.total[i]!;
      next[d + 1] = x;
    }
  }

  /** Counting sort by depth. */
  private index(): Level[] {
    const { depth } = this.columns;
    const fill = new Uint32Array(this.maxDepth + 2);
    for (let i = 0; i < this.count; i++) fill[depth[i]! + 1]!++;
    for (let d = 1; d < fill.length; d++) fill[d] = fill[d]! + fill[d - 1]!;
    const levels: Level[] = [];
    for (let d = 0; d <= this.maxDepth; d++) levels.push({ begin: fill[d]!, end: fill[d + 1]! });
    for (let i = 0; i < this.count; i++) {
      const at = fill[depth[i]!]!++;
      this.nodes[at] = i;
      this.x0[at] = this.start[i]!;
      this.x1[at] = this.start[i]! + this.total[i]!;
    }
    return levels;
  }

  nameOf(node: number): string {
    return this.names.text[this.columns.name[node]!]!;
  }

  folded(node: number): boolean {
    return (this.columns.flags[node]! & FOLDED) !== 0;
  }

  /** One past the last node of the subtree. */
  subtreeEnd(node: number): number {
    const { depth } = this.columns;
    const level = depth[node]!;
    let end = node + 1;
    while (end < this.count && depth[end]! > level) end++;
    return end;
  }

  /** Children in drawing order, folded one included. */
  children(node: number): number[] {
    const { depth } = this.columns;
    const level = depth[node]! + 1;
    const list: number[] = [];
    for (let i = node + 1; i < this.count && depth[i]! >= level; i++) if (depth[i] === level) list.push(i);
    return list;
  }

  hasFolded(node: number): boolean {
    const { flags } = this.columns;
    for (let i = node, end = this.subtreeEnd(node); i < end; i++) if (flags[i]! & FOLDED) return true;
    return false;
  }

  /** Names from the root's child down to `node`; empty for the root. */
  path(node: number): string[] {
    const names: string[] = [];
    for (let i = node; i > 0; i = this.parent[i]!) names.push(this.nameOf(i));
    return names.reverse();
  }

  /** The node at a path of names, or as far down as it goes. */
  find(path: readonly string[]): { node: number; depth: number } {
    let node = 0;
    for (let depth = 0; depth < path.length; depth++) {
      const child = this.children(node).find((c) => !this.folded(c) && this.nameOf(c) === path[depth]);
      if (child === undefined) return { node, depth };
      node = child;
    }
    return { node, depth: path.length };
  }

  /** Index into `nodes` of the first frame of a level that ends right of `x` (binary search). */
  firstEndingAfter(level: Level, x: number): number {
    let low = level.begin;
    let high = level.end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.x1[middle]! > x) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The frame of a depth that covers `x`, or -1. */
  frameAt(depth: number, x: number): number {
    const level = this.levels[depth];
    if (!level) return -1;
    const at = this.firstEndingAfter(level, x);
    return at < level.end && this.x0[at]! <= x ? this.nodes[at]! : -1;
  }

  /** Frames that are drawn, folded ones not counted. */
  shownFrames(): { frames: number; foldedValue: number } {
    let folded = 0;
    let foldedValue = 0;
    for (let i = 0; i < this.count; i++) {
      if (!(this.columns.flags[i]! & FOLDED)) continue;
      folded++;
      foldedValue += this.columns.self[i]!;
    }
    return { frames: this.count - folded, foldedValue };
  }
}

export const layout = (tree: DecodedTree): FrameTree => new FrameTree(tree.header, tree.names, tree.columns);
