// The filter builder: chips, one popover with label → operator → values, and the raw selector.
import { useEffect, useRef, useState } from 'preact/hooks';
import { getJson } from '../net/api';
import type { LabelValues, Labels } from '../net/types';
import { formatExact, formatPercent } from '../state/format';
import { describeMatcher, matcherOf, negate, parseMatchers, printMatcher, printMatchers, regexProblem, valuesOf, type Matcher } from '../state/selector';
import { commit, span, state } from './app';
import { Icon } from './icons';
import { Popover } from './popover';
import { queryParams } from './query';
import { useResource } from './resource';

const DEBOUNCE_MS = 120;
const LIMIT = 50;
const OPERATORS = [
  ['in', '= / in'],
  ['not in', '≠ / not in'],
  ['=~', '=~ matches'],
  ['!~', '!~ matches not'],
] as const;
type Operator = (typeof OPERATORS)[number][0];

const current = (): Matcher[] => {
  const parsed = parseMatchers(state.value.f);
  return parsed.ok ? parsed.matchers : [];
};
const write = (matchers: readonly Matcher[]): void => commit({ f: printMatchers(matchers), b: null, z: [] });

function useDebounced<T>(value: T, ms: number): T {
  const [held, setHeld] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setHeld(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return held;
}

/** The query without matcher `index`: the context that suggestions are asked in. */
function contextParams(type: string, index: number | null) {
  const others = current().filter((_, i) => i !== index);
  return { ...queryParams(type, span.value), f: printMatchers(others) };
}

function LabelStep({ type, pick }: { type: string; pick(name: string): void }) {
  const [query, setQuery] = useState('');
  const [active, setActive] = useState(0);
  const params = contextParams(type, null);
  const labels = useResource<Labels>(JSON.stringify(params), (signal) => getJson('labels', params, signal));
  const shown = (labels.data?.labels ?? []).filter((l) => l.name.toLowerCase().includes(query.toLowerCase()));
  const key = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown') setActive(Math.min(shown.length - 1, active + 1));
    else if (event.key === 'ArrowUp') setActive(Math.max(0, active - 1));
    else if (event.key === 'Enter' && (shown[active] || query)) pick(shown[active]?.name ?? query);
    else if (event.key === 'Backspace' && query === '' && current().length > 0) editLast();
    else return;
    event.preventDefault();
  };
  return (
    <>
      <input
        class="field" role="combobox" aria-label="Label" aria-expanded="true" aria-controls="filter-labels" autocomplete="off" placeholder="label…"
        aria-activedescendant={shown[active] ? `filter-label-${active}` : undefined} value={query} onKeyDown={key}
        onInput={(e) => {
          setQuery(e.currentTarget.value);
          setActive(0);
        }}
      />
      <ul id="filter-labels" class="options" role="listbox" aria-label="Labels">
        {shown.map((label, i) => (
          <li
            key={label.name} id={`filter-label-${i}`} role="option" aria-selected={i === active} class={i === active ? 'active' : ''}
            onPointerMove={() => setActive(i)} onClick={() => pick(label.name)}
          >
            <span class="option-label">{label.name}</span>
            <span class="hint">{formatExact(label.values)}</span>
          </li>
        ))}
      </ul>
      {labels.error && <p class="none bad">{labels.error.message}</p>}
      {labels.data && shown.length === 0 && <p class="none">No label matches. Enter takes “{query}” as it is.</p>}
    </>
  );
}

/** Set by the builder while it is open: Backspace in the empty label field edits the last chip. */
let editLast: () => void = () => undefined;

interface ValueProps {
  type: string;
  name: string;
  index: number | null;
  chosen: string[];
  setChosen(values: string[]): void;
  done(values: string[]): void;
}

