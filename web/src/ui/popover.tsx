// A panel under the control that opened it. Escape and a click outside close it; the focus goes back to the control.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface Props {
  label: string;
  close(): void;
  children: ComponentChildren;
  align?: 'left' | 'right';
  wide?: boolean;
  testId?: string;
}

export function Popover({ label, close, children, align = 'left', wide, testId }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const opener = document.activeElement as HTMLElement | null;
    const panel = box.current!;
    if (!panel.contains(document.activeElement)) panel.querySelector<HTMLElement>('input, button, [tabindex="0"]')?.focus();
    const outside = (event: PointerEvent): void => {
      if (!panel.parentElement!.contains(event.target as Node)) close();
    };
    document.addEventListener('pointerdown', outside, true);
    return () => {
      document.removeEventListener('pointerdown', outside, true);
      if (panel.contains(document.activeElement) || document.activeElement === document.body) opener?.focus();
    };
  }, []);
  // On the narrowest screens CSS turns the panel into a sheet; otherwise it is kept inside the window here.
  useEffect(() => {
    const panel = box.current!;
    const over = panel.getBoundingClientRect().right - document.documentElement.clientWidth + 8;
    if (align === 'left' && over > 0) panel.style.left = `${-over}px`;
  }, []);
  const key = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    close();
  };
  return (
    <div ref={box} class={`popover ${align}${wide ? ' wide' : ''}`} role="dialog" aria-label={label} onKeyDown={key} data-testid={testId}>
      {children}
    </div>
  );
}
