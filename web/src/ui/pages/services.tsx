// Services: what runs, how much it uses, what changed.
import { useMemo, useState } from 'preact/hooks';
import { getJson } from '../../net/api';
import type { ServiceRow, Services } from '../../net/types';
import { formatChange, formatPercent, formatRate, formatValue, plural } from '../../state/format';
import { GROUPS, typeInfo } from '../../state/profile_type';
import { MINUTE, describeDuration } from '../../state/time';
import { emptyState, printUrl } from '../../state/url';
import { commit, now, open, refresh, span, state } from '../app';
import { Icon } from '../icons';
import { useKeys } from '../keys';
import { Picker } from '../picker';
import { useResource, type Resource } from '../resource';
import { Spark } from '../spark';
import { ErrorPanel, FirstLoad, Partial, Reloading } from '../states';
import { TimePicker } from '../time_picker';
import { SendData } from './send';

const SORTS = [
  { value: 'most', label: 'Most' },
  { value: 'change', label: 'Biggest change' },
  { value: 'name', label: 'Name' },
  { value: 'seen', label: 'Last seen' },
] as const;
type Sort = (typeof SORTS)[number]['value'];

/** Changes under this part are drawn calm. */
const SLIGHT = 0.03;
const QUIET_MS = 5 * MINUTE;

const relativeChange = (row: ServiceRow): number =>
  row.previous ? Math.abs(((row.total ?? 0) - row.previous) / row.previous) : row.total ? 1 : 0;

function sorted(rows: readonly ServiceRow[], by: Sort): ServiceRow[] {
  const compare: Record<Sort, (a: ServiceRow, b: ServiceRow) => number> = {
    most: (a, b) => (b.total ?? -1) - (a.total ?? -1),
    change: (a, b) => relativeChange(b) - relativeChange(a),
    name: () => 0,
    seen: (a, b) => (b.last_seen ?? 0) - (a.last_seen ?? 0),
  };
  return [...rows].sort((a, b) => compare[by](a, b) || (a.name < b.name ? -1 : 1));
}

/** The value in words: a rate for work done, the sum of the last sub-range for what is alive. */
function valueNow(row: ServiceRow, type: string): string {
  if (row.total === null || row.total === undefined) return '';
  const { unit, cpu, cumulative } = typeInfo(type);
  if (cumulative) return formatRate(row.total / ((span.value.to - span.value.from) / 1000), unit, cpu);
  return formatValue(row.total / Math.max(1, row.profiles ?? 1), unit);
}

function Change({ row }: { row: ServiceRow }) {
  if (row.total === null || row.total === undefined) return <span class="muted" />;
  if (row.previous === null || row.previous === undefined) return <span class="muted">no data before</span>;
  const text = formatChange(row.total, row.previous);
  const slight = row.previous > 0 && relativeChange(row) < SLIGHT;
  const kind = slight ? 'same' : text.startsWith('▲') ? 'up' : text.startsWith('▼') ? 'down' : 'same';
  return (
    <span class={`change ${kind}`} title={`before: ${row.previous}`}>
      {text}
    </span>
  );
}

function exploreLink(row: ServiceRow, type: string): string {
  const { from, to, tz } = state.value;
  return printUrl({ ...emptyState('explore'), s: row.name, t: row.types.includes(type) ? type : '', from, to, tz });
}

function Row({ row, answer }: { row: ServiceRow; answer: Services }) {
  const quiet = row.last_seen !== null && now() - row.last_seen > QUIET_MS;
  const link = exploreLink(row, answer.type);
  const { label } = typeInfo(answer.type);
  const silent = row.total === null || row.total === undefined;
  return (
    <li class="service" data-service={row.name} onClick={(e) => !(e.target as Element).closest('a, button') && open(stateOf(link))}>
      <div class="service-main">
        <a class="service-name" href={link}>
          {row.name}
        </a>
        <div class="service-spark">
          {(row.spark?.length ?? 0) > 0 && <Spark points={row.spark!} label={`${label} of ${row.name} over the range`} />}
        </div>
        <div class="service-value">
          {silent ? <span class="muted">no {label} in this range</span> : <strong>{valueNow(row, answer.type)}</strong>}
        </div>
        <div class="service-change">
          <Change row={row} />
        </div>
        <div class="service-facts muted">
          <span>{plural(row.series, 'series', 'series')}</span>
          <span class={quiet ? 'warn-text' : ''}>
            {row.last_seen === null ? '' : `${quiet ? 'silent for ' : ''}${describeDuration(Math.max(0, now() - row.last_seen))}${quiet ? '' : ' ago'}`}
          </span>
          <span title={row.types.map((id) => typeInfo(id).label).join(', ')}>{plural(row.types.length, 'type')}</span>
        </div>
      </div>
      {(row.top?.length ?? 0) > 0 && (
        <div class="service-top">
          <span class="muted">top:</span>
          {row.top!.map((fn) => (
            <span key={fn.name}>
              <span class="mono">
                <bdi>{fn.name}</bdi>
              </span>{' '}
              <span class="muted">{formatPercent(fn.self, row.total ?? 0)}</span>
            </span>
          ))}
        </div>
      )}
    </li>
  );
}

