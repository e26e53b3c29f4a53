// Search of Explore: grammar of state/search, counts from the server, n and N through the matches.
import type { RefObject } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import type { Flame } from '../engine/flame';
import { getJson, type Params } from '../net/api';
import type { Functions } from '../net/types';
import { formatPercent, plural } from '../state/format';
import { compileSearch, searchParameter } from '../state/search';
import { adjust, state } from './app';
import { Icon } from './icons';
import { useKeys } from './keys';
import { useResource } from './resource';

const MIN_HIT_PIXELS = 4;

export interface Search {
  matches: ((name: string) => boolean) | null;
  /** The last query that compiled. */
  query: string;
  problem: string;
}

/** Compiles the search of the address; a bad pattern keeps the last good one. */
export function useSearch(): Search {
  const { q } = state.value;
  const good = useRef<{ query: string; matches: ((name: string) => boolean) | null }>({ query: '', matches: null });
  return useMemo(() => {
    if (q.trim() === '') {
      good.current = { query: '', matches: null };
      return { ...good.current, problem: '' };
    }
    const compiled = compileSearch(q);
    if (compiled.ok) good.current = { query: q, matches: compiled.matches };
    return { ...good.current, problem: compiled.ok ? '' : compiled.message };
  }, [q]);
}

/** Frames that match, largest first. */
function hitNodes(flame: Flame, matches: (name: string) => boolean): number[] {
  const tree = flame.tree!;
  const wanted = Uint8Array.from(tree.names.text, (text) => (text !== '' && matches(text) ? 1 : 0));
  const nodes: number[] = [];
  for (let i = 0; i < tree.count; i++) if (wanted[tree.columns.name[i]!]) nodes.push(i);
  return nodes.sort((a, b) => tree.total[b]! - tree.total[a]! || a - b);
}

interface Props {
  search: Search;
  flame: RefObject<Flame | null>;
  params: Params;
  paramsKey: string;
  path: string[];
}

export function SearchBox({ search, flame, params, paramsKey, path }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const position = useRef({ query: '', at: -1 });
  const key = search.query === '' ? null : `${paramsKey}\n${search.query}\n${path.join('\n')}`;
  const counts = useResource<Functions>(key, (signal) =>
    getJson('functions', { ...params, q: searchParameter(search.query), limit: 1, path }, signal),
  );
  const walk = (step: 1 | -1): void => {
    const engine = flame.current;
    if (!engine?.tree || !search.matches) return;
    const nodes = hitNodes(engine, search.matches);
    if (nodes.length === 0) return;
    if (position.current.query !== search.query) position.current = { query: search.query, at: step > 0 ? -1 : 0 };
    const at = (position.current.at + step + nodes.length) % nodes.length;
    position.current.at = at;
    const node = nodes[at]!;
    const inView = engine.rectOf(node);
    engine.select(node, { report: true });
    if (inView.width < MIN_HIT_PIXELS) engine.zoomTo(node, { report: true });
    engine.setHover({ kind: 'frame', node });
  };
  useKeys({ '/': () => input.current?.focus(), n: () => walk(1), N: () => walk(-1) });
  const matched = search.query === '' ? null : counts.data?.matched;
  const zoomed = path.length > 0;
  return (
    <div class="search">
      <span class="search-field">
        <Icon name="search" />
        <input
          ref={input} class="field" type="search" data-testid="search" aria-label="Search functions" placeholder="search, /regex/" spellcheck={false}
          autocomplete="off" value={state.value.q} aria-invalid={search.problem !== ''} aria-describedby="search-hits"
          onInput={(e) => adjust({ q: e.currentTarget.value })}
          onKeyDown={(e) => {
            if (e.key === 'Enter') walk(e.shiftKey ? -1 : 1);
            if (e.key === 'Escape') {
              adjust({ q: '' });
              e.currentTarget.blur();
            }
          }}
        />
      </span>
      <span id="search-hits" class={search.problem ? 'bad' : 'muted'} data-testid="hits" role="status">
        {search.problem
          ? search.problem
          : matched
            ? `${plural(matched.functions, 'function')} · ${formatPercent(matched.value, counts.data!.total)} of all${
                zoomed ? ` · ${formatPercent(matched.in_path, matched.path_value)} of view` : ''
              }`
            : ''}
      </span>
      {search.query !== '' && (
        <>
          <button class="ghost square" aria-label="Previous match" title="Previous match (N)" onClick={() => walk(-1)}>
            <Icon name="left" />
          </button>
          <button class="ghost square" aria-label="Next match" title="Next match (n)" onClick={() => walk(1)}>
            <Icon name="right" />
          </button>
        </>
      )}
    </div>
  );
}
