// The committed state of the page as an address, and back. Unknown parameters are kept untouched.
import { parseZoom } from './zoom';
import { parseMatchers, printMatchers } from './selector';
import { DEFAULT_RANGE } from './time';

export type Page = 'services' | 'explore' | 'send' | 'missing';
export const VIEWS = ['split', 'flame', 'table', 'sandwich'] as const;
export type View = (typeof VIEWS)[number];

export interface State {
  page: Page;
  /** Service; '' = none chosen. */
  s: string;
  /** Profile type id; '' = the preferred one. */
  t: string;
  /** Label matchers as text. */
  f: string;
  from: string;
  to: string;
  /** Zone; '' = the preference. */
  tz: string;
  /** Brush in ms; null = none. */
  b: { from: number; to: number } | null;
  /** '' = by the width of the window. */
  view: View | '';
  /** Function of the sandwich. */
  fn: string;
  o: 'td' | 'bu';
  /** Zoom path as name hashes, root's child first. */
  z: string[];
  q: string;
  sort: string;
  /** Label to group the timeline by; '' = none. */
  g: string;
  rest: [string, string][];
}

export const PATHS: Record<Exclude<Page, 'missing'>, string> = { services: '/', explore: '/explore', send: '/send' };
export const DEFAULT_SORT = '-self';

const EMPTY: Omit<State, 'page' | 'rest'> = {
  s: '', t: '', f: '', from: DEFAULT_RANGE.from, to: DEFAULT_RANGE.to, tz: '', b: null, view: '', fn: '', o: 'td', z: [], q: '',
  sort: DEFAULT_SORT, g: '',
};

/** A fresh state of a page: its address has no parameter. */
export const emptyState = (page: Page): State => ({ page, ...EMPTY, rest: [] });

function pageOf(path: string): Page {
  const clean = path.length > 1 ? path.replace(/\/$/, '') : path;
  for (const [page, route] of Object.entries(PATHS)) if (clean === route) return page as Page;
  return 'missing';
}

function parseBrush(text: string): State['b'] {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(text);
  if (!match) return null;
  const [from, to] = [Number(match[1]), Number(match[2])];
  return from < to ? { from, to } : null;
}

/** Reads a path and query string. What is malformed reads as absent. */
export function parseUrl(path: string, search: string): State {
  const state = emptyState(pageOf(path));
  for (const [name, value] of new URLSearchParams(search)) {
    switch (name) {
      case 's': case 't': case 'f': case 'tz': case 'fn': case 'q': case 'g':
        state[name] = value;
        break;
      case 'from': case 'to':
        if (value) state[name] = value;
        break;
      case 'sort':
        if (/^-?(?:self|total|name)$/.test(value)) state.sort = value;
        break;
      case 'b':
        state.b = parseBrush(value);
        break;
      case 'view':
        if ((VIEWS as readonly string[]).includes(value)) state.view = value as View;
        break;
      case 'o':
        if (value === 'bu') state.o = 'bu';
        break;
      case 'z':
        state.z = parseZoom(value);
        break;
      default:
        state.rest.push([name, value]);
    }
  }
  return state;
}

const READABLE: Record<string, string> = { '%3A': ':', '%2C': ',', '%2F': '/', '%3D': '=', '%40': '@', '%24': '$' };

/** Percent-encodes what a query value must not hold and leaves the rest readable. */
const encode = (text: string): string => encodeURIComponent(text).replace(/%(?:3A|2C|2F|3D|40|24)/g, (code) => READABLE[code]!);

/** The address of a state: parameters in a fixed order, defaults left out. */
export function printUrl(state: State): string {
  const pairs: [string, string][] = [];
  const put = (name: string, value: string, absent = ''): void => {
    if (value !== absent) pairs.push([name, value]);
  };
  put('s', state.s);
  put('t', state.t);
  put('f', state.f);
  if (state.from !== EMPTY.from || state.to !== EMPTY.to) pairs.push(['from', state.from], ['to', state.to]);
  put('tz', state.tz);
  put('g', state.g);
  put('b', state.b ? `${state.b.from}-${state.b.to}` : '');
  put('view', state.view);
  put('fn', state.fn);
  put('o', state.o, 'td');
  put('z', state.z.join('.'));
  put('q', state.q);
  put('sort', state.sort, DEFAULT_SORT);
  const path = state.page === 'missing' ? '/missing' : PATHS[state.page];
  const query = [...pairs, ...state.rest].map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
  return query ? `${path}?${query}` : path;
}

/** Splits Pyroscope's `type{matchers}` into type, service and the other matchers; null when it does not parse. */
export function splitLegacyQuery(query: string): Pick<State, 's' | 't' | 'f'> | null {
  const brace = query.indexOf('{');
  const t = (brace < 0 ? query : query.slice(0, brace)).trim();
  const parsed = parseMatchers(brace < 0 ? '' : query.slice(brace));
  if (!parsed.ok) return null;
  const service = parsed.matchers.find((m) => m.name === 'service_name' && m.op === '=');
  const rest = parsed.matchers.filter((m) => m !== service);
  return { s: service?.value ?? '', t, f: printMatchers(rest) };
}

const LEGACY_PATHS = ['/', '/explore', '/comparison', '/comparison-diff'];
const LEGACY_NAMES = ['query', 'from', 'until', 'groupBy', 'groupByValue', 'maxNodes', 'leftQuery', 'leftFrom', 'leftUntil',
  'rightQuery', 'rightFrom', 'rightUntil'];

/**
 * A Pyroscope page address as a state, or null when it is none. Comparison links open their right side (the one under
 * suspicion) in Explore.
 */
export function rewriteLegacy(path: string, search: string): State | null {
  if (!LEGACY_PATHS.includes(path)) return null;
  const params = new URLSearchParams(search);
  const side = params.has('rightQuery') ? 'right' : params.has('query') ? '' : null;
  if (side === null) return null;
  const get = (name: string): string => params.get(side === '' ? name : side + name[0]!.toUpperCase() + name.slice(1)) ?? '';
  const split = splitLegacyQuery(get('query'));
  if (!split) return null;
  const state: State = { ...emptyState('explore'), ...split };
  state.from = get('from') || params.get('from') || state.from;
  state.to = get('until') || params.get('until') || state.to;
  state.g = params.get('groupBy') ?? '';
  for (const [name, value] of params) if (!LEGACY_NAMES.includes(name)) state.rest.push([name, value]);
  return state;
}
