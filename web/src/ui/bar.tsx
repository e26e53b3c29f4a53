// The query bar of Explore: service, type, filters, time, refresh.
import { useState } from 'preact/hooks';
import type { Services } from '../net/types';
import { describeDuration, isoTime, shiftSpan } from '../state/time';
import { GROUPS, typeInfo } from '../state/profile_type';
import { readPreference, writePreference } from '../state/prefs';
import { commit, now, refresh, span, state } from './app';
import { Filters } from './filters';
import { Icon } from './icons';
import { useKeys } from './keys';
import { Picker, type Choice } from './picker';
import { TimePicker } from './time_picker';

const RECENT_SERVICES = 3;

function serviceChoices(answer: Services | null): Choice[] {
  const rows = answer?.services ?? [];
  const recent = readPreference('recent').filter((name) => rows.some((r) => r.name === name)).slice(0, RECENT_SERVICES);
  const hint = (name: string): string => {
    const row = rows.find((r) => r.name === name);
    return row?.last_seen ? `${describeDuration(Math.max(0, now() - row.last_seen))} ago` : '';
  };
  const choice = (name: string, group: string): Choice => ({ value: name, label: name, hint: hint(name), group });
  const rest = rows.map((r) => r.name).filter((name) => !recent.includes(name));
  return [...recent.map((n) => choice(n, 'Recent')), ...rest.map((n) => choice(n, recent.length ? 'All services' : ''))];
}

/** All types of the range, those that the service lacks greyed. */
function typeChoices(answer: Services | null, service: string): Choice[] {
  const present = answer?.services.find((r) => r.name === service)?.types ?? answer?.types ?? [];
  const order = (id: string): number => GROUPS.indexOf(typeInfo(id).group as (typeof GROUPS)[number]);
  return [...(answer?.types ?? [])]
    .sort((a, b) => order(a) - order(b) || (typeInfo(a).label < typeInfo(b).label ? -1 : 1))
    .map((id) => {
      const info = typeInfo(id);
      const missing = !present.includes(id);
      return { value: id, label: info.label, group: info.group, title: id, disabled: missing, hint: missing ? 'not in this range' : info.unit };
    });
}

export function chooseService(name: string): void {
  writePreference('recent', [name, ...readPreference('recent').filter((n) => n !== name)].slice(0, 10));
  commit({ s: name, t: '', f: '', b: null, z: [], fn: '', view: state.peek().view === 'sandwich' ? '' : state.peek().view });
}

export function chooseType(id: string): void {
  writePreference('types', { ...readPreference('types'), [state.peek().s]: id });
  commit({ t: id, z: [] });
}

function shift(direction: -1 | 0 | 1): void {
  const moved = shiftSpan(span.peek(), direction);
  commit({ from: isoTime(moved.from), to: isoTime(moved.to), b: null });
}

type Panel = 's' | 'y' | 'f' | 't' | null;

export function Bar({ services, type }: { services: Services | null; type: string }) {
  const [panel, setPanel] = useState<Panel>(null);
  const opener = (name: Exclude<Panel, null>) => (open: boolean) => setPanel(open ? name : null);
  useKeys({
    s: () => setPanel('s'), y: () => setPanel('y'), f: () => setPanel('f'), t: () => setPanel('t'),
    '[': () => shift(-1), ']': () => shift(1), '-': () => shift(0), r: refresh,
  });
  return (
    <div class="bar" data-testid="bar" role="region" aria-label="Query">
      <Picker
        label="Service" testId="svc" value={state.value.s} text={state.value.s || 'Choose a service'} choices={serviceChoices(services)} pick={chooseService}
        open={panel === 's'} setOpen={opener('s')} placeholder="service…"
      />
      <Picker
        label="Profile type" testId="type" value={type ? typeInfo(type).label : ''} text={type ? typeInfo(type).label : 'Profile type'}
        choices={typeChoices(services, state.value.s)} pick={chooseType} open={panel === 'y'} setOpen={opener('y')} placeholder="type…"
      />
      <Filters type={type} open={panel === 'f'} setOpen={opener('f')} />
      <span class="spring" />
      <div class="time-group">
        <button class="ghost square" aria-label="Earlier by half the range" title="Earlier ([)" onClick={() => shift(-1)}>
          <Icon name="left" />
        </button>
        <TimePicker open={panel === 't'} setOpen={opener('t')} />
        <button class="ghost square" aria-label="Later by half the range" title="Later (])" onClick={() => shift(1)}>
          <Icon name="right" />
        </button>
        <button class="ghost square" aria-label="Double the range" title="Double the range (-)" onClick={() => shift(0)}>
          <Icon name="out" />
        </button>
        <button class="ghost square" aria-label="Refresh" title="Refresh (r)" onClick={refresh}>
          <Icon name="refresh" />
        </button>
      </div>
    </div>
  );
}
