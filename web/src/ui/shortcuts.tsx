// The `?` overlay.
import { useEffect, useRef, useState } from 'preact/hooks';
import { keysOn, setKeysOn } from './keys';
import { Icon } from './icons';

const SECTIONS: [string, [string, string][]][] = [
  ['Query', [['s', 'service'], ['y', 'profile type'], ['f', 'add a filter'], ['t', 'time range'], ['[ ]', 'shift the range'],
    ['-', 'widen the range'], ['Z', 'range = brush'], ['r', 'refresh']]],
  ['Graph', [['arrows', 'move the selection'], ['Enter', 'zoom to it'], ['Esc', 'zoom out one step'], ['0', 'everything'],
    ['+ _', 'zoom at the selection'], ['Home', 'root'], ['Shift-F10', 'menu'], ['w', 'sandwich'], ['b', 'bottom-up']]],
  ['Search and views', [['/', 'search'], ['n N', 'next, previous match'], ['1 2 3 5', 'split, flame, table, sandwich']]],
  ['Pages', [['g s', 'services'], ['g e', 'explore'], ['g u', 'send data'], ['?', 'this help']]],
];

export function Shortcuts({ close }: { close(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [on, setOn] = useState(keysOn);
  useEffect(() => {
    const opener = document.activeElement as HTMLElement | null;
    dialog.current!.showModal();
    return () => opener?.focus();
  }, []);
  return (
    <dialog ref={dialog} class="sheet" aria-labelledby="keys-title" onClose={close} onClick={(e) => e.target === dialog.current && close()}>
      <div class="sheet-head">
        <h2 id="keys-title">Keyboard shortcuts</h2>
        <button class="ghost square" aria-label="Close" onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      <div class="keys">
        {SECTIONS.map(([title, keys]) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {keys.map(([key, what]) => (
                <div key={key}>
                  <dt>
                    <kbd>{key}</kbd>
                  </dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <label class="check">
        <input
          type="checkbox" checked={on}
          onChange={(e) => {
            setOn(e.currentTarget.checked);
            setKeysOn(e.currentTarget.checked);
          }}
        />
        Shortcuts of single letters are on
      </label>
    </dialog>
  );
}
