// A button that opens a filtered list: the service and profile type pickers, group-by.
import { Fragment } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Icon } from './icons';
import { Popover } from './popover';

export interface Choice {
  value: string;
  label: string;
  /** Heading that the choice stands under. */
  group?: string;
  title?: string;
  hint?: string;
  disabled?: boolean;
}

interface Props {
  label: string;
  value: string;
  /** What the button says. */
  text: string;
  choices: readonly Choice[];
  pick(value: string): void;
  testId?: string;
  open?: boolean;
  setOpen?(open: boolean): void;
  placeholder?: string;
}

const WINDOW = 200;

/** Substring matches first, then subsequences. */
function narrow(choices: readonly Choice[], query: string): Choice[] {
  const wanted = query.trim().toLowerCase();
  if (wanted === '') return [...choices];
  const inOrder = (text: string): boolean => {
    let at = 0;
    for (const char of text) if (char === wanted[at]) at++;
    return at === wanted.length;
  };
  const text = (choice: Choice): string => `${choice.label} ${choice.value}`.toLowerCase();
  const exact = choices.filter((c) => text(c).includes(wanted));
  const loose = choices.filter((c) => !exact.includes(c) && inOrder(c.label.toLowerCase()));
  return [...exact, ...loose];
}

let lastId = 0;

function PickerList({ label, choices, value, pick, close, placeholder }: Omit<Props, 'text'> & { close(): void }) {
  const id = useMemo(() => `picker-${++lastId}`, []);
  const [query, setQuery] = useState('');
  const shown = useMemo(() => narrow(choices, query).slice(0, WINDOW), [choices, query]);
  const usable = shown.filter((c) => !c.disabled);
  const [active, setActive] = useState(value);
  const current = usable.some((c) => c.value === active) ? active : usable[0]?.value;
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.querySelector('.active')?.scrollIntoView({ block: 'nearest' });
  }, [current]);
  const step = (by: number): void => {
    const at = usable.findIndex((c) => c.value === current);
    const next = usable[Math.min(usable.length - 1, Math.max(0, at + by))];
    if (next) setActive(next.value);
  };
  const choose = (choice: string | undefined): void => {
    if (choice === undefined) return;
    pick(choice);
    close();
  };
  const key = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
    if (event.key in steps) step(steps[event.key]!);
    else if (event.key === 'Enter') choose(current);
    else return;
    event.preventDefault();
  };
  const option = (name: string): string => `${id}-${shown.findIndex((c) => c.value === name)}`;
  return (
    <>
      <input
        class="field" type="text" role="combobox" aria-expanded="true" aria-controls={id} aria-label={label} autocomplete="off"
        spellcheck={false} aria-activedescendant={current === undefined ? undefined : option(current)}
        placeholder={placeholder ?? 'type to filter…'} value={query} onInput={(e) => setQuery(e.currentTarget.value)} onKeyDown={key}
      />
      <ul ref={list} id={id} class="options" role="listbox" aria-label={label}>
        {shown.map((choice, i) => (
          <Fragment key={choice.value}>
            {choice.group && choice.group !== shown[i - 1]?.group && (
              <li class="group" role="presentation">
                {choice.group}
              </li>
            )}
            <li
              id={option(choice.value)} role="option" aria-selected={choice.value === value} title={choice.title}
              aria-disabled={choice.disabled} class={choice.value === current ? 'active' : ''}
              onPointerMove={() => !choice.disabled && setActive(choice.value)}
              onClick={() => !choice.disabled && choose(choice.value)}
            >
              <span class="option-label">{choice.label}</span>
              {choice.hint && <span class="hint">{choice.hint}</span>}
            </li>
          </Fragment>
        ))}
      </ul>
      {shown.length === 0 && <p class="none">Nothing matches “{query}”.</p>}
    </>
  );
}

export function Picker(props: Props) {
  const [own, setOwn] = useState(false);
  const open = props.open ?? own;
  const setOpen = props.setOpen ?? setOwn;
  return (
    <div class="anchor">
      <button
        class="control" aria-haspopup="listbox" aria-expanded={open} aria-label={`${props.label}: ${props.text}`}
        data-testid={props.testId} onClick={() => setOpen(!open)}
      >
        <span class="control-text">{props.text}</span>
        <Icon name="down" />
      </button>
      {open && (
        <Popover label={props.label} close={() => setOpen(false)}>
          <PickerList {...props} close={() => setOpen(false)} />
        </Popover>
      )}
    </div>
  );
}
