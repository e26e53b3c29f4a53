// `window.__flame`: lets tests click and measure without looking at pixels.
import type { Flame, FlameStats } from './flame';

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface FlameHook {
  /** Page rectangle of the widest frame of a name, or of the frame at a path of names; null when there is none. */
  rect(nameOrPath: string | string[]): Box | null;
  /** Name of the frame at a page point; "N small frames" for a run; null for nothing. */
  at(x: number, y: number): string | null;
  view(): { x0: number; x1: number; total: number; focus: string[]; selected: string[]; top: number };
  stats(): FlameStats;
}

function find(flame: Flame, nameOrPath: string | string[]): number {
  const tree = flame.tree!;
  if (Array.isArray(nameOrPath)) {
    const { node, depth } = tree.find(nameOrPath);
    return depth === nameOrPath.length ? node : -1;
  }
  let best = -1;
  for (let i = 0; i < tree.count; i++) {
    if (tree.nameOf(i) === nameOrPath && (best < 0 || tree.total[i]! > tree.total[best]!)) best = i;
  }
  return best;
}

export function installHook(flame: Flame): () => void {
  const origin = (): DOMRect => flame.surface.scroller.getBoundingClientRect();
  const hook: FlameHook = {
    rect(nameOrPath) {
      const node = flame.tree ? find(flame, nameOrPath) : -1;
      if (node < 0) return null;
      const box = flame.rectOf(node);
      return { ...box, x: box.x + origin().x, y: box.y + origin().y };
    },
    at(x, y) {
      const hit = flame.hit(x - origin().x, y - origin().y);
      if (!hit) return null;
      return hit.kind === 'frame' ? flame.tree!.nameOf(hit.node) : `${hit.nodes.length} small frames`;
    },
    view() {
      const { tree } = flame;
      const { x0, x1 } = flame.camera.target;
      const { scrollTop } = flame.surface.scroller;
      if (!tree) return { x0, x1, total: 0, focus: [], selected: [], top: scrollTop };
      return { x0, x1, total: tree.total[0]!, focus: tree.path(flame.focus), selected: tree.path(flame.selected), top: scrollTop };
    },
    stats: () => flame.stats(),
  };
  const holder = window as { __flame?: FlameHook };
  holder.__flame = hook;
  return () => {
    if (holder.__flame === hook) delete holder.__flame;
  };
}
