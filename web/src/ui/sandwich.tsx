// Callers above, callees below one function: two server-made trees.
import { useEffect, useRef, useState } from 'preact/hooks';
import { decode } from '../engine/decode_client';
import type { Flame } from '../engine/flame';
import { layout, type FrameTree } from '../engine/tree';
import { ApiError, getTrees, type Params } from '../net/api';
import type { Functions } from '../net/types';
import { formatPercent, formatValue, plural } from '../state/format';
import { typeInfo } from '../state/profile_type';
import { commit, state } from './app';
import { FlameView } from './flame_view';
import { useResource } from './resource';
import { ErrorPanel, FirstLoad, Reloading } from './states';

interface Halves {
  fn: string;
  callers: FrameTree;
  callees: FrameTree;
}

async function load(fn: string, params: Params, signal: AbortSignal): Promise<Halves> {
  const payloads = await getTrees('sandwich', { ...params, fn }, signal);
  if (payloads.length !== 2) throw new ApiError(-1, 'unreadable', `The server sent ${payloads.length} trees of a sandwich; want 2.`);
  const [callers, callees] = await Promise.all(payloads.map(decode));
  return { fn, callers: layout(callers!), callees: layout(callees!) };
}

/** Share of each direct caller or callee, in words: the table next to the picture. */
function Neighbours({ tree, title, pick }: { tree: FrameTree; title: string; pick(name: string): void }) {
  const total = tree.total[0]!;
  const children = tree.children(0);
  const rest = tree.columns.self[0]!;
  return (
    <div class="neighbours">
      <h3>{title}</h3>
      <ul>
        {children.slice(0, 20).map((node) => (
          <li key={node}>
            {tree.folded(node) ? (
              <span class="muted">small ones, folded</span>
            ) : (
              <button class="ghost small mono" onClick={() => pick(tree.nameOf(node))}>
                <bdi>{tree.nameOf(node)}</bdi>
              </button>
            )}
            <span>{formatPercent(tree.total[node]!, total)}</span>
          </li>
        ))}
        {rest > 0 && (
          <li>
            <span class="muted">{title === 'Callers' ? 'none: a root' : 'itself'}</span>
            <span>{formatPercent(rest, total)}</span>
          </li>
        )}
      </ul>
    </div>
  );
}

interface HalfProps {
  tree: FrameTree;
  grow: 'up' | 'down';
  label: string;
  fn: string;
  unit: string;
  functions: Functions | null;
  hovered: string;
  hover(name: string | null): void;
  centre(name: string): void;
  menu(name: string, x: number, y: number): void;
}

function Half({ tree, grow, label, fn, unit, functions, hovered, hover, centre, menu }: HalfProps) {
  const flame = useRef<Flame>(null);
  useEffect(() => flame.current!.setTree(tree), [tree]);
  const click = (node: number): void => {
    const name = tree.nameOf(node);
    if (node > 0 && name !== fn) centre(name);
  };
  return (
    <FlameView
      tree={tree} label={label} grow={grow} rootLabel={fn} unit={unit} whole={tree.total[0]!} functions={functions} hovered={hovered}
      matches={null} flame={flame} hover={hover} zoom={click} select={() => undefined} main={grow === 'down'}
      menu={(node, x, y) => menu(tree.nameOf(node), x, y)}
    />
  );
}

interface Props {
  params: Params;
  paramsKey: string;
  type: string;
  functions: Functions | null;
  hovered: string;
  hover(name: string | null): void;
  menu(name: string, x: number, y: number): void;
}

function Title({ functions }: { functions: Functions | null }) {
  const [text, setText] = useState(state.value.fn);
  useEffect(() => setText(state.value.fn), [state.value.fn]);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (text !== '') commit({ fn: text });
  };
  return (
    <form class="sandwich-title" onSubmit={submit}>
      <input
        class="field mono" aria-label="Function" list="fn-names" placeholder="function…" value={text} spellcheck={false}
        onInput={(e) => {
          const value = e.currentTarget.value;
          setText(value);
          if (functions?.names.includes(value)) commit({ fn: value });
        }}
      />
      <datalist id="fn-names">
        {(functions?.names ?? []).slice(0, 300).map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </form>
  );
}

export function Sandwich({ params, paramsKey, type, functions, hovered, hover, menu }: Props) {
  const { fn } = state.value;
  const halves = useResource<Halves>(fn === '' ? null : `${fn}\n${paramsKey}`, (signal) => load(fn, params, signal));
  const { unit } = typeInfo(type);
  const centre = (name: string): void => {
    if (name !== '') commit({ fn: name });
  };
  const answer = halves.data;
  const facts = answer?.callees.header.fn;
  const whole = functions?.total ?? 0;
  const shared = { unit, functions, hovered, hover, centre, menu };
  return (
    <div class="sandwich" data-testid="sandwich">
      <div class="flame-head">
        <Title functions={functions} />
        {facts && (
          <span class="sandwich-facts">
            total <strong>{formatValue(facts.total, unit)}</strong> ({formatPercent(facts.total, whole)}) · self{' '}
            <strong>{formatValue(facts.self, unit)}</strong> ({formatPercent(facts.self, whole)}) · in {plural(facts.paths, 'call path')} ·
            recursive: {facts.recursive ? 'yes' : 'no'}
          </span>
        )}
        <span class="spring" />
        <button class="control" onClick={() => commit({ view: '', fn: '' })}>
          Back to flame
        </button>
      </div>
      {fn === '' && <p class="none">Choose a function here, or open the menu of a frame.</p>}
      {halves.error && <ErrorPanel error={halves.error} retry={halves.retry} what="Loading the sandwich" />}
      <Reloading resource={halves}>
        {answer && fn !== '' ? (
          <div class="halves">
            <div class="half">
              <Half tree={answer.callers} grow="up" label="Callers" fn={answer.fn} {...shared} />
              <Neighbours tree={answer.callers} title="Callers" pick={centre} />
            </div>
            <div class="half">
              <Half tree={answer.callees} grow="down" label="Callees" fn={answer.fn} {...shared} />
              <Neighbours tree={answer.callees} title="Callees" pick={centre} />
            </div>
          </div>
        ) : (
          fn !== '' && <FirstLoad loading={halves.loading} rows={8} />
        )}
      </Reloading>
      <footer class="flame-foot">Exact: built from every occurrence; recursion counted once.</footer>
    </div>
  );
}
