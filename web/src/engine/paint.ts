// Painting of bars and their labels on the base layer. Colours are batched: one fill style per hue.
import type { Bars } from './bars';
import { fitName } from './names';
import { HUES, INK, edgeOf, mix, type Palette } from './palette';
import type { FrameTree } from './tree';

export const ROW = 20;
export const FONT_SIZE = 12;
const FONT = `${FONT_SIZE}px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace`;
const ITALIC = `italic ${FONT}`;
const PADDING = 5;
const MIN_LABEL = 26;
const KERNEL = 1;
const UNSYMBOLISED = 2;
const RUN = HUES.length;
/** Packages and values: contrast of 5 and more on every hue. */
const SOFT_INK = mix(INK, '#ffffff', 0.84);

/** What one draw needs. */
export interface Scene {
  tree: FrameTree;
  bars: Bars;
  hues: Uint8Array;
  palette: Palette;
  width: number;
  /** Top of a row in the viewport, CSS pixels. */
  rowTop(depth: number): number;
  /** 1 for names that match the search; null without a search. */
  matches: Uint8Array | null;
  /** Rows above this depth are ancestors of the zoomed frame: context, drawn faded. */
  focusDepth: number;
  rootLabel: string;
  /** Text behind a label when there is room. */
  value(node: number): string;
}

/** Fill and edge per hue, plain and faded, the muted run last. */
export class Inks {
  readonly fill: string[];
  readonly edge: string[];
  constructor(palette: Palette) {
    const plain = [...HUES, palette.run];
    const faded = plain.map((colour) => mix(colour, palette.panel, palette.dark ? 0.28 : 0.32));
    this.fill = [...plain, ...faded];
    this.edge = palette.dark ? this.fill : [...plain.map((c) => edgeOf(c, palette.panel)), ...faded.map((c) => mix(c, '#000000', 0.8))];
  }
}

let characterWidth = 0;

/** Width of one character of the label font. */
export function measureCharacter(context: CanvasRenderingContext2D): number {
  if (characterWidth === 0) {
    context.font = FONT;
    characterWidth = context.measureText('0000000000').width / 10;
  }
  return characterWidth;
}

/** Index into Inks.fill of every bar. */
function inkOf(scene: Scene, bar: number): number {
  const { tree, bars, matches } = scene;
  const node = tree.nodes[bars.first[bar]!]!;
  const run = bars.isRun(bar) || tree.folded(node);
  const base = run ? RUN : scene.hues[tree.columns.name[node]!]!;
  const faded = matches ? !barMatches(scene, bar) : bars.row[bar]! < scene.focusDepth;
  return faded ? base + RUN + 1 : base;
}

const RUN_SCAN = 256;

/** A bar matches when its name does; a run when one of its (first 256) frames does. */
function barMatches({ tree, bars, matches }: Scene, bar: number): boolean {
  const last = Math.min(bars.last[bar]!, bars.first[bar]! + RUN_SCAN);
  for (let i = bars.first[bar]!; i <= last; i++) if (matches![tree.columns.name[tree.nodes[i]!]!]) return true;
  return false;
}

/** Left edge and width, clipped to the viewport and snapped to device pixels. */
function span(scene: Scene, bar: number, ratio: number): [number, number] {
  const left = Math.max(0, scene.bars.x[bar]!);
  const right = Math.min(scene.width, scene.bars.x[bar]! + scene.bars.width[bar]!);
  const x = Math.round(left * ratio) / ratio;
  const width = Math.max(1 / ratio, Math.round(right * ratio) / ratio - x);
  return [x, width];
}

