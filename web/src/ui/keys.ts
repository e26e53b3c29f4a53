// Shortcuts of single letters: off inside inputs, and off altogether with the preference of the shortcuts panel.
import { useEffect, useRef } from 'preact/hooks';
import type { Page } from '../state/url';

export type KeyMap = Record<string, () => void>;

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

const SWITCH = 'hearth.keys';

export function keysOn(): boolean {
  try {
    return localStorage.getItem(SWITCH) !== 'off';
  } catch {
    return true;
  }
}

export function setKeysOn(on: boolean): void {
  try {
    localStorage.setItem(SWITCH, on ? 'on' : 'off');
  } catch {
    // Without storage the shortcuts stay on.
  }
}

/** Calls the handler of a key pressed outside inputs and dialogs. */
export function useKeys(map: KeyMap): void {
  const current = useRef(map);
  current.current = map;
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !keysOn()) return;
      if (event.target instanceof Element && event.target.closest('[role=dialog], [role=menu]')) return;
      const handler = current.current[event.key];
      if (!handler) return;
      event.preventDefault();
      handler();
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, []);
}

const GO: Record<string, Page> = { s: 'services', e: 'explore', u: 'send' };
const CHORD_MS = 1500;

/** `?` and the chords `g s`, `g e`, `g u`. */
export function useGlobalKeys(actions: { help(): void; page(page: Page): void }): void {
  const armed = useRef(0);
  useKeys({ '?': actions.help, g: () => (armed.current = Date.now()) });
  useEffect(() => {
    const second = (event: KeyboardEvent): void => {
      if (Date.now() - armed.current > CHORD_MS || typing(event.target) || event.key === 'g') return;
      armed.current = 0;
      const page = GO[event.key];
      if (!page) return;
      event.preventDefault();
      event.stopPropagation();
      actions.page(page);
    };
    document.addEventListener('keydown', second, true);
    return () => document.removeEventListener('keydown', second, true);
  }, []);
}
