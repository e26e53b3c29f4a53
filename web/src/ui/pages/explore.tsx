// Explore: bar, timeline, and one of flame graph, table, both, sandwich.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { decode } from '../../engine/decode_client';
import type { Flame } from '../../engine/flame';
import { layout, type FrameTree } from '../../engine/tree';
import { getJson, getTrees, type Params } from '../../net/api';
import type { Functions, Series, Services } from '../../net/types';
import { formatExact, formatValue, plural } from '../../state/format';
import { typeInfo } from '../../state/profile_type';
import { parseMatchers } from '../../state/selector';
import { stepFor } from '../../state/time';
import { VIEWS, type View } from '../../state/url';
import { adjust, commit, span, state } from '../app';
import { Bar, chooseService } from '../bar';
import { NothingHere } from '../empty';
import { FlamePanel } from '../flame_panel';
import { FunctionTable } from '../function_table';
import { Icon } from '../icons';
import { useKeys } from '../keys';
import { Menu } from '../menu';
import { frameMenu, nameMenu, type OpenMenu } from '../frame_menu';
import { effectiveType, queryParams } from '../query';
import { useResource, type Resource } from '../resource';
import { Sandwich } from '../sandwich';
import { SearchBox, useSearch } from '../search_box';
import { Splitter } from '../splitter';
import { ErrorPanel, FirstLoad, Partial, Reloading, Skeleton } from '../states';
import { Timeline } from '../timeline';

const TIMELINE_POINTS = 240;
const ALL_FRAMES = 1_000_000;
const TABLE_LIMIT = 100_000;
const WIDE = '(min-width: 1200px)';
const VIEW_NAMES: Record<View, string> = { split: 'Split', flame: 'Flame', table: 'Table', sandwich: 'Sandwich' };
const VIEW_KEYS: Record<View, string> = { split: '1', flame: '2', table: '3', sandwich: '5' };

function useWide(): boolean {
  const [wide, setWide] = useState(() => matchMedia(WIDE).matches);
  useEffect(() => {
    const query = matchMedia(WIDE);
    const follow = (): void => setWide(query.matches);
    query.addEventListener('change', follow);
    return () => query.removeEventListener('change', follow);
  }, []);
  return wide;
}

/** `cap=` of the address, a debugging aid: how many frames the server may send; `all` = every frame, up to its limit. */
function capOfAddress(): Params {
  const cap = state.value.rest.find(([name]) => name === 'cap')?.[1];
  return cap === 'all' ? { cap: ALL_FRAMES, min: 1 } : { cap };
}

async function loadTree(params: Params, signal: AbortSignal): Promise<FrameTree> {
  const [payload] = await getTrees('tree', params, signal);
  return layout(await decode(payload!));
}

function ViewTabs({ view, wide }: { view: View; wide: boolean }) {
  const go = (next: View): void => commit({ view: next, fn: next === 'sandwich' ? state.peek().fn : '' });
  useKeys(Object.fromEntries(VIEWS.map((v) => [VIEW_KEYS[v], () => go(v)])));
  return (
    <div class="tabs" role="group" aria-label="View">
      {VIEWS.filter((v) => wide || v !== 'split').map((v) => (
        <button key={v} aria-pressed={view === v} title={`${VIEW_NAMES[v]} (${VIEW_KEYS[v]})`} onClick={() => go(v)}>
          {VIEW_NAMES[v]}
        </button>
      ))}
    </div>
  );
}

function CostLine({ functions }: { functions: Functions }) {
  const { profiles, datasets, scanned_bytes: bytes, ms } = functions.cost;
  return (
    <p class="cost">
      {plural(profiles, 'profile')} · {plural(datasets, 'dataset')} · {formatValue(bytes, 'bytes')} scanned · {formatExact(Math.round(ms))} ms
    </p>
  );
}

