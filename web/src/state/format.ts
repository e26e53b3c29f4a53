// Numbers for people. Thin spaces part number and unit; no locale enters.
const THIN = '\u202f';

function scaled(value: number, steps: readonly (readonly [number, string])[]): string {
  const size = Math.abs(value);
  const [factor, unit] = steps.find(([f]) => size >= f) ?? steps[steps.length - 1]!;
  return `${digits(value / factor)}${unit ? THIN : ''}${unit}`;
}

/** Three significant digits, without exponents. */
export function digits(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 100) return String(Math.round(value));
  if (size >= 10) return trim(value.toFixed(1));
  return trim(value.toFixed(size >= 0.1 ? 2 : 3));
}
const trim = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') || '0' : text);

const SECONDS = [[86_400, 'd'], [3600, 'h'], [60, 'min'], [1, 's'], [1e-3, 'ms'], [1e-6, 'µs'], [1e-9, 'ns']] as const;
const BYTES = [[2 ** 50, 'PiB'], [2 ** 40, 'TiB'], [2 ** 30, 'GiB'], [2 ** 20, 'MiB'], [2 ** 10, 'KiB'], [1, 'B']] as const;
const COUNTS = [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k'], [1, '']] as const;

const SECONDS_PER: Record<string, number> = { nanoseconds: 1e-9, microseconds: 1e-6, milliseconds: 1e-3, seconds: 1 };
const BYTES_PER: Record<string, number> = { bytes: 1, kilobytes: 1024, megabytes: 2 ** 20 };

/** A total in a sample unit: "12.3 s", "214 MiB", "12.3 k". */
export function formatValue(value: number, unit: string): string {
  if (unit in SECONDS_PER) return scaled(value * SECONDS_PER[unit]!, value === 0 ? [[1, 's']] : SECONDS);
  if (unit in BYTES_PER) return scaled(value * BYTES_PER[unit]!, value === 0 ? [[1, 'B']] : BYTES);
  return formatCount(value);
}

export const formatCount = (value: number): string => scaled(value, COUNTS);

/** A rate: `perSecond` in units per second. Time per time is cores (CPU) or a plain ratio. */
export function formatRate(perSecond: number, unit: string, cpu: boolean): string {
  if (unit in SECONDS_PER) return `${digits(perSecond * SECONDS_PER[unit]!)}${THIN}${cpu ? 'cores' : 's/s'}`;
  return `${formatValue(perSecond, unit)}/s`;
}

/** One decimal; "<0.1 %" for what is there but small. A share of nothing has no number. */
export function formatPercent(part: number, whole: number): string {
  if (whole === 0 || !Number.isFinite(part / whole)) return '–';
  const percent = (part / whole) * 100;
  if (percent !== 0 && Math.abs(percent) < 0.1) return percent > 0 ? `<0.1${THIN}%` : `>−0.1${THIN}%`;
  return `${percent.toFixed(1).replace('-', '−')}${THIN}%`;
}

/** A relative change: "▲ +12 %", "▼ −4 %", "▬ 0 %", or the word for a missing baseline. */
export function formatChange(now: number, before: number | null): string {
  if (before === null) return '';
  if (before === 0) return now === 0 ? `▬ 0${THIN}%` : 'new';
  const percent = Math.round(((now - before) / before) * 100);
  if (percent === 0) return `▬ 0${THIN}%`;
  return percent > 0 ? `▲ +${percent}${THIN}%` : `▼ −${-percent}${THIN}%`;
}

/** Grouped digits: "1,284". With "≈" beyond what a double holds exactly. */
export function formatExact(value: number): string {
  const text = String(Math.trunc(Math.abs(value))).replace(/\B(?=(\d{3})+$)/g, ',');
  return `${Math.abs(value) > 2 ** 53 ? '≈ ' : ''}${value < 0 ? '−' : ''}${text}`;
}

export const plural = (n: number, one: string, many = `${one}s`): string => `${formatExact(n)} ${n === 1 ? one : many}`;
