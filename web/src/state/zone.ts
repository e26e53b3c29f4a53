// Wall-clock time in a zone and back, from Intl alone.

/** A zone preference: "utc", "local" or an IANA name. */
export type Zone = string;

export function ianaName(zone: Zone): string | undefined {
  if (zone === 'utc') return 'UTC';
  return zone === 'local' ? undefined : zone;
}

export function isZone(zone: string): boolean {
  if (zone === 'utc' || zone === 'local') return true;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

export interface Wall {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

const formats = new Map<Zone, Intl.DateTimeFormat>();

function partsFormat(zone: Zone): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: ianaName(zone),
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(zone, format);
  }
  return format;
}

/** The calendar and clock of `zone` at `ms`. */
export function wallOf(ms: number, zone: Zone): Wall {
  const wall: Record<string, number> = {};
  for (const { type, value } of partsFormat(zone).formatToParts(ms)) if (type !== 'literal') wall[type] = Number(value);
  return wall as unknown as Wall;
}

const utcMs = (w: Wall): number => Date.UTC(w.year, w.month - 1, w.day, w.hour, w.minute, w.second);

/** Minutes that `zone` is ahead of UTC at `ms`. */
export const offsetMinutes = (ms: number, zone: Zone): number =>
  Math.round((utcMs(wallOf(ms, zone)) - Math.floor(ms / 1000) * 1000) / 60_000);

/** The instant of a wall time; fields may overflow (day 0, hour 24). In a gap of daylight saving: the time after the gap. */
export function instantOf(wall: Wall, zone: Zone): number {
  const guess = utcMs(wall);
  const first = guess - offsetMinutes(guess, zone) * 60_000;
  return guess - offsetMinutes(first, zone) * 60_000;
}

const two = (n: number): string => String(n).padStart(2, '0');

export const isoDay = (w: Wall): string => `${w.year}-${two(w.month)}-${two(w.day)}`;
export const clock = (w: Wall, seconds = true): string => `${two(w.hour)}:${two(w.minute)}${seconds ? `:${two(w.second)}` : ''}`;

/** "UTC", "UTC+1" or "UTC−3:30" at `ms`. */
export function zoneLabel(zone: Zone, ms: number): string {
  const minutes = offsetMinutes(ms, zone);
  if (minutes === 0) return 'UTC';
  const size = Math.abs(minutes);
  const rest = size % 60 ? `:${two(size % 60)}` : '';
  return `UTC${minutes < 0 ? '−' : '+'}${Math.floor(size / 60)}${rest}`;
}