/** Paints all bars; returns the number of rectangles. */
export function paintBars(context: CanvasRenderingContext2D, scene: Scene, inks: Inks, ratio: number): number {
  const { bars } = scene;
  const ink = new Uint8Array(bars.count);
  for (let bar = 0; bar < bars.count; bar++) ink[bar] = inkOf(scene, bar);
  let rectangles = 0;
  const edges = inks.edge !== inks.fill;
  for (let colour = 0; colour < inks.fill.length; colour++) {
    for (let pass = edges ? 0 : 1; pass < 2; pass++) {
      context.fillStyle = pass === 0 ? inks.edge[colour]! : inks.fill[colour]!;
      for (let bar = 0; bar < bars.count; bar++) {
        if (ink[bar] !== colour) continue;
        const [x, width] = span(scene, bar, ratio);
        const y = scene.rowTop(bars.row[bar]!);
        const gap = width >= 2 ? 1 / ratio : 0;
        const border = edges && width >= 2 ? 1 : 0;
        if (pass === 0 && border === 0) continue;
        const inset = pass === 0 ? 0 : border;
        context.fillRect(x + inset, y + inset, Math.max(1 / ratio, width - gap - 2 * inset), ROW - 1 - 2 * inset);
        rectangles++;
      }
    }
  }
  paintHatches(context, scene, ratio);
  return rectangles;
}

/** Diagonal lines over kernel frames and folded frames. */
function paintHatches(context: CanvasRenderingContext2D, scene: Scene, ratio: number): void {
  const { tree, bars } = scene;
  context.strokeStyle = scene.palette.dark ? 'rgba(13,17,23,0.45)' : 'rgba(13,17,23,0.3)';
  context.lineWidth = 1;
  for (let bar = 0; bar < bars.count; bar++) {
    const node = tree.nodes[bars.first[bar]!]!;
    const kernel = tree.names.kind[tree.columns.name[node]!] === KERNEL;
    if (bars.width[bar]! < 4 || !(kernel || tree.folded(node))) continue;
    const [x, width] = span(scene, bar, ratio);
    const y = scene.rowTop(bars.row[bar]!);
    context.save();
    context.beginPath();
    context.rect(x, y, width - 1, ROW - 1);
    context.clip();
    context.beginPath();
    for (let offset = -ROW; offset < width; offset += 6) {
      context.moveTo(x + offset, y + ROW);
      context.lineTo(x + offset + ROW, y);
    }
    context.stroke();
    context.restore();
  }
}

/** Paints the labels of bars that have room for one; returns their number. */
export function paintLabels(context: CanvasRenderingContext2D, scene: Scene): number {
  const { tree, bars } = scene;
  const character = measureCharacter(context);
  let labels = 0;
  context.textBaseline = 'middle';
  for (let bar = 0; bar < bars.count; bar++) {
    if (bars.width[bar]! < MIN_LABEL || bars.isRun(bar)) continue;
    const left = Math.max(0, bars.x[bar]!);
    const width = Math.min(scene.width, bars.x[bar]! + bars.width[bar]!) - left;
    if (width < MIN_LABEL) continue;
    const node = tree.nodes[bars.first[bar]!]!;
    if (tree.folded(node)) continue;
    paintLabel(context, scene, node, left + PADDING, width - 2 * PADDING, scene.rowTop(bars.row[bar]!) + ROW / 2, character, bar);
    labels++;
  }
  return labels;
}

function paintLabel(
  context: CanvasRenderingContext2D, scene: Scene, node: number, x: number, room: number, y: number, character: number, bar: number,
): void {
  const { tree, palette } = scene;
  const unknown = tree.names.kind[tree.columns.name[node]!] === UNSYMBOLISED;
  const name = node === 0 && tree.nameOf(0) === '' ? scene.rootLabel : tree.nameOf(node);
  const { text, muted } = fitName(name, Math.floor(room / character));
  if (text === '') return;
  const faded = scene.matches ? !barMatches(scene, bar) : scene.bars.row[bar]! < scene.focusDepth;
  const strong = faded ? palette.text : INK;
  context.font = unknown ? ITALIC : FONT;
  context.fillStyle = faded ? palette.muted : SOFT_INK;
  if (muted > 0) context.fillText(text.slice(0, muted), x, y);
  context.fillStyle = unknown && !faded ? '#3a404a' : strong;
  context.fillText(text.slice(muted), x + muted * character, y);
  const value = scene.value(node);
  const used = (text.length + 2) * character;
  if (used + value.length * character > room) return;
  context.fillStyle = faded ? palette.muted : SOFT_INK;
  context.fillText(value, x + used, y);
}