function ValueStep({ type, name, index, chosen, setChosen, done }: ValueProps) {
  const [query, setQuery] = useState('');
  const [active, setActive] = useState(0);
  const asked = useDebounced(query, DEBOUNCE_MS);
  const params = { ...contextParams(type, index), label: name, q: asked, limit: LIMIT };
  const answer = useResource<LabelValues>(JSON.stringify(params), (signal) => getJson('label-values', params, signal));
  const values = answer.data?.values ?? [];
  const toggle = (value: string): void =>
    setChosen(chosen.includes(value) ? chosen.filter((v) => v !== value) : [...chosen, value]);
  const key = (event: KeyboardEvent): void => {
    const value = values[active]?.value;
    if (event.key === 'ArrowDown') setActive(Math.min(values.length - 1, active + 1));
    else if (event.key === 'ArrowUp') setActive(Math.max(0, active - 1));
    else if (event.key === ' ' && value !== undefined && query === '') toggle(value);
    else if (event.key === 'Enter') done(chosen.length > 0 ? chosen : value !== undefined ? [value] : query ? [query] : []);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <input
        class="field" role="combobox" aria-label={`Values of ${name}`} aria-expanded="true" aria-controls="filter-values" autocomplete="off"
        aria-activedescendant={values[active] ? `filter-value-${active}` : undefined} placeholder="value… (Space adds, Enter applies)" value={query}
        onKeyDown={key}
        onInput={(e) => {
          setQuery(e.currentTarget.value);
          setActive(0);
        }}
      />
      <ul id="filter-values" class="options" role="listbox" aria-label={`Values of ${name}`} aria-multiselectable="true">
        {values.map(({ value, share }, i) => (
          <li
            key={value} id={`filter-value-${i}`} role="option" aria-selected={chosen.includes(value)} class={i === active ? 'active' : ''}
            onPointerMove={() => setActive(i)} onClick={() => toggle(value)}
          >
            <span class="tick">{chosen.includes(value) && <Icon name="check" />}</span>
            <span class="option-label">{value === '' ? '(empty)' : value}</span>
            {share !== null && <span class="hint">{formatPercent(share, 1)}</span>}
          </li>
        ))}
      </ul>
      {answer.error && <p class="none bad">{answer.error.message}</p>}
      {answer.data && answer.data.matched > values.length && (
        <p class="none">
          {values.length} of {formatExact(answer.data.matched)}; keep typing
        </p>
      )}
      {answer.data && values.length === 0 && <p class="none">No value matches. Enter takes “{query}” as it is.</p>}
    </>
  );
}

function RegexStep({ name, value, done }: { name: string; value: string; done(value: string): void }) {
  const [text, setText] = useState(value);
  const problem = text === '' ? null : regexProblem(text);
  return (
    <>
      <input
        class="field mono" aria-label={`Pattern for ${name}`} aria-invalid={problem !== null} placeholder="regular expression, whole value"
        value={text} onInput={(e) => setText(e.currentTarget.value)}
        onKeyDown={(e) => e.key === 'Enter' && !problem && text !== '' && done(text)}
      />
      {problem && <p class="none bad">{problem}</p>}
    </>
  );
}

interface Draft {
  index: number | null;
  name: string;
  operator: Operator;
  chosen: string[];
  pattern: string;
}

const EMPTY: Draft = { index: null, name: '', operator: 'in', chosen: [], pattern: '' };

function draftOf(index: number): Draft {
  const matcher = current()[index]!;
  const values = valuesOf(matcher);
  const negated = matcher.op[0] === '!';
  if (values) return { index, name: matcher.name, operator: negated ? 'not in' : 'in', chosen: values, pattern: '' };
  return { index, name: matcher.name, operator: negated ? '!~' : '=~', chosen: [], pattern: matcher.value };
}

