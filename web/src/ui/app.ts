// What all parts of the page share: the committed state and its address, the zone, the clock, preferences.
import { batch, computed, signal } from '@preact/signals';
import type { About } from '../net/types';
import { readPreference, writePreference, type Theme } from '../state/prefs';
import { DEFAULT_RANGE, resolveRange, type Span } from '../state/time';
import { parseUrl, printUrl, rewriteLegacy, type State } from '../state/url';
import { isZone } from '../state/zone';

const TYPING_DELAY_MS = 300;
const CLOCK_TOLERANCE_MS = 30_000;

function readAddress(): State {
  const legacy = rewriteLegacy(location.pathname, location.search);
  if (legacy) history.replaceState(null, '', printUrl(legacy));
  return legacy ?? parseUrl(location.pathname, location.search);
}

export const state = signal<State>(readAddress());
export const about = signal<About | null>(null);
/** Calls that found no server; the bar says so. */
export const offline = signal(false);
/** A call was answered with 401: the page asks for a token. */
export const unauthorised = signal(false);
/** Counts refreshes: relative ranges are resolved anew at each. */
export const refreshes = signal(0);
export const theme = signal<Theme>(readPreference('theme'));
export const zonePreference = signal(readPreference('tz'));

/** What the browser's clock lacks to the server's, when that matters. */
const clockOffset = computed(() => {
  const server = about.value;
  return server && Math.abs(server.offset) > CLOCK_TOLERANCE_MS ? server.offset : 0;
});

export const now = (): number => Date.now() + clockOffset.peek();

export const zone = computed(() => {
  const { tz } = state.value;
  return tz !== '' && isZone(tz) ? tz : zonePreference.value;
});

const range = computed(() => `${state.value.from}\n${state.value.to}`);

/** The page's range, resolved once per refresh so that all panels speak of the same instant. */
export const span = computed<Span>(() => {
  void refreshes.value;
  const [from, to] = range.value.split('\n') as [string, string];
  const instant = now();
  return resolveRange({ from, to }, instant, zone.value) ?? resolveRange(DEFAULT_RANGE, instant, zone.value)!;
});

let typing: ReturnType<typeof setTimeout> | undefined;

function writeAddress(push: boolean): void {
  clearTimeout(typing);
  typing = undefined;
  const address = printUrl(state.peek());
  if (state.peek().page === 'missing') return;
  if (push) history.pushState(null, '', address);
  else history.replaceState(null, '', address);
}

/** Commits a change: a step that Back undoes. */
export function commit(change: Partial<State>): void {
  const next = { ...state.peek(), ...change };
  if (printUrl(next) === printUrl(state.peek())) return;
  // Typing that has not reached the address yet belongs to the step before.
  if (typing !== undefined) writeAddress(false);
  state.value = next;
  writeAddress(true);
}

/** A change while typing, sorting or scrolling: the address follows without a new step. */
export function adjust(change: Partial<State>): void {
  state.value = { ...state.peek(), ...change };
  clearTimeout(typing);
  typing = setTimeout(() => writeAddress(false), TYPING_DELAY_MS);
}

export function refresh(): void {
  refreshes.value++;
}

export function navigate(address: string): void {
  history.pushState(null, '', address);
  state.value = readAddress();
  scrollTo(0, 0);
}

/** Goes to a page with another state. */
export function open(next: State): void {
  navigate(printUrl(next));
}

export function setTheme(next: Theme): void {
  theme.value = next;
  writePreference('theme', next);
  applyTheme();
}

export function setZone(next: string): void {
  batch(() => {
    zonePreference.value = next;
    writePreference('tz', next);
    if (state.peek().tz !== '') adjust({ tz: next });
  });
}

/** Bumped when colours change: canvases repaint. */
export const themeVersion = signal(0);

const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

export const isDark = (): boolean => (theme.peek() === 'system' ? systemIsDark.matches : theme.peek() === 'dark');

function applyTheme(): void {
  document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
  themeVersion.value++;
}

export const isStill = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Listens to the browser: Back and Forward, links of our own pages, the system's theme. */
export function start(): void {
  addEventListener('popstate', () => {
    clearTimeout(typing);
    typing = undefined;
    state.value = readAddress();
  });
  systemIsDark.addEventListener('change', applyTheme);
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest('a[href]');
    if (!(link instanceof HTMLAnchorElement) || link.target !== '' || link.origin !== location.origin || link.hash !== '') return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  });
}
