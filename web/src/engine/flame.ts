// The flame graph: state of one view over a FrameTree, and its drawing. Input is in flame_input.ts.
import { Bars, layoutRows } from './bars';
import { Camera, type Range } from './camera';
import { Inks, ROW, paintBars, paintLabels, type Scene } from './paint';
import { huesOf, type Palette } from './palette';
import { Surface } from './surface';
import type { FrameTree } from './tree';

/** What is under a point: one frame, or a run of frames too narrow to draw apart. */
export type Hit =
  | { kind: 'frame'; node: number }
  | { kind: 'run'; depth: number; nodes: Uint32Array; range: Range };

export interface FlameOptions {
  id: string;
  /** Where the root stands: 'down' = on top, 'up' = at the bottom. */
  grow: 'down' | 'up';
  rootLabel: string;
  palette: Palette;
  /** True when motion is unwanted. */
  still(): boolean;
  /** Accessible words for a frame. */
  describe(node: number): string;
  /** Short value behind a label. */
  value(node: number): string;
}

export interface FlameEvents {
  hover(hit: Hit | null, clientX: number, clientY: number): void;
  /** The user zoomed to a frame; 0 = everything. */
  zoom(node: number): void;
  select(node: number): void;
  menu(hit: Hit, clientX: number, clientY: number): void;
  /** After every draw of the base layer. */
  drawn?(): void;
}

export interface FlameStats {
  frames: number;
  rects: number;
  labels: number;
  draws: number;
  lastMs: number;
  p95Ms: number;
}

const HISTORY = 120;

export class Flame {
  readonly surface: Surface;
  readonly camera: Camera;
  tree: FrameTree | null = null;
  /** The zoomed frame: ancestors above it are context. */
  focus = 0;
  selected = 0;
  private hoverHit: Hit | null = null;
  private hoverName = -1;
  private hues: Uint8Array = new Uint8Array(0);
  private inks: Inks;
  private matches: Uint8Array | null = null;
  private loading = new Set<number>();
  private readonly bars = new Bars();
  private frame = 0;
  private baseDirty = true;
  private rects = 0;
  private labels = 0;
  private draws = 0;
  private times: number[] = [];
  private readonly observer: ResizeObserver;

  constructor(
    readonly options: FlameOptions,
    readonly events: FlameEvents,
  ) {
    this.surface = new Surface(options.id);
    this.camera = new Camera(options.still);
    this.inks = new Inks(options.palette);
    this.observer = new ResizeObserver(() => {
      const bottom = this.fromBottom();
      if (!this.surface.measure()) return;
      if (options.grow === 'up') this.surface.scroller.scrollTop = this.scrollMax() - bottom;
      this.invalidate();
    });
    this.observer.observe(this.surface.scroller);
  }

  destroy(): void {
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
    this.surface.root.remove();
  }

  /** A new answer: zoom and selection start over. */
  setTree(tree: FrameTree): void {
    this.adopt(tree);
    this.focus = this.selected = 0;
    this.hoverHit = null;
    this.hoverName = -1;
    this.loading.clear();
    this.camera.reset(tree.total[0]!);
    this.surface.scroller.scrollTop = this.options.grow === 'up' ? this.scrollMax() : 0;
    this.announce();
  }

  /** The same tree with one subtree refined (splice): nothing on screen moves. `node` is the refined frame. */
  refine(tree: FrameTree, node: number): void {
    const old = this.tree!;
    const shift = tree.count - old.count;
    const end = old.subtreeEnd(node);
    const moved = (i: number): number => {
      if (i <= node) return i;
      return i >= end ? i + shift : tree.find(old.path(i)).node;
    };
    this.focus = moved(this.focus);
    this.selected = moved(this.selected);
    this.loading = new Set([...this.loading].map(moved));
    this.hoverHit = null;
    this.adopt(tree);
    this.announce();
  }

  private adopt(tree: FrameTree): void {
    this.tree = tree;
    this.hues = huesOf(tree.names);
    this.surface.measure();
    this.surface.setRows(tree.maxDepth + 1);
    this.invalidate();
  }

  setPalette(palette: Palette): void {
    this.options.palette = palette;
    this.inks = new Inks(palette);
    this.invalidate();
  }

  /** 1 for each name id that matches the search, or null. */
  setMatches(matches: Uint8Array | null): void {
    this.matches = matches;
    this.invalidate();
  }

  /** Outlines all frames of a function; -1 = none. */
  highlight(nameId: number): void {
    if (nameId === this.hoverName) return;
    this.hoverName = nameId;
    this.invalidateOverlay();
  }

  setLoading(node: number, on: boolean): void {
    if (on) this.loading.add(node);
    else this.loading.delete(node);
    this.invalidateOverlay();
  }

  // ---- geometry -------------------------------------------------------------------------------------------------------------

  private contentHeight(): number {
    return Math.max(this.surface.height, ((this.tree?.maxDepth ?? 0) + 1) * ROW);
  }
  private scrollMax(): number {
    return this.contentHeight() - this.surface.height;
  }
  private fromBottom(): number {
    return this.scrollMax() - this.surface.scroller.scrollTop;
  }

