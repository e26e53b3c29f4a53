// Colours of frames: 12 hues by a hash of the package, ink #0d1117 on all (contrast 7.6 and more).
import { packageOf } from './names';
import type { Names } from './decode';

export const HUES = ['#dd8f94', '#fcb494', '#cb9f61', '#d0cb81', '#8eb578', '#8adbb8', '#54baba', '#7fd5f6', '#7fabe3', '#c0bfff',
  '#be96d1', '#f5afd5'] as const;
export const INK = '#0d1117';

/** What the engine needs to know of the theme. */
export interface Palette {
  dark: boolean;
  panel: string;
  text: string;
  muted: string;
  accent: string;
  /** Bars of merged and folded frames. */
  run: string;
}

/** FNV-1a over UTF-16 units. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}

/** Index into HUES. */
export const hueOf = (name: string, pkg: string): number => hash(packageOf(name, pkg) || name) % HUES.length;

export const huesOf = (names: Names): Uint8Array => Uint8Array.from(names.text, (text, id) => hueOf(text, names.pkg[id]!));

type Rgb = [number, number, number];
export function rgb(hex: string): Rgb {
  const value = parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** `part` of `a` over `b`, in sRGB. */
export function mix(a: string, b: string, part: number): string {
  const [from, to] = [rgb(a), rgb(b)];
  const channel = (i: number): number => Math.round(from[i]! * part + to[i]! * (1 - part));
  return `#${((1 << 24) | (channel(0) << 16) | (channel(1) << 8) | channel(2)).toString(16).slice(1)}`;
}

function luminance(hex: string): number {
  const [r, g, b] = rgb(hex).map((c) => {
    const s = c / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

/** The colour darkened until it stands 3:1 against `ground`. */
export function edgeOf(colour: string, ground: string): string {
  let edge = colour;
  for (let part = 0.95; part > 0.2 && contrast(edge, ground) < 3; part -= 0.05) edge = mix(colour, '#000000', part);
  return edge;
}
