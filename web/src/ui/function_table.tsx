// The exact function table: fixed rows, windowed, linked with the graph.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { HUES, hueOf } from '../engine/palette';
import { packageLength } from '../engine/names';
import type { Functions } from '../net/types';
import { formatExact, formatPercent, formatValue, plural } from '../state/format';

export const TABLE_ROW = 24;
const OVERSCAN = 8;

export interface TableProps {
  data: Functions;
  /** Predicate of the search; null = all rows. */
  filter: ((name: string) => boolean) | null;
  sort: string;
  setSort(sort: string): void;
  selected: string;
  select(name: string): void;
  open(name: string): void;
  hovered: string;
  hover(name: string | null): void;
  menu(name: string, x: number, y: number): void;
}

const COLUMNS = [
  { key: 'name', title: 'Function', first: '' },
  { key: 'self', title: 'Self', first: '-' },
  { key: 'total', title: 'Total', first: '-' },
] as const;

/** Row numbers in the order asked for, those that the filter keeps. */
export function order(data: Functions, sort: string, filter: ((name: string) => boolean) | null): Uint32Array {
  const { names, self, totals } = data;
  let rows = Array.from(names.keys());
  if (filter) rows = rows.filter((i) => filter(names[i]!));
  const down = sort.startsWith('-');
  const key = sort.replace('-', '');
  const text = (a: number, b: number): number => (names[a]! < names[b]! ? -1 : names[a]! > names[b]! ? 1 : 0);
  const column = key === 'total' ? totals : self;
  const compare = key === 'name' ? text : (a: number, b: number) => column[a]! - column[b]!;
  rows.sort((a, b) => (down ? compare(b, a) : compare(a, b)) || text(a, b));
  return Uint32Array.from(rows);
}

function Name({ name }: { name: string }) {
  const pkg = packageLength(name);
  return (
    <span class="fn-name mono" title={name}>
      <bdi>
        <span class="muted">{name.slice(0, pkg)}</span>
        {name.slice(pkg)}
      </bdi>
    </span>
  );
}

function Bar({ part, whole }: { part: number; whole: number }) {
  const width = whole > 0 ? Math.max(0, Math.min(100, (part / whole) * 100)) : 0;
  return (
    <span class="cell-bar" aria-hidden="true">
      <span style={{ width: `${width.toFixed(2)}%` }} />
    </span>
  );
}

export function FunctionTable(props: TableProps) {
  const { data, filter, sort, setSort, selected, hovered } = props;
  const rows = useMemo(() => order(data, sort, filter), [data, sort, filter]);
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const [active, setActive] = useState(0);

  useLayoutEffect(() => {
    const box = scroller.current!;
    const observer = new ResizeObserver(() => setView((v) => ({ ...v, height: box.clientHeight })));
    observer.observe(box);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const at = rows.findIndex((i) => data.names[i] === selected);
    if (at < 0) return;
    setActive(at);
    show(at);
  }, [selected, rows]);

  const show = (at: number): void => {
    const box = scroller.current!;
    const top = at * TABLE_ROW;
    const room = box.clientHeight - TABLE_ROW;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + TABLE_ROW > box.scrollTop + room) box.scrollTop = top + TABLE_ROW - room;
  };
  const goTo = (at: number): void => {
    const to = Math.max(0, Math.min(rows.length - 1, at));
    setActive(to);
    show(to);
  };
  const key = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(view.height / TABLE_ROW) - 1);
    const to: Record<string, number> = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: rows.length - 1 };
    const name = data.names[rows[active] ?? -1];
    if (event.key in to) goTo(to[event.key]!);
    else if ((event.key === 'Enter' || event.key === ' ') && name !== undefined) props.select(name);
    else if (event.key === 'w' && name !== undefined) props.open(name);
    else if ((event.key === 'ContextMenu' || (event.shiftKey && event.key === 'F10')) && name !== undefined) {
      const box = scroller.current!.getBoundingClientRect();
      props.menu(name, box.left + 40, box.top + (active + 2) * TABLE_ROW - scroller.current!.scrollTop);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const first = Math.max(0, Math.floor(view.top / TABLE_ROW) - OVERSCAN);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / TABLE_ROW) + OVERSCAN);
  const rowId = (at: number): string => `fn-row-${at}`;
  return (
    <div class="fn-table" data-testid="fntable">
      <div
        ref={scroller} class="fn-scroll" role="grid" tabIndex={0} aria-label="Functions" aria-rowcount={rows.length + 1} aria-colcount={5}
        aria-activedescendant={rows.length > 0 && active >= first && active < last ? rowId(active) : undefined}
        onScroll={(e) => setView({ top: e.currentTarget.scrollTop, height: e.currentTarget.clientHeight })}
        onKeyDown={key} onPointerLeave={() => props.hover(null)}
      >
        <div class="fn-head" role="row" aria-rowindex={1}>
          {COLUMNS.map(({ key: column, title, first: direction }) => {
            const sorted = sort.replace('-', '') === column;
            const next = sorted ? (sort.startsWith('-') ? column : `-${column}`) : `${direction}${column}`;
            return (
              <span
                key={column} role="columnheader" class={`col-${column}`}
                aria-sort={sorted ? (sort.startsWith('-') ? 'descending' : 'ascending') : 'none'}
              >
                <button class="ghost" onClick={() => setSort(next)}>
                  {title}
                  <span class="arrow" aria-hidden="true">
                    {sorted ? (sort.startsWith('-') ? '↓' : '↑') : ''}
                  </span>
                </button>
              </span>
            );
          })}
        </div>
        <div class="fn-body" role="rowgroup" style={{ height: `${rows.length * TABLE_ROW}px` }}>
          {Array.from(rows.subarray(first, last), (i, offset) => {
            const at = first + offset;
            const name = data.names[i]!;
            const marks = `${at === active ? ' active' : ''}${name === hovered ? ' hovered' : ''}`;
            return (
              <div
                key={name} id={rowId(at)} class={`fn-row${marks}`} role="row" aria-rowindex={at + 2} aria-selected={name === selected || name === hovered}
                style={{ top: `${at * TABLE_ROW}px` }}
                onPointerEnter={() => props.hover(name)} onClick={() => props.select(name)} onDblClick={() => props.open(name)}
                onContextMenu={(e) => {
                  e.preventDefault();
                  props.menu(name, e.clientX, e.clientY);
                }}
              >
                <span class="col-name" role="gridcell">
                  <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">
                    <rect width="10" height="10" rx="2" fill={HUES[hueOf(name, '')]} />
                  </svg>
                  <Name name={name} />
                </span>
                <span class="col-self" role="gridcell" title={formatExact(data.self[i]!)}>
                  <Bar part={data.self[i]!} whole={data.total} />
                  {formatValue(data.self[i]!, data.unit)}
                  <span class="share">{formatPercent(data.self[i]!, data.total)}</span>
                </span>
                <span class="col-total" role="gridcell" title={formatExact(data.totals[i]!)}>
                  <Bar part={data.totals[i]!} whole={data.total} />
                  {formatValue(data.totals[i]!, data.unit)}
                  <span class="share">{formatPercent(data.totals[i]!, data.total)}</span>
                </span>
              </div>
            );
          })}
        </div>
      </div>
      <footer class="fn-foot" data-testid="fntotal">
        {filter ? `${formatExact(rows.length)} of ` : ''}
        {plural(data.functions, 'function')}, exact, total {formatValue(data.total, data.unit)}
        {data.names.length < data.rows && ` · limited to ${formatExact(data.names.length)} rows`}
      </footer>
    </div>
  );
}