const stateOf = (link: string) => {
  const url = new URL(link, location.origin);
  const next = emptyState('explore');
  const params = url.searchParams;
  return { ...next, s: params.get('s') ?? '', t: params.get('t') ?? '', from: params.get('from') ?? next.from, to: params.get('to') ?? next.to, tz: params.get('tz') ?? '' };
};

function typeChoices(types: readonly string[]) {
  const order = (id: string): number => GROUPS.indexOf(typeInfo(id).group as (typeof GROUPS)[number]);
  return [...types]
    .sort((a, b) => order(a) - order(b) || (a < b ? -1 : 1))
    .map((id) => ({ value: id, label: typeInfo(id).label, group: typeInfo(id).group, title: id, hint: typeInfo(id).unit }));
}

function List({ answer, sort, filter }: { answer: Services; sort: Sort; filter: string }) {
  const wanted = filter.trim().toLowerCase();
  const rows = useMemo(() => sorted(answer.services, sort).filter((row) => row.name.toLowerCase().includes(wanted)), [answer, sort, wanted]);
  if (answer.services.length === 0) {
    return (
      <div class="empty">
        <h2>Nothing was sent in this range</h2>
        <p>The store has profiles, but none between these two times.</p>
        <button class="control" onClick={() => commit({ from: 'now-24h', to: 'now' })}>
          Look at the last 24 h
        </button>
      </div>
    );
  }
  return (
    <>
      <ul class="services" aria-label="Services">
        {rows.map((row) => (
          <Row key={row.name} row={row} answer={answer} />
        ))}
      </ul>
      {rows.length === 0 && <p class="none">No service matches “{filter}”.</p>}
      <p class="cost">
        {plural(rows.length, 'service')} · compared with the {describeDuration(span.value.to - span.value.from)} before
      </p>
    </>
  );
}

function Tools({ answer, filter, setFilter, sort, setSort }: {
  answer: Services | null;
  filter: string;
  setFilter(text: string): void;
  sort: Sort;
  setSort(sort: Sort): void;
}) {
  const [time, setTime] = useState(false);
  const type = answer?.type ?? '';
  useKeys({ r: refresh, t: () => setTime(true), '/': () => document.getElementById('service-filter')?.focus() });
  const most = (value: Sort, label: string): string => (value === 'most' && type ? `Most ${typeInfo(type).label}` : label);
  return (
    <div class="bar" role="region" aria-label="Query" data-testid="bar">
      <span class="search-field">
        <Icon name="search" />
        <input
          id="service-filter" class="field" type="search" aria-label="Filter services" placeholder="filter services…" value={filter}
          onInput={(e) => setFilter(e.currentTarget.value)}
        />
      </span>
      <Picker
        label="Profile type" testId="type" value={type ? typeInfo(type).label : ''} text={type ? typeInfo(type).label : 'Profile type'}
        choices={typeChoices(answer?.types ?? [])} pick={(t) => commit({ t })}
      />
      <label class="inline">
        <span class="muted">sort</span>
        <select class="field" aria-label="Sort" value={sort} onChange={(e) => setSort(e.currentTarget.value as Sort)}>
          {SORTS.map(({ value, label }) => (
            <option key={value} value={value}>
              {most(value, label)}
            </option>
          ))}
        </select>
      </label>
      <span class="spring" />
      <div class="time-group">
        <TimePicker open={time} setOpen={setTime} />
        <button class="ghost square" aria-label="Refresh" title="Refresh (r)" onClick={refresh}>
          <Icon name="refresh" />
        </button>
      </div>
    </div>
  );
}

export function ServicesPage() {
  const { t } = state.value;
  const params = { t, from: span.value.from, to: span.value.to, detail: 1, buckets: 40 };
  const services: Resource<Services> = useResource(JSON.stringify(params), (signal) => getJson<Services>('services', params, signal));
  const [filter, setFilter] = useState('');
  const [sort, setSort] = useState<Sort>('most');
  const answer = services.data;
  if (answer?.empty) return <SendData first />;
  return (
    <>
      <Tools answer={answer} filter={filter} setFilter={setFilter} sort={sort} setSort={setSort} />
      <div class="page">
        <h1>Services</h1>
        {services.error && <ErrorPanel error={services.error} retry={services.retry} what="Loading the services" />}
        {answer && <Partial reasons={answer.cost.partial} />}
        <Reloading resource={services}>
          {answer ? <List answer={answer} sort={sort} filter={filter} /> : !services.error && <FirstLoad loading={services.loading} rows={8} />}
        </Reloading>
      </div>
    </>
  );
}
