// The timeline of Explore: total or groups over time, drag = brush.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Labels, Series } from '../net/types';
import { getJson } from '../net/api';
import { formatRate, formatValue, plural } from '../state/format';
import { typeInfo } from '../state/profile_type';
import { describeDuration, formatInstant, formatSpan, isoTime } from '../state/time';
import { parseMatchers, printMatchers } from '../state/selector';
import { commit, now, span, state, themeVersion, zone } from './app';
import type { Chart, ChartData, ChartOptions, Line } from './chart';
import { Icon } from './icons';
import { useKeys } from './keys';
import { Picker } from './picker';
import { queryParams } from './query';
import { Reloading, FirstLoad, ErrorPanel } from './states';
import { useResource, type Resource } from './resource';
import { cssColour } from './theme';

/** Okabe and Ito's colours: distinct with every colour vision deficiency. */
const SERIES_COLOURS = ['#e69f00', '#56b4e9', '#009e73', '#cc79a7', '#d55e00', '#0072b2', '#f0e442'];
const OTHER = '#8a94a1';

/** Work done is shown per second, what is alive as it is. */
function scaleOf(type: string, step: number): (value: number) => number {
  return typeInfo(type).cumulative ? (value) => value / (step / 1000) : (value) => value;
}

function formatOf(type: string): (value: number) => string {
  const { unit, cpu, cumulative } = typeInfo(type);
  return cumulative ? (value) => formatRate(value, unit, cpu) : (value) => formatValue(value, unit);
}

function linesOf(series: Series, type: string, isolated: string | null): Line[] {
  const scale = scaleOf(type, series.step);
  const points = (list: (number | null)[]): (number | null)[] => list.map((v) => (v === null ? null : scale(v)));
  if (series.groups.length === 0) return [{ label: 'total', colour: cssColour('--accent'), points: points(series.total) }];
  const lines = series.groups.map((group, i) => ({
    label: group.value === '' ? '(none)' : group.value,
    colour: SERIES_COLOURS[i % SERIES_COLOURS.length]!,
    points: points(group.points),
  }));
  if (series.other) lines.push({ label: `other (${series.other.groups})`, colour: OTHER, points: points(series.other.points) });
  return isolated === null ? lines : lines.filter((l) => l.label === isolated);
}

