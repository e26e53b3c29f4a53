// Preferences: localStorage where the browser grants it, memory otherwise. They never override the address.

export type Theme = 'system' | 'light' | 'dark';

export interface Preferences {
  theme: Theme;
  tz: string;
  /** Width of the table in the split view, in percent. */
  split: number;
  service: string;
  /** Last profile type of each service. */
  types: Record<string, string>;
  /** Services opened last, newest first. */
  recent: string[];
  ranges: { from: string; to: string }[];
}

const DEFAULTS: Preferences = { theme: 'system', tz: 'local', split: 42, service: '', types: {}, recent: [], ranges: [] };
const PREFIX = 'hearth.';
const memory = new Map<string, string>();

function storage(): Pick<Storage, 'getItem' | 'setItem'> {
  try {
    return globalThis.localStorage ?? { getItem: (k) => memory.get(k) ?? null, setItem: (k, v) => void memory.set(k, v) };
  } catch {
    return { getItem: (k) => memory.get(k) ?? null, setItem: (k, v) => void memory.set(k, v) };
  }
}

/** The stored value when it has the default's type, else the default. Strings are stored as they are. */
export function readPreference<K extends keyof Preferences>(name: K): Preferences[K] {
  const fallback = DEFAULTS[name];
  try {
    const text = storage().getItem(PREFIX + name);
    if (text === null) return fallback;
    const value: unknown = typeof fallback === 'string' ? text : JSON.parse(text);
    return typeof value === typeof fallback && Array.isArray(value) === Array.isArray(fallback) ? (value as Preferences[K]) : fallback;
  } catch {
    return fallback;
  }
}

export function writePreference<K extends keyof Preferences>(name: K, value: Preferences[K]): void {
  try {
    storage().setItem(PREFIX + name, typeof value === 'string' ? value : JSON.stringify(value));
  } catch {
    memory.set(PREFIX + name, typeof value === 'string' ? value : JSON.stringify(value));
  }
}
