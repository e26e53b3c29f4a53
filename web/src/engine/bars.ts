// What of a tree is on screen: one bar per frame of a pixel and more, one bar per run of smaller neighbours.
import type { FrameTree, Level } from './tree';

/** The part of the value axis in view and its scale. */
export interface Window {
  x0: number;
  x1: number;
  /** Pixels per unit of value. */
  scale: number;
}

/** Visible bars as growing columns, ordered by row, then from left to right. `first..last` index FrameTree.nodes, inclusive. */
export class Bars {
  count = 0;
  first = new Uint32Array(1024);
  last = new Uint32Array(1024);
  x = new Float32Array(1024);
  width = new Float32Array(1024);
  row = new Uint16Array(1024);
  /** Bars of row r are `rowBegin[r] .. rowBegin[r + 1]`, for the rows that were laid out. */
  rowBegin: number[] = [];

  add(row: number, first: number, last: number, x: number, width: number): void {
    if (this.count === this.first.length) this.grow();
    const i = this.count++;
    this.first[i] = first;
    this.last[i] = last;
    this.x[i] = x;
    this.width[i] = width;
    this.row[i] = row;
  }

  isRun(bar: number): boolean {
    return this.width[bar]! < 1 || this.first[bar] !== this.last[bar];
  }

  /** The bar of `row` at pixel `x`, or -1. */
  at(row: number, x: number): number {
    const end = this.rowBegin[row + 1];
    let low = this.rowBegin[row] ?? -1;
    if (low < 0 || end === undefined) return -1;
    let high = end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.x[middle]! + Math.max(1, this.width[middle]!) > x) high = middle;
      else low = middle + 1;
    }
    return low < end && this.x[low]! <= x + 0.5 ? low : -1;
  }

  private grow(): void {
    const size = this.first.length * 2;
    const copy = <T extends Uint32Array | Float32Array | Uint16Array>(to: T, from: T): T => {
      to.set(from as never);
      return to;
    };
    this.first = copy(new Uint32Array(size), this.first);
    this.last = copy(new Uint32Array(size), this.last);
    this.x = copy(new Float32Array(size), this.x);
    this.width = copy(new Float32Array(size), this.width);
    this.row = copy(new Uint16Array(size), this.row);
  }
}

/**
 * Adds the bars of one level. Frames of a pixel and more stand alone; a narrower one starts a run that takes in all neighbours
 * narrower than a pixel. The next end at least a pixel further on is found by binary search, so the number of steps is bounded by
 * the pixels of the row and not by its frames.
 */
export function layoutLevel(tree: FrameTree, level: Level, row: number, view: Window, bars: Bars): void {
  const { x0, x1 } = tree;
  const pixel = 1 / view.scale;
  let i = tree.firstEndingAfter(level, view.x0);
  while (i < level.end && x0[i]! < view.x1) {
    const left = x0[i]!;
    let last = i;
    if (x1[i]! - left < pixel) {
      last = endOfRun(tree, level, i, pixel, view.x1);
    }
    bars.add(row, i, last, (left - view.x0) * view.scale, (x1[last]! - left) * view.scale);
    i = last + 1;
    // Frames of no value take no room and no step.
    if (i < level.end && x1[i]! <= x1[last]!) i = tree.firstEndingAfter({ begin: i, end: level.end }, x1[last]!);
  }
}

/** Index of the last frame of the run of narrow frames that begins at `first`. */
function endOfRun(tree: FrameTree, level: Level, first: number, pixel: number, right: number): number {
  const { x0, x1 } = tree;
  let last = first;
  while (x1[last]! < right) {
    const next = tree.firstEndingAfter({ begin: last + 1, end: level.end }, x1[last]! + pixel);
    // Everything before `next` ends within a pixel of `last`: narrow, and adjoining as far as the screen can tell.
    if (next > last + 1) last = next - 1;
    if (next >= level.end) return level.end - 1;
    if (x1[next]! - x0[next]! >= pixel || x0[next]! - x1[last]! >= pixel) return last;
    last = next;
  }
  return last;
}

/** All bars of the rows `from..to` (depths, inclusive), reusing `bars`. */
export function layoutRows(tree: FrameTree, view: Window, from: number, to: number, bars: Bars): void {
  bars.count = 0;
  bars.rowBegin = [];
  for (let depth = from; depth <= Math.min(to, tree.maxDepth); depth++) {
    bars.rowBegin[depth] = bars.count;
    layoutLevel(tree, tree.levels[depth]!, depth, view, bars);
  }
  bars.rowBegin[Math.min(to, tree.maxDepth) + 1] = bars.count;
}
