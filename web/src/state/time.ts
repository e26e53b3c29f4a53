// Time expressions of the URL and of the time picker.
import { clock, instantOf, isoDay, wallOf, zoneLabel, type Wall, type Zone } from './zone';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A range as text: relative words stay relative. */
export interface TimeRange {
  from: string;
  to: string;
}
/** The same, resolved: absolute milliseconds, from < to. */
export interface Span {
  from: number;
  to: number;
}
export type Edge = 'from' | 'to';

export const DEFAULT_RANGE: TimeRange = { from: 'now-1h', to: 'now' };
export const PRESETS = ['5m', '15m', '30m', '1h', '3h', '6h', '12h', '24h', '2d', '7d', '30d'] as const;

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: MINUTE, h: HOUR, d: DAY, w: 7 * DAY, M: 30 * DAY, y: 365 * DAY };
const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

/** "90m", "1h30m" in milliseconds; null when it is no duration. */
export function parseDuration(text: string): number | null {
  if (!/^(?:\d+(?:ms|[smhdwMy]))+$/.test(text)) return null;
  let sum = 0;
  for (const [, n, unit] of text.matchAll(/(\d+)(ms|[smhdwMy])/g)) sum += Number(n) * UNITS[unit!]!;
  return sum > 0 ? sum : null;
}

/** "1 h 30 min" for people. */
export function describeDuration(ms: number): string {
  const parts: string[] = [];
  let rest = Math.round(ms / 1000);
  for (const [unit, size] of [['d', 86_400], ['h', 3600], ['min', 60], ['s', 1]] as const) {
    const n = Math.floor(rest / size);
    if (n > 0 && parts.length < 2) parts.push(`${n} ${unit}`);
    rest -= n * size;
  }
  return parts.join(' ') || '0 s';
}

const dayOf = (now: number, zone: Zone, days: number): Wall => ({
  ...wallOf(now, zone),
  hour: 0,
  minute: 0,
  second: 0,
  day: wallOf(now, zone).day + days,
});

/** "9:00" or "09:30:15" as fields; null when it is no time of day. */
function timeOfDay(text: string): Pick<Wall, 'hour' | 'minute' | 'second'> | null {
  const match = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text);
  if (!match) return null;
  const [hour, minute, second] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
  return hour < 24 && minute < 60 && second < 60 ? { hour, minute, second } : null;
}

/** `today`, `yesterday`, `[last ]monday`, each with an optional time of day. Without one, a `to` means the end of that day. */
function namedDay(text: string, now: number, zone: Zone, edge: Edge): number | null {
  const match = /^(?:last )?([a-z]+)(?: (?:at )?(\d[\d:]*))?$/.exec(text);
  if (!match) return null;
  const weekday = WEEKDAYS.indexOf(match[1]!);
  let back = match[1] === 'today' ? 0 : match[1] === 'yesterday' ? 1 : -1;
  if (weekday >= 0) {
    const today = dayOf(now, zone, 0);
    const current = new Date(Date.UTC(today.year, today.month - 1, today.day)).getUTCDay();
    back = (current - weekday + 7) % 7 || 7;
  }
  if (back < 0) return null;
  const clockTime = match[2] === undefined ? null : timeOfDay(match[2]);
  if (match[2] !== undefined && !clockTime) return null;
  if (clockTime) return instantOf({ ...dayOf(now, zone, -back), ...clockTime }, zone);
  return instantOf(dayOf(now, zone, edge === 'to' ? 1 - back : -back), zone);
}

/** ISO 8601 with zone, or a date with optional time in the chosen zone, or a time of today. */
function calendar(text: string, now: number, zone: Zone, edge: Edge): number | null {
  if (/^\d{4}-\d{2}-\d{2}t[\d:.]+(?:z|[+-]\d{2}:?\d{2})$/.test(text)) {
    const ms = Date.parse(text.toUpperCase());
    return Number.isNaN(ms) ? null : ms;
  }
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:[ t](\d{1,2}:\d{2}(?::\d{2})?))?$/.exec(text);
  if (!match) {
    const time = timeOfDay(text);
    return time && instantOf({ ...dayOf(now, zone, 0), ...time }, zone);
  }
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const check = new Date(Date.UTC(year, month - 1, day));
  if (check.getUTCMonth() !== month - 1 || check.getUTCDate() !== day) return null;
  const time = match[4] === undefined ? null : timeOfDay(match[4]);
  if (match[4] !== undefined && !time) return null;
  if (time) return instantOf({ year, month, day, ...time }, zone);
  return instantOf({ year, month, day: edge === 'to' ? day + 1 : day, hour: 0, minute: 0, second: 0 }, zone);
}