  /** Top of a row in the viewport, CSS pixels. */
  rowTop(depth: number): number {
    const scroll = this.surface.scroller.scrollTop;
    return this.options.grow === 'up' ? this.contentHeight() - (depth + 1) * ROW - scroll : depth * ROW - scroll;
  }

  /** The depth at a viewport y; may lie outside the tree. */
  depthAt(y: number): number {
    const scroll = this.surface.scroller.scrollTop;
    return this.options.grow === 'up' ? Math.ceil((this.contentHeight() - y - scroll) / ROW) - 1 : Math.floor((y + scroll) / ROW);
  }

  /** Value at a viewport x. */
  valueAt(x: number): number {
    const { x0, x1 } = this.camera.target;
    return x0 + ((x1 - x0) * x) / Math.max(1, this.surface.width);
  }

  /** Viewport rectangle of a frame, not clipped. */
  rectOf(node: number): { x: number; y: number; width: number; height: number } {
    const { x0, x1 } = this.camera.target;
    const scale = this.surface.width / (x1 - x0);
    const { start, total, columns } = this.tree!;
    return { x: (start[node]! - x0) * scale, y: this.rowTop(columns.depth[node]!), width: total[node]! * scale, height: ROW };
  }

  hit(x: number, y: number): Hit | null {
    const { tree, bars } = this;
    if (!tree) return null;
    const depth = this.depthAt(y);
    const bar = bars.at(depth, x);
    if (bar < 0) return null;
    const [first, last] = [bars.first[bar]!, bars.last[bar]!];
    if (first === last) return { kind: 'frame', node: tree.nodes[first]! };
    return { kind: 'run', depth, nodes: tree.nodes.subarray(first, last + 1), range: { x0: tree.x0[first]!, x1: tree.x1[last]! } };
  }

  // ---- actions --------------------------------------------------------------------------------------------------------------

  setHover(hit: Hit | null): void {
    this.hoverHit = hit;
    const name = hit?.kind === 'frame' ? this.tree!.columns.name[hit.node]! : -1;
    this.hoverName = name === 0 ? -1 : name;
    this.invalidateOverlay();
  }

  /** Zooms so that a frame fills the width. Reports only what the user does. */
  zoomTo(node: number, options: { report: boolean; animate?: boolean }): void {
    const { tree } = this;
    if (!tree) return;
    this.focus = node;
    const range = { x0: tree.start[node]!, x1: tree.start[node]! + tree.total[node]! };
    if (options.animate === false) this.camera.jump(range);
    else this.camera.glide(range, performance.now());
    this.reveal(node);
    this.invalidate();
    if (options.report) this.events.zoom(node);
  }

  /** Zooms to a window that is no frame: a run, a wheel step. */
  zoomToRange(range: Range): void {
    this.camera.glide(range, performance.now());
    this.invalidate();
  }

  /** One step out: the nearest ancestor that is wider than the zoomed frame; a free window first goes back to its frame. */
  zoomOut(): void {
    const { tree, camera } = this;
    if (!tree) return;
    const { x0, x1 } = camera.target;
    const free = Math.abs(x1 - x0 - tree.total[this.focus]!) > tree.total[0]! * 1e-9;
    if (free && x1 - x0 < tree.total[this.focus]!) return this.zoomTo(this.focus, { report: true });
    let node = Math.max(0, tree.parent[this.focus]!);
    while (node > 0 && tree.total[node]! <= tree.total[this.focus]!) node = tree.parent[node]!;
    this.zoomTo(node, { report: true });
  }

  select(node: number, options: { report: boolean }): void {
    if (!this.tree) return;
    this.selected = node;
    this.reveal(node);
    this.announce();
    this.invalidateOverlay();
    if (options.report) this.events.select(node);
  }

  /** Scrolls and pans until a frame can be seen. */
  reveal(node: number): void {
    const { tree, surface, camera } = this;
    if (!tree || surface.height === 0) return;
    const top = this.rowTop(tree.columns.depth[node]!);
    if (top < 0) surface.scroller.scrollTop += top;
    else if (top + ROW > surface.height) surface.scroller.scrollTop += top + ROW - surface.height;
    const { x0, x1 } = camera.target;
    const [left, right] = [tree.start[node]!, tree.start[node]! + tree.total[node]!];
    if (right > x0 && left < x1) return;
    const width = x1 - x0;
    camera.jump({ x0: (left + right - width) / 2, x1: (left + right + width) / 2 });
    this.invalidate();
  }

  /** Writes the selected frame into the one tree item. */
  private announce(): void {
    const { tree, selected } = this;
    const { item } = this.surface;
    if (!tree) return;
    const siblings = selected === 0 ? [0] : tree.children(tree.parent[selected]!);
    item.setAttribute('aria-level', String(tree.columns.depth[selected]! + 1));
    item.setAttribute('aria-setsize', String(siblings.length));
    item.setAttribute('aria-posinset', String(siblings.indexOf(selected) + 1));
    item.setAttribute('aria-selected', 'true');
    item.textContent = this.options.describe(selected);
  }

