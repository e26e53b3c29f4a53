// Colours of the style sheet for what is drawn on canvas.
import type { Palette } from '../engine/palette';
import { isDark } from './app';

export const cssColour = (token: string): string => getComputedStyle(document.documentElement).getPropertyValue(token).trim();

export const enginePalette = (): Palette => ({
  dark: isDark(),
  panel: cssColour('--panel'),
  text: cssColour('--text'),
  muted: cssColour('--muted'),
  accent: cssColour('--accent'),
  run: cssColour('--run'),
});