function Legend({ series, isolated, isolate }: { series: Series; isolated: string | null; isolate(label: string | null): void }) {
  const rows = series.groups.map((g, i) => ({ label: g.value || '(none)', value: g.value, sum: g.sum, colour: SERIES_COLOURS[i % SERIES_COLOURS.length]! }));
  if (series.other) rows.push({ label: `other (${series.other.groups})`, value: '', sum: series.other.sum, colour: OTHER });
  const filter = (value: string): void => {
    const parsed = parseMatchers(state.value.f);
    const others = parsed.ok ? parsed.matchers.filter((m) => m.name !== state.value.g) : [];
    commit({ f: printMatchers([...others, { name: state.value.g, op: '=', value }]), b: null });
  };
  return (
    <ul class="legend" aria-label={`By ${state.value.g}`}>
      {rows.map(({ label, value, sum, colour }) => (
        <li key={label}>
          <button
            class="ghost small" aria-pressed={isolated === label} title="Click: show alone. Alt-click: filter to it."
            onClick={(e) => (e.altKey && value ? filter(value) : isolate(isolated === label ? null : label))}
          >
            <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">
              <rect width="10" height="10" rx="2" fill={colour} />
            </svg>
            <span class="legend-name">{label}</span>
            <span class="muted">{series.sum > 0 ? `${Math.round((sum / series.sum) * 100)}\u202f%` : ''}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** What one point is: a rate for work done; for what is alive the plain sum of the profiles in it, said as such. */
function describePoints(type: string, step: number): string {
  const { label, cumulative } = typeInfo(type);
  const width = describeDuration(step);
  return cumulative ? `${label}, one point per ${width}` : `${label}, sum of all profiles in ${width}`;
}

interface Hover {
  index: number;
  left: number;
  top: number;
}

function ChartTip({ hover, series, lines, type }: { hover: Hover; series: Series; lines: Line[]; type: string }) {
  const format = formatOf(type);
  const rows = lines.map((l) => ({ ...l, value: l.points[hover.index] ?? null })).sort((a, b) => (b.value ?? -1) - (a.value ?? -1));
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const box = place.current!;
    const right = hover.left + 14 + box.offsetWidth > innerWidth - 8;
    box.style.left = `${right ? hover.left - 14 - box.offsetWidth : hover.left + 14}px`;
    box.style.top = `${Math.max(8, Math.min(hover.top - 10, innerHeight - box.offsetHeight - 8))}px`;
  });
  return (
    <div ref={place} class="tip chart-tip" aria-hidden="true">
      <div class="muted">{formatInstant(series.start + hover.index * series.step, zone.value)}</div>
      {rows.map(({ label, colour, value }) => (
        <div key={label} class="tip-row">
          <svg class="swatch" viewBox="0 0 10 10">
            <rect width="10" height="10" rx="2" fill={colour} />
          </svg>
          <span>{label}</span>
          <strong>{value === null ? 'no data' : format(value)}</strong>
        </div>
      ))}
    </div>
  );
}

function BrushChip() {
  const { b } = state.value;
  const promote = (): void => {
    const brush = state.peek().b;
    if (brush) commit({ from: isoTime(brush.from), to: isoTime(brush.to), b: null });
  };
  useKeys({ Z: promote, Escape: () => state.peek().b && commit({ b: null }) });
  if (!b) return null;
  return (
    <div class="brush-row">
      <span class="chip" data-testid="brush">
        <span class="chip-main">{formatSpan(b, zone.value, now())}</span>
        <button class="chip-x" aria-label="Clear the brush" onClick={() => commit({ b: null })}>
          <Icon name="close" />
        </button>
      </span>
      <button class="ghost small" onClick={promote}>
        Zoom page to it <kbd>Z</kbd>
      </button>
    </div>
  );
}

function GroupBy() {
  const params = queryParams('', span.value);
  const labels = useResource<Labels>(JSON.stringify(params), (signal) => getJson('labels', params, signal));
  const names = (labels.data?.labels ?? []).filter((l) => l.values > 1 || l.name === state.value.g);
  const choices = [{ value: '', label: 'Total' }, ...names.map((l) => ({ value: l.name, label: `by ${l.name}`, hint: String(l.values) }))];
  return (
    <Picker
      label="Group by" value={state.value.g} text={state.value.g ? `by ${state.value.g}` : 'Total'} choices={choices}
      pick={(g) => commit({ g })} placeholder="label…"
    />
  );
}

/** A sentence for those who do not see the chart. */
function summary(series: Series, type: string): string {
  const values = series.total.filter((v): v is number => v !== null).map(scaleOf(type, series.step));
  if (values.length === 0) return 'No data in this range.';
  const format = formatOf(type);
  return `${typeInfo(type).label} over time: from ${format(Math.min(...values))} to ${format(Math.max(...values))}, last ${format(values.at(-1)!)}.`;
}

function Table({ series, type }: { series: Series; type: string }) {
  const format = formatOf(type);
  const scale = scaleOf(type, series.step);
  const columns = series.groups.length > 0 ? series.groups.map((g) => ({ label: g.value || '(none)', points: g.points })) : [{ label: 'total', points: series.total }];
  return (
    <div class="chart-table" tabIndex={0} role="region" aria-label="Timeline as table">
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {columns.map((c) => (
              <th scope="col" key={c.label}>
                {c.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {series.total.map((_, i) => (
            <tr key={i}>
              <th scope="row">{formatInstant(series.start + i * series.step, zone.value)}</th>
              {columns.map((c) => (
                <td key={c.label}>{c.points[i] === null ? 'no data' : format(scale(c.points[i]!))}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Plot({ series, type, lines }: { series: Series; type: string; lines: Line[] }) {
  const host = useRef<HTMLDivElement>(null);
  // The chart library is a file of its own, so that the graph need not wait for it.
  const [chart, setChart] = useState<Chart | null>(null);
  const [hover, setHover] = useState<Hover | null>(null);
  const version = themeVersion.value;
  const { b } = state.value;
  const options: ChartOptions = {
    text: cssColour('--muted'),
    grid: cssColour('--line'),
    panel: cssColour('--panel'),
    zone: zone.value,
    binary: typeInfo(type).unit === 'bytes',
    format: formatOf(type),
    brush: (from, to) => commit({ b: { from, to } }),
    clear: () => commit({ b: null }),
    cursor: (index, left, top) => setHover(index === null ? null : { index, left, top }),
  };
  const data: ChartData = {
    times: series.total.map((_, i) => series.start + i * series.step),
    lines,
    stacked: lines.length > 1,
    from: span.value.from,
    to: span.value.to,
  };
  useEffect(() => {
    let made: Chart | null = null;
    let gone = false;
    void import('./chart').then((module) => {
      if (gone) return;
      made = new module.Chart(host.current!, options);
      setChart(made);
    });
    return () => {
      gone = true;
      made?.destroy();
    };
  }, []);
  useEffect(() => chart?.set(data, options, b), [chart, series, lines, b, version, zone.value, type]);
  return (
    <>
      <div ref={host} class="chart" data-testid="tl" role="img" aria-label={summary(series, type)} />
      {hover && lines.length > 0 && <ChartTip hover={hover} series={series} lines={lines} type={type} />}
    </>
  );
}

export function Timeline({ resource, type }: { resource: Resource<Series>; type: string }) {
  const [isolated, setIsolated] = useState<string | null>(null);
  const [table, setTable] = useState(false);
  const series = resource.data;
  const version = themeVersion.value;
  const lines = useMemo(() => (series ? linesOf(series, type, isolated) : []), [series, type, isolated, version]);
  useEffect(() => setIsolated(null), [state.value.g]);
  return (
    <section class="panel timeline" aria-labelledby="timeline-title">
      <header class="panel-head">
        <h2 id="timeline-title">Timeline</h2>
        <GroupBy />
        <BrushChip />
        <span class="spring" />
        <span class="muted">{series ? describePoints(type, series.step) : ''}</span>
        <button class="ghost small" aria-pressed={table} onClick={() => setTable(!table)}>
          {table ? 'Show as chart' : 'Show as table'}
        </button>
      </header>
      {resource.error && <ErrorPanel error={resource.error} retry={resource.retry} what="Loading the timeline" />}
      <Reloading resource={resource}>
        <div class="chart-row">
          {series ? table ? <Table series={series} type={type} /> : <Plot series={series} type={type} lines={lines} /> : <div class="chart" />}
          {series && series.groups.length > 0 && !table && <Legend series={series} isolated={isolated} isolate={setIsolated} />}
        </div>
        {!series && !resource.error && <FirstLoad loading={resource.loading} rows={3} />}
      </Reloading>
      {series && resource.dataKey && series.groups.length > 0 && isolated !== null && (
        <p class="hidden" role="status">{`${isolated} alone, of ${plural(series.groups.length, 'group')}`}</p>
      )}
    </section>
  );
}

