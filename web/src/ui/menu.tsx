// The context menu of a frame or of a table row.
import { useEffect, useRef } from 'preact/hooks';

export interface MenuItem {
  label: string;
  key?: string;
  /** What other tools call it. */
  also?: string;
  run(): void;
}
export interface MenuGroup {
  title: string;
  items: MenuItem[];
}

interface Props {
  title: string;
  x: number;
  y: number;
  groups: MenuGroup[];
  close(): void;
}

const MARGIN = 8;

export function Menu({ title, x, y, groups, close }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const panel = box.current!;
    const opener = document.activeElement as HTMLElement | null;
    panel.style.left = `${Math.max(MARGIN, Math.min(x, innerWidth - panel.offsetWidth - MARGIN))}px`;
    panel.style.top = `${Math.max(MARGIN, Math.min(y, innerHeight - panel.offsetHeight - MARGIN))}px`;
    panel.querySelector<HTMLElement>('[role=menuitem]')?.focus();
    const outside = (event: PointerEvent): void => {
      if (!panel.contains(event.target as Node)) close();
    };
    document.addEventListener('pointerdown', outside, true);
    addEventListener('blur', close);
    return () => {
      document.removeEventListener('pointerdown', outside, true);
      removeEventListener('blur', close);
      opener?.focus();
    };
  }, []);
  const key = (event: KeyboardEvent): void => {
    const items = [...box.current!.querySelectorAll<HTMLElement>('[role=menuitem]')];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const to: Record<string, number> = { ArrowDown: (at + 1) % items.length, ArrowUp: (at - 1 + items.length) % items.length, Home: 0, End: items.length - 1 };
    if (event.key in to) items[to[event.key]!]?.focus();
    else if (event.key === 'Escape' || event.key === 'Tab') close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div ref={box} class="menu" role="menu" aria-label={title} data-testid="menu" onKeyDown={key} onContextMenu={(e) => e.preventDefault()}>
      <div class="menu-title mono" role="presentation">
        {title}
      </div>
      {groups.map((group) => (
        <div key={group.title} role="group" aria-label={group.title}>
          <div class="group" role="presentation">
            {group.title}
          </div>
          {group.items.map((item) => (
            <button
              key={item.label} role="menuitem" tabIndex={-1} title={item.also && `also known as ${item.also}`}
              onClick={() => {
                close();
                item.run();
              }}
            >
              <span>{item.label}</span>
              {item.key && <kbd>{item.key}</kbd>}
            </button>
          ))}
        </div>
      ))}
    </div>
  );
}
