// Asks for an access token after the first 401.
import { useEffect, useRef, useState } from 'preact/hooks';
import { setToken } from '../net/api';
import { refresh, unauthorised } from './app';

export function TokenPanel() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [value, setValue] = useState('');
  const [remember, setRemember] = useState(false);
  useEffect(() => {
    if (unauthorised.value && !dialog.current!.open) dialog.current!.showModal();
  }, [unauthorised.value]);
  const submit = (event: Event): void => {
    event.preventDefault();
    setToken(value, remember);
    unauthorised.value = false;
    setValue('');
    dialog.current!.close();
    refresh();
  };
  if (!unauthorised.value) return null;
  return (
    <dialog ref={dialog} class="sheet small" aria-labelledby="token-title">
      <form onSubmit={submit}>
        <h2 id="token-title">This server asks for a token</h2>
        <p>It is sent as a bearer token with every request of this page, never in an address.</p>
        <label class="stack">
          Token
          <input class="field" type="password" autocomplete="current-password" value={value} onInput={(e) => setValue(e.currentTarget.value)} />
        </label>
        <label class="check">
          <input type="checkbox" checked={remember} onChange={(e) => setRemember(e.currentTarget.checked)} />
          Remember it in this browser
        </label>
        <button class="primary" type="submit" disabled={value === ''}>
          Use token
        </button>
      </form>
    </dialog>
  );
}