/** Milliseconds of an expression at `now`; null when it is not understood. */
export function resolveTime(expression: string, now: number, zone: Zone, edge: Edge): number | null {
  const text = expression.trim().replace(/\s+/g, ' ');
  if (text === 'now') return now;
  const relative = /^now ?- ?(.+)$/.exec(text);
  const duration = parseDuration(relative ? relative[1]! : text);
  if (duration !== null) return now - duration;
  if (relative) return null;
  if (/^\d{13}$/.test(text)) return Number(text);
  if (/^\d{10}$/.test(text)) return Number(text) * 1000;
  const lower = text.toLowerCase();
  return namedDay(lower, now, zone, edge) ?? calendar(lower, now, zone, edge);
}

/** What the URL keeps: relative words as they are, `90m` as `now-90m`, everything else absolute. */
export function canonicalTime(expression: string, now: number, zone: Zone, edge: Edge): string | null {
  const ms = resolveTime(expression, now, zone, edge);
  if (ms === null) return null;
  const text = expression.trim().replace(/\s+/g, ' ');
  if (/^now/.test(text)) return text.replace(/ /g, '');
  if (parseDuration(text) !== null) return `now-${text}`;
  const lower = text.toLowerCase();
  if (/^(?:today|yesterday)$/.test(lower)) return lower;
  return isoTime(ms);
}

export const isoTime = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

export const isRelative = (range: TimeRange): boolean => /^(?:now|today|yesterday)/.test(range.from) && /^(?:now|today|yesterday)/.test(range.to);

/** Both ends of a range, or null when one is not understood or the range is empty. */
export function resolveRange(range: TimeRange, now: number, zone: Zone): Span | null {
  const from = resolveTime(range.from, now, zone, 'from');
  const to = resolveTime(range.to, now, zone, 'to');
  return from === null || to === null || from >= to ? null : { from, to };
}

/** Two ends pasted as one text: "A to B", "A/B", "A - B" or the query of a Grafana address. */
export function splitPastedRange(text: string): TimeRange | null {
  const query = /[?&]from=([^&]+)&(?:.*&)?to=([^&]+)/.exec(text);
  if (query) return { from: decodeURIComponent(query[1]!), to: decodeURIComponent(query[2]!) };
  const parts = /^(.+?)\s*(?:\bto\b|\/|–| - )\s*(.+)$/.exec(text.trim());
  return parts ? { from: parts[1]!, to: parts[2]! } : null;
}

/** "2026-11-20 10:04:10". */
export function formatInstant(ms: number, zone: Zone): string {
  const wall = wallOf(ms, zone);
  return `${isoDay(wall)} ${clock(wall)}`;
}

/** A range in as few words as its day allows: "10:04:10–10:06:30" within today, with dates otherwise. */
export function formatSpan(span: Span, zone: Zone, now: number): string {
  const [from, to, today] = [wallOf(span.from, zone), wallOf(span.to, zone), wallOf(now, zone)];
  const seconds = span.to - span.from < 2 * HOUR && (from.second !== 0 || to.second !== 0);
  if (isoDay(from) === isoDay(to)) {
    const day = isoDay(from) === isoDay(today) ? '' : `${isoDay(from)} `;
    return `${day}${clock(from, seconds)}–${clock(to, seconds)}`;
  }
  return `${isoDay(from)} ${clock(from, seconds)} – ${isoDay(to)} ${clock(to, seconds)}`;
}

/** The button's text: "Last 1 h" for a preset, otherwise the span. */
export function describeRange(range: TimeRange, span: Span | null, zone: Zone, now: number): string {
  const last = /^now-(.+)$/.exec(range.from);
  const duration = range.to === 'now' && last ? parseDuration(last[1]!) : null;
  if (duration !== null) return `Last ${describeDuration(duration)}`;
  return span ? formatSpan(span, zone, now) : `${range.from} – ${range.to}`;
}

/** The line under the inputs: how an end was understood. */
export function explainTime(ms: number, now: number, zone: Zone): string {
  const ago = now - ms;
  const relation = Math.abs(ago) < 1000 ? 'now' : ago > 0 ? `${describeDuration(ago)} ago` : `in ${describeDuration(-ago)}`;
  return `${formatInstant(ms, zone)} ${zoneLabel(zone, ms)} · ${relation}`;
}

/** A range moved by half its length (`-1` back, `1` forward) or doubled about its middle (`0`). Absolute. */
export function shiftSpan(span: Span, direction: -1 | 0 | 1): Span {
  const length = span.to - span.from;
  if (direction === 0) return { from: Math.round(span.from - length / 2), to: Math.round(span.to + length / 2) };
  const by = Math.round((direction * length) / 2);
  return { from: span.from + by, to: span.to + by };
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/** Bucket width in milliseconds for about `points` points over a span; 15 s at least, as agents push. */
export function stepFor(span: Span, points: number): number {
  const wanted = (span.to - span.from) / 1000 / points;
  const step = STEPS.find((s) => s >= wanted && s >= 15) ?? Math.ceil(wanted / 86_400) * 86_400;
  return step * 1000;
}