  stats(): FlameStats {
    const sorted = [...this.times].sort((a, b) => a - b);
    return {
      frames: this.tree?.count ?? 0,
      rects: this.rects,
      labels: this.labels,
      draws: this.draws,
      lastMs: this.times.at(-1) ?? 0,
      p95Ms: sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.95))] ?? 0,
    };
  }

  // ---- drawing --------------------------------------------------------------------------------------------------------------

  invalidate(): void {
    this.baseDirty = true;
    this.invalidateOverlay();
  }

  private invalidateOverlay(): void {
    this.frame ||= requestAnimationFrame((now) => {
      this.frame = 0;
      this.draw(now);
    });
  }

  private draw(now: number): void {
    if (!this.tree || this.surface.width === 0) return;
    const moving = this.camera.moving(now);
    if (this.baseDirty || moving) this.drawBase(now);
    this.baseDirty = moving;
    this.drawOverlay(now);
    if (moving || (this.loading.size > 0 && !this.options.still())) this.invalidateOverlay();
  }

  private drawBase(now: number): void {
    const begun = performance.now();
    const { tree, surface, bars } = this;
    const range = this.camera.at(now);
    const window = { ...range, scale: surface.width / (range.x1 - range.x0) };
    const edges = [this.depthAt(0), this.depthAt(surface.height)];
    layoutRows(tree!, window, Math.max(0, Math.min(...edges)), Math.max(...edges), bars);
    surface.begin(surface.base);
    const scene = this.scene();
    this.rects = paintBars(surface.base, scene, this.inks, surface.ratio);
    this.labels = paintLabels(surface.base, scene);
    this.draws++;
    this.times.push(performance.now() - begun);
    if (this.times.length > HISTORY) this.times.shift();
    this.events.drawn?.();
  }

  private scene(): Scene {
    return {
      tree: this.tree!,
      bars: this.bars,
      hues: this.hues,
      palette: this.options.palette,
      width: this.surface.width,
      rowTop: (depth) => this.rowTop(depth),
      matches: this.matches,
      focusDepth: this.focus > 0 ? this.tree!.columns.depth[this.focus]! : 0,
      rootLabel: this.options.rootLabel,
      value: this.options.value,
    };
  }

  private drawOverlay(now: number): void {
    const { tree, surface, bars } = this;
    const { palette } = this.options;
    const context = surface.overlay;
    surface.begin(context);
    context.strokeStyle = palette.text;
    context.lineWidth = 1;
    if (this.hoverName >= 0) {
      for (let bar = 0; bar < bars.count; bar++) {
        if (bars.isRun(bar) || tree!.columns.name[tree!.nodes[bars.first[bar]!]!] !== this.hoverName) continue;
        this.outline(context, bars.x[bar]!, this.rowTop(bars.row[bar]!), bars.width[bar]!);
      }
    }
    if (this.hoverHit) this.outlineHit(context, this.hoverHit);
    if (surface.scroller.matches(':focus-visible')) this.outlineSelected(context);
    for (const node of this.loading) this.underline(context, node, now);
  }

  private outline(context: CanvasRenderingContext2D, x: number, y: number, width: number): void {
    const left = Math.max(0, x) + 0.5;
    const right = Math.min(this.surface.width, x + Math.max(2, width)) - 0.5;
    context.strokeRect(left, y + 0.5, Math.max(1, right - left - 0.5), ROW - 2);
  }

  private outlineHit(context: CanvasRenderingContext2D, hit: Hit): void {
    context.lineWidth = 2;
    if (hit.kind === 'frame') {
      const { x, y, width } = this.rectOf(hit.node);
      this.outline(context, x, y, width);
    } else {
      const { x0, x1 } = this.camera.target;
      const scale = this.surface.width / (x1 - x0);
      this.outline(context, (hit.range.x0 - x0) * scale, this.rowTop(hit.depth), (hit.range.x1 - hit.range.x0) * scale);
    }
    context.lineWidth = 1;
  }

  private outlineSelected(context: CanvasRenderingContext2D): void {
    const { x, y, width } = this.rectOf(this.selected);
    context.strokeStyle = this.options.palette.panel;
    context.lineWidth = 4;
    this.outline(context, x, y, width);
    context.strokeStyle = this.options.palette.accent;
    context.lineWidth = 2;
    this.outline(context, x, y, Math.max(4, width));
  }

  /** A thin line that runs below a frame whose folded children are on their way. */
  private underline(context: CanvasRenderingContext2D, node: number, now: number): void {
    const { x, y, width } = this.rectOf(node);
    const left = Math.max(0, x);
    const right = Math.min(this.surface.width, x + width);
    const part = this.options.still() ? 1 : 0.25;
    const offset = this.options.still() ? 0 : (((now / 900) % 1.25) - 0.25) * (right - left);
    context.fillStyle = this.options.palette.accent;
    const from = Math.max(left, left + offset);
    const to = Math.min(right, left + offset + (right - left) * part);
    if (to > from) context.fillRect(from, y + ROW - 2, to - from, 2);
  }
}
