// Two panes with a divider that pointer and arrow keys move; the position is remembered.
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { readPreference, writePreference } from '../state/prefs';

const MIN = 20;
const MAX = 75;
const STEP = 2;

export function Splitter({ left, right }: { left: ComponentChildren; right: ComponentChildren }) {
  const [part, setPart] = useState(() => readPreference('split'));
  const box = useRef<HTMLDivElement>(null);
  const move = (to: number): void => {
    const next = Math.max(MIN, Math.min(MAX, to));
    setPart(next);
    writePreference('split', next);
  };
  const drag = (event: PointerEvent): void => {
    const handle = event.currentTarget as HTMLElement;
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const area = box.current!.getBoundingClientRect();
    move(((event.clientX - area.left) / area.width) * 100);
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowLeft') move(part - STEP);
    else if (event.key === 'ArrowRight') move(part + STEP);
    else return;
    event.preventDefault();
  };
  return (
    <div ref={box} class="split" style={{ gridTemplateColumns: `${part}% 9px minmax(0, 1fr)` }}>
      <div class="pane">{left}</div>
      <div
        class="divider" role="separator" tabIndex={0} aria-orientation="vertical" aria-label="Width of the table" aria-valuenow={Math.round(part)}
        aria-valuemin={MIN} aria-valuemax={MAX} onKeyDown={key} onPointerMove={drag}
        onPointerDown={(e) => (e.currentTarget as HTMLElement).setPointerCapture(e.pointerId)}
      />
      <div class="pane">{right}</div>
    </div>
  );
}
