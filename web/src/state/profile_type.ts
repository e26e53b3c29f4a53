// The five-part profile type id `name:sample_type:sample_unit:period_type:period_unit`, in words.

export interface TypeInfo {
  id: string;
  group: string;
  label: string;
  unit: string;
  /** Processor time: rates read as cores. */
  cpu: boolean;
  /** Sums of profiles are meaningful over time (work done), as opposed to what is alive at one moment. */
  cumulative: boolean;
}

export const GROUPS = ['CPU', 'Memory', 'Locks', 'Goroutines and threads', 'I/O', 'Other'] as const;

interface Rule {
  match: RegExp;
  group: (typeof GROUPS)[number];
  label: string;
}

/** Matched against `name:sample_type`. */
const RULES: readonly Rule[] = [
  { match: /^process_cpu:cpu$|^cpu:cpu$/, group: 'CPU', label: 'CPU time' },
  { match: /^process_cpu:samples$/, group: 'CPU', label: 'CPU samples' },
  { match: /^wall:/, group: 'CPU', label: 'Wall time' },
  { match: /:alloc_space$/, group: 'Memory', label: 'Allocated bytes' },
  { match: /:alloc_objects$/, group: 'Memory', label: 'Allocated objects' },
  { match: /:alloc_in_new_tlab_bytes$/, group: 'Memory', label: 'Allocated bytes (TLAB)' },
  { match: /:alloc_in_new_tlab_objects$/, group: 'Memory', label: 'Allocated objects (TLAB)' },
  { match: /:inuse_space$/, group: 'Memory', label: 'Live bytes' },
  { match: /:inuse_objects$/, group: 'Memory', label: 'Live objects' },
  { match: /:live$/, group: 'Memory', label: 'Live bytes' },
  { match: /^mutex:contentions$/, group: 'Locks', label: 'Mutex contentions' },
  { match: /^mutex:delay$/, group: 'Locks', label: 'Mutex delay' },
  { match: /^block:contentions$/, group: 'Locks', label: 'Block contentions' },
  { match: /^block:delay$/, group: 'Locks', label: 'Block delay' },
  { match: /:lock_(?:count|time)$/, group: 'Locks', label: 'Locks' },
  { match: /^goroutines?:/, group: 'Goroutines and threads', label: 'Goroutines' },
  { match: /thread/, group: 'Goroutines and threads', label: 'Threads' },
  { match: /socket|file_?io|disk|net_/, group: 'I/O', label: 'I/O' },
];

const spaced = (text: string): string => text.replace(/_/g, ' ');

/** Words for an id; an id of unknown parts is described by them. */
export function typeInfo(id: string): TypeInfo {
  const [name = '', sample = '', unit = ''] = id.split(':');
  const key = `${name}:${sample}`;
  const rule = RULES.find(({ match }) => match.test(key));
  const label = rule?.label ?? (name === sample || name === '' ? spaced(sample || id) : `${spaced(name)}: ${spaced(sample)}`);
  return {
    id,
    unit,
    label,
    group: rule?.group ?? 'Other',
    cpu: sample === 'cpu' && /seconds$/.test(unit),
    cumulative: !/inuse|live|goroutine/.test(key),
  };
}

/** The type to start with: CPU time, else the first in the order of groups. */
export function preferredType(ids: readonly string[]): string | undefined {
  const rank = (id: string): number => (typeInfo(id).cpu ? -1 : GROUPS.indexOf(typeInfo(id).group as (typeof GROUPS)[number]));
  return [...ids].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))[0];
}
