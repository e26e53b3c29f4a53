// Entry: mounts the shell, loads the page of the address.
import { render } from 'preact';
import { getJson } from '../net/api';
import type { About } from '../net/types';
import { about, start } from './app';
import { Shell } from './shell';

start();
render(<Shell />, document.getElementById('app')!);
getJson<About>('about', {}, new AbortController().signal).then(
  (answer) => (about.value = { ...answer, offset: answer.server_time - Date.now() }),
  () => {
    // The panels say what is wrong; the page works without knowing the version.
  },
);