function ChooseService({ services }: { services: Resource<Services> }) {
  const rows = services.data?.services ?? [];
  return (
    <div class="empty">
      <h2>Choose a service</h2>
      {services.error && <ErrorPanel error={services.error} retry={services.retry} what="Loading the services" />}
      {services.data?.empty ? (
        <p>
          The store is empty. <a href="/send">Send data</a> first.
        </p>
      ) : (
        <ul class="service-choices">
          {rows.slice(0, 30).map((row) => (
            <li key={row.name}>
              <button class="control" onClick={() => chooseService(row.name)}>
                {row.name}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function useServices(): Resource<Services> {
  const params = { from: span.value.from, to: span.value.to };
  return useResource<Services>(JSON.stringify(params), (signal) => getJson('services', params, signal));
}

function Body({ services, type }: { services: Services | null; type: string }) {
  const wide = useWide();
  const { b, o, sort, view: chosen } = state.value;
  const view: View = chosen === 'split' && !wide ? 'flame' : chosen || (wide ? 'split' : 'flame');
  const range = b ?? span.value;
  const params = queryParams(type, range);
  const paramsKey = JSON.stringify(params);
  const treeParams: Params = { ...params, o: o === 'bu' ? 'bu' : undefined, ...capOfAddress() };
  const treeKey = JSON.stringify(treeParams);
  const tree = useResource<FrameTree>(treeKey, (signal) => loadTree(treeParams, signal));
  const functions = useResource<Functions>(paramsKey, (signal) => getJson('functions', { ...params, limit: TABLE_LIMIT }, signal));
  const search = useSearch();
  const flame = useRef<Flame>(null);
  const [hovered, setHovered] = useState('');
  const [selected, setSelected] = useState('');
  const [menu, setMenu] = useState<OpenMenu | null>(null);
  // The path of the zoom, for "of view"; the engine knows it by names, the address by hashes.
  const path = useMemo(() => {
    const engine = flame.current;
    return state.value.z.length > 0 && engine?.tree && o === 'td' ? engine.tree.path(engine.focus) : [];
  }, [state.value.z, tree.data, o]);
  useKeys({
    b: () => commit({ o: o === 'bu' ? 'td' : 'bu', z: [] }),
    w: () => selected !== '' && commit({ view: 'sandwich', fn: selected }),
  });
  const hover = (name: string | null): void => setHovered(name ?? '');
  const openSandwich = (name: string): void => commit({ view: 'sandwich', fn: name });
  const openNameMenu = (name: string, x: number, y: number): void => setMenu(nameMenu(name, x, y));
  const openFrameMenu = (node: number, x: number, y: number): void => setMenu(frameMenu(flame.current!, node, x, y));

  const nothing = functions.data?.total === 0 && functions.data.functions === 0 && functions.dataKey === paramsKey;
  if (nothing) return <NothingHere services={services} type={type} />;
  const table = (
    <Reloading resource={functions}>
      {functions.error && <ErrorPanel error={functions.error} retry={functions.retry} what="Loading the function table" />}
      {functions.data ? (
        <FunctionTable
          data={functions.data} filter={search.matches} sort={sort} setSort={(next) => adjust({ sort: next })} selected={selected}
          select={setSelected} open={openSandwich} hovered={hovered} hover={hover} menu={openNameMenu}
        />
      ) : (
        !functions.error && <FirstLoad loading={functions.loading} rows={12} />
      )}
    </Reloading>
  );
  const graph = (
    <Reloading resource={tree}>
      {tree.error && <ErrorPanel error={tree.error} retry={tree.retry} what="Loading the flame graph" />}
      {tree.data ? (
        <FlamePanel
          answer={tree.data} params={treeParams} type={type} functions={functions.data} hovered={hovered || selected} matches={search.matches} flame={flame}
          hover={hover} select={setSelected} menu={openFrameMenu}
        />
      ) : (
        !tree.error && <FirstLoad loading={tree.loading} rows={10} />
      )}
    </Reloading>
  );
  return (
    <section class="panel result" aria-label="Result">
      <header class="panel-head tools">
        <ViewTabs view={view} wide={wide} />
        {view !== 'sandwich' && <SearchBox search={search} flame={flame} params={params} paramsKey={paramsKey} path={path} />}
        <span class="spring" />
        {(view === 'split' || view === 'flame') && (
          <button
            class="control" aria-pressed={o === 'bu'} title="Bottom-up: functions by self, callers below (b)"
            onClick={() => commit({ o: o === 'bu' ? 'td' : 'bu', z: [] })}
          >
            <Icon name="flip" />
            Bottom-up
          </button>
        )}
      </header>
      {functions.data && <Partial reasons={functions.data.cost.partial} />}
      <div class="result-body">
        {view === 'split' && <Splitter left={table} right={graph} />}
        {view === 'flame' && graph}
        {view === 'table' && table}
        {view === 'sandwich' && (
          <Sandwich params={params} paramsKey={paramsKey} type={type} functions={functions.data} hovered={hovered} hover={hover} menu={openNameMenu} />
        )}
      </div>
      {functions.data && <CostLine functions={functions.data} />}
      <p class="hidden" role="status">
        {functions.data && !functions.loading
          ? `Loaded, ${formatValue(functions.data.total, functions.data.unit)}, ${plural(functions.data.functions, 'function')}`
          : ''}
      </p>
      {menu && <Menu title={menu.title} x={menu.x} y={menu.y} groups={menu.groups} close={() => setMenu(null)} />}
    </section>
  );
}

function TimelineOf({ type }: { type: string }) {
  const { g } = state.value;
  const step = stepFor(span.value, TIMELINE_POINTS);
  const params: Params = { ...queryParams(type, span.value), step, g };
  const series = useResource<Series>(JSON.stringify(params), (signal) => getJson('series', params, signal));
  return <Timeline resource={series} type={type} />;
}

export function ExplorePage() {
  const services = useServices();
  const { s, t } = state.value;
  const present = services.data?.services.find((row) => row.name === s)?.types ?? services.data?.types ?? [];
  const type = effectiveType(t, s, present);
  // A selector that cannot be read asks nothing; the bar says what is wrong with it.
  const readable = parseMatchers(state.value.f).ok;
  const ready = s !== '' && type !== '' && readable;
  return (
    <div class="explore">
      <h1 class="hidden">{s ? `Explore ${s}${type ? `, ${typeInfo(type).label}` : ''}` : 'Explore'}</h1>
      <Bar services={services.data} type={type} />
      {ready && <TimelineOf type={type} />}
      {ready && <Body services={services.data} type={type} />}
      {!readable && (
        <div class="empty" role="status">
          <h2>The filters cannot be read</h2>
          <p>The bar above shows where. Nothing was asked until they are mended.</p>
        </div>
      )}
      {!ready && s === '' && <ChooseService services={services} />}
      {readable && !ready && s !== '' && services.data && <NothingHere services={services.data} type={type} />}
      {readable && !ready && s !== '' && !services.data && (services.error ? <ErrorPanel error={services.error} retry={services.retry} what="Loading the services" /> : <Skeleton rows={8} />)}
    </div>
  );
}