function Builder({ type, start, close }: { type: string; start: Draft; close(): void }) {
  const [draft, setDraft] = useState(start);
  const box = useRef<HTMLDivElement>(null);
  editLast = () => setDraft(draftOf(current().length - 1));
  useEffect(() => {
    box.current?.querySelector<HTMLElement>('input.field')?.focus();
  }, [draft.name, draft.operator]);
  const put = (matcher: Matcher): void => {
    const list = current();
    if (draft.index === null) list.push(matcher);
    else list[draft.index] = matcher;
    write(list);
    close();
  };
  const putValues = (values: string[]): void => {
    if (values.length > 0) put(matcherOf(draft.name, draft.operator === 'not in', values));
  };
  if (draft.name === '') {
    return (
      <div ref={box}>
        <LabelStep type={type} pick={(name) => setDraft({ ...draft, name })} />
      </div>
    );
  }
  const regex = draft.operator === '=~' || draft.operator === '!~';
  return (
    <div ref={box}>
      <div class="filter-head">
        <button class="ghost" onClick={() => setDraft({ ...EMPTY, index: draft.index })} aria-label={`Label ${draft.name}, choose another`}>
          <Icon name="left" />
          {draft.name}
        </button>
        <select class="field" aria-label="Operator" value={draft.operator} onChange={(e) => setDraft({ ...draft, operator: e.currentTarget.value as Operator })}>
          {OPERATORS.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </div>
      {regex ? (
        <RegexStep name={draft.name} value={draft.pattern} done={(value) => put({ name: draft.name, op: draft.operator as '=~' | '!~', value })} />
      ) : (
        <>
          <ValueStep
            type={type} name={draft.name} index={draft.index} chosen={draft.chosen} done={putValues}
            setChosen={(chosen) => setDraft({ ...draft, chosen })}
          />
          <button class="primary" disabled={draft.chosen.length === 0} onClick={() => putValues(draft.chosen)}>
            {draft.chosen.length > 1 ? `Apply ${draft.chosen.length} values` : 'Apply'}
          </button>
        </>
      )}
    </div>
  );
}

/** The selector as text. A mistake is underlined at its place; the last good query stays. */
function RawSelector({ close }: { close(): void }) {
  const [text, setText] = useState(state.value.f);
  const input = useRef<HTMLInputElement>(null);
  const parsed = parseMatchers(text);
  useEffect(() => input.current?.focus(), []);
  const change = (next: string): void => {
    setText(next);
    const good = parseMatchers(next);
    if (good.ok && printMatchers(good.matchers) !== state.peek().f) write(good.matchers);
  };
  const column = parsed.ok ? -1 : parsed.error.column;
  return (
    <div class="raw">
      <span class="raw-brace">{'{'}</span>
      <span class="raw-box">
        <input
          ref={input} class="field mono" aria-label="Label matchers" spellcheck={false} autocomplete="off" value={text} aria-invalid={!parsed.ok}
          aria-describedby="raw-problem" onInput={(e) => change(e.currentTarget.value)}
          onKeyDown={(e) => (e.key === 'Escape' || e.key === 'Enter') && parsed.ok && close()}
        />
        {column >= 0 && (
          <span class="raw-mark mono" aria-hidden="true">
            {text.slice(0, column)}
            <u>{text.slice(column, column + 1) || ' '}</u>
          </span>
        )}
      </span>
      <span class="raw-brace">{'}'}</span>
      {!parsed.ok && (
        <p id="raw-problem" class="bad" role="alert">
          {parsed.error.message} (column {column + 1})
        </p>
      )}
    </div>
  );
}

function Chip({ matcher, index, edit }: { matcher: Matcher; index: number; edit(index: number): void }) {
  const { name, op, value } = describeMatcher(matcher);
  const remove = (): void => write(current().filter((_, i) => i !== index));
  const click = (event: MouseEvent): void => {
    if (event.altKey) write(current().map((m, i) => (i === index ? negate(m) : m)));
    else edit(index);
  };
  return (
    <span class="chip filter-chip" title={printMatcher(matcher)}>
      <button class="chip-main" onClick={click}>
        <span>{name}</span> <span class="op">{op}</span> <strong>{value}</strong>
      </button>
      <button class="chip-x" aria-label={`Remove filter ${name}`} onClick={remove}>
        <Icon name="close" />
      </button>
    </span>
  );
}

export function Filters({ type, open, setOpen }: { type: string; open: boolean; setOpen(open: boolean): void }) {
  const [raw, setRaw] = useState(false);
  const [draft, setDraft] = useState<Draft>(EMPTY);
  const edit = (index: number): void => {
    setDraft(draftOf(index));
    setOpen(true);
  };
  const invalid = !parseMatchers(state.value.f).ok;
  return (
    <div class="filters" data-testid="filters" role="group" aria-label="Filters">
      {raw || invalid ? (
        <RawSelector close={() => setRaw(false)} />
      ) : (
        current().map((matcher, i) => <Chip key={`${i} ${printMatcher(matcher)}`} matcher={matcher} index={i} edit={edit} />)
      )}
      {!raw && !invalid && (
        <div class="anchor">
          <button
            class="control add" aria-haspopup="dialog" aria-expanded={open}
            onClick={() => {
              setDraft(EMPTY);
              setOpen(!open);
            }}
          >
            <Icon name="plus" /> filter
          </button>
          {open && (
            <Popover label="Add a filter" close={() => setOpen(false)}>
              <Builder type={type} start={draft} close={() => setOpen(false)} />
            </Popover>
          )}
        </div>
      )}
      <button class="ghost square" aria-pressed={raw} aria-label="Selector as text" title="Selector as text" onClick={() => setRaw(!raw)}>
        <Icon name="braces" />
      </button>
    </div>
  );
}
