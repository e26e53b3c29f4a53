// Walks a zoom path of name hashes down a tree that may have to be refined on the way.
import { nameHash } from '../state/zoom';
import type { FrameTree } from './tree';

/** The child of `node` whose name has the hash, or -1. */
export function childByHash(tree: FrameTree, node: number, hash: string): number {
  return tree.children(node).find((child) => !tree.folded(child) && nameHash(tree.nameOf(child)) === hash) ?? -1;
}

/**
 * The deepest frame of the path. `refine` is asked for the children of a frame when no visible one matches and some are folded;
 * it returns the tree to go on with (node ids up to the frame stay), or null when there is nothing more.
 */
export async function descend(
  tree: FrameTree, hashes: readonly string[], refine: (node: number) => Promise<FrameTree | null>,
): Promise<number> {
  let node = 0;
  for (const hash of hashes) {
    let child = childByHash(tree, node, hash);
    if (child < 0 && tree.children(node).some((c) => tree.folded(c))) {
      const finer = await refine(node);
      if (!finer) return node;
      tree = finer;
      child = childByHash(tree, node, hash);
    }
    if (child < 0) return node;
    node = child;
  }
  return node;
}
