import { useState } from 'preact/hooks';
import { copyText } from './clipboard';
import { Icon } from './icons';

const SHOWN_MS = 1500;

/** Copies `text`; says so for a moment. */
export function CopyButton({ text, label, class: name = 'ghost' }: { text: string; label: string; class?: string }) {
  const [done, setDone] = useState<boolean | null>(null);
  const copy = async (): Promise<void> => {
    setDone(await copyText(text));
    setTimeout(() => setDone(null), SHOWN_MS);
  };
  return (
    <button class={name} aria-label={label} onClick={() => void copy()}>
      <Icon name={done ? 'check' : 'copy'} />
      <span aria-live="polite">{done === null ? 'Copy' : done ? 'Copied' : 'Not allowed'}</span>
    </button>
  );
}
