// Level of detail: the frames folded below a zoomed frame are fetched and put in their place.
import { decode } from '../engine/decode_client';
import type { Flame } from '../engine/flame';
import { splice } from '../engine/splice';
import type { FrameTree } from '../engine/tree';
import { getTrees, type Params } from '../net/api';

/** Frames of a 4096th of the zoomed one are the server's default; a subtree that has them is fine enough. */
const DETAIL = 4096;

export class Refiner {
  /** The finest `min` that was asked for, by path. */
  private loaded = new Map<string, number>();
  private running = new Set<string>();
  private abort = new AbortController();

  constructor(
    private readonly flame: Flame,
    private readonly params: Params,
    private readonly changed: (tree: FrameTree) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  stop(): void {
    this.abort.abort();
  }

  /** True when a finer answer would show more below `node`. */
  private wants(tree: FrameTree, node: number): boolean {
    const path = tree.path(node);
    let min = tree.header.min;
    for (let n = 0; n <= path.length; n++) min = Math.min(min, this.loaded.get(JSON.stringify(path.slice(0, n))) ?? Infinity);
    return min > Math.max(1, tree.total[node]! / DETAIL) && tree.hasFolded(node);
  }

  /** Fetches what is folded below `node`, when that shows more. Returns the tree in effect, or null when nothing came. */
  async refine(node: number, force = false): Promise<FrameTree | null> {
    const tree = this.flame.tree;
    if (!tree || node < 0 || node >= tree.count || (!force && !this.wants(tree, node))) return null;
    const path = tree.path(node);
    const key = JSON.stringify(path);
    if (this.running.has(key)) return null;
    this.running.add(key);
    this.flame.setLoading(node, true);
    try {
      const [payload] = await getTrees('tree', { ...this.params, path }, this.abort.signal);
      if (!payload) return null;
      return this.place(path, await decode(payload), key);
    } catch (error) {
      if (!this.abort.signal.aborted) this.failed(error);
      return null;
    } finally {
      this.running.delete(key);
      const now = this.flame.tree?.find(path);
      if (now) this.flame.setLoading(now.node, false);
    }
  }

  /** Other subtrees may have arrived in between: the place is found again by its path. */
  private place(path: string[], sub: Awaited<ReturnType<typeof decode>>, key: string): FrameTree | null {
    const tree = this.flame.tree;
    const found = tree?.find(path);
    if (this.abort.signal.aborted || !tree || found?.depth !== path.length) return null;
    const finer = splice(tree, found.node, sub);
    if (!finer) return null;
    this.loaded.set(key, sub.header.min);
    this.flame.refine(finer, found.node);
    this.changed(finer);
    return finer;
  }
}
