// A strip of the whole graph with the window in view; dragging on it sets the window.
import { Bars, layoutRows } from './bars';
import type { Flame } from './flame';
import { HUES, huesOf } from './palette';
import type { FrameTree } from './tree';

const HEIGHT = 20;
const MAX_ROWS = HEIGHT;

export class Minimap {
  readonly canvas = document.createElement('canvas');
  private readonly context: CanvasRenderingContext2D;
  private picture: HTMLCanvasElement | null = null;
  private pictured: FrameTree | null = null;
  private anchor: number | null = null;
  private readonly abort = new AbortController();

  constructor(private readonly flame: Flame) {
    this.canvas.className = 'fg-minimap';
    this.canvas.setAttribute('aria-hidden', 'true');
    this.context = this.canvas.getContext('2d')!;
    const options = { signal: this.abort.signal };
    this.canvas.addEventListener('pointerdown', (e) => this.down(e), options);
    this.canvas.addEventListener('pointermove', (e) => this.move(e), options);
    this.canvas.addEventListener('pointerup', () => (this.anchor = null), options);
  }

  destroy(): void {
    this.abort.abort();
    this.canvas.remove();
  }

  private valueAt(event: PointerEvent): number {
    const box = this.canvas.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    return part * this.flame.tree!.total[0]!;
  }

  private down(event: PointerEvent): void {
    if (!this.flame.tree) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.anchor = this.valueAt(event);
  }

  private move(event: PointerEvent): void {
    if (this.anchor === null) return;
    const value = this.valueAt(event);
    if (value === this.anchor) return;
    this.flame.camera.jump({ x0: Math.min(value, this.anchor), x1: Math.max(value, this.anchor) });
    this.flame.invalidate();
  }

  /** Redraws the window; the picture below it only when the tree or the width changed. */
  draw(): void {
    const { tree, surface } = this.flame;
    if (!tree || surface.width === 0) return;
    const width = Math.round(surface.width);
    if (this.canvas.width !== width || this.pictured !== tree) {
      this.canvas.width = width;
      this.canvas.height = HEIGHT;
      this.picture = paintWhole(tree, width);
      this.pictured = tree;
    }
    const { context } = this;
    const { palette } = this.flame.options;
    const { x0, x1 } = this.flame.camera.target;
    const scale = width / tree.total[0]!;
    const [left, right] = [x0 * scale, Math.max(x0 * scale + 2, x1 * scale)];
    context.clearRect(0, 0, width, HEIGHT);
    context.globalAlpha = 0.35;
    context.drawImage(this.picture!, 0, 0);
    context.globalAlpha = 1;
    context.drawImage(this.picture!, left, 0, right - left, HEIGHT, left, 0, right - left, HEIGHT);
    context.strokeStyle = palette.accent;
    context.lineWidth = 2;
    context.strokeRect(left + 1, 1, Math.max(1, right - left - 2), HEIGHT - 2);
  }
}

/** The first levels at a pixel or more each. */
function paintWhole(tree: FrameTree, width: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = HEIGHT;
  const context = canvas.getContext('2d')!;
  const rows = Math.min(tree.maxDepth + 1, MAX_ROWS);
  const row = HEIGHT / rows;
  const bars = new Bars();
  const hues = huesOf(tree.names);
  layoutRows(tree, { x0: 0, x1: tree.total[0]!, scale: width / tree.total[0]! }, 0, rows - 1, bars);
  for (let bar = 0; bar < bars.count; bar++) {
    context.fillStyle = HUES[hues[tree.columns.name[tree.nodes[bars.first[bar]!]!]!]!]!;
    context.fillRect(bars.x[bar]!, bars.row[bar]! * row, Math.max(1, bars.width[bar]!), Math.max(1, row));
  }
  return canvas;
}
