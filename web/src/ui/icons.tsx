// Icons, drawn on a 16 px grid with the text's colour.
const PATHS = {
  logo: 'M2 13h12M3.5 9.5h8.5M5.5 6h4M7 2.5h1',
  down: 'M4 6l4 4 4-4',
  left: 'M10 3.5L5.5 8l4.5 4.5',
  right: 'M6 3.5L10.500 8 6 12.500',
  close: 'M4 4l8 8M12 4l-8 8',
  plus: 'M8 3v10M3 8h10',
  out: 'M7 2.500a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9M10.500 10.500L14 14M5 7h4',
  search: 'M7 2.500a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9M10.500 10.500L14 14',
  refresh: 'M13 8a5 5 0 1 1-1.500-3.500M13 2v3h-3',
  clock: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 4.500V8l2.500 1.500',
  copy: 'M5.500 5.500h7v8h-7zM3.500 10.500v-8h7',
  check: 'M3 8.500l3.500 3.500L13 4.500',
  light: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
  dark: 'M13.500 9.500A6 6 0 0 1 6.500 2.500a6 6 0 1 0 7 7z',
  system: 'M2 3h12v8H2zM5.500 14h5M8 11v3',
  share: 'M6.500 9.500l3-3M7 5l1.500-1.500a2.800 2.800 0 0 1 4 4L11 9M9 11l-1.500 1.500a2.800 2.800 0 0 1-4-4L5 7',
  warn: 'M8 2.500l6 11H2zM8 6.500v3.500M8 11.800v.2',
  braces: 'M6 2.500c-1.800 0-1.800 1-1.800 2.500S4 7.500 2.500 8C4 8.500 4.200 9.500 4.200 11s0 2.500 1.800 2.500M10 2.500c1.800 0 1.800 1 1.800 2.500s.200 2.500 1.700 3c-1.500.500-1.700 1.500-1.700 3s0 2.500-1.800 2.500',
  flip: 'M5 2.500v11M2.500 5L5 2.500 7.500 5M11 13.500v-11M8.500 11l2.500 2.500 2.500-2.500',
  more: 'M3.500 8h.1M8 8h.1M12.500 8h.1',
} as const;
export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
