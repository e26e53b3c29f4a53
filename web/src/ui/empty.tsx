// Nothing in the range: why, and what to do about it.
import { getJson } from '../net/api';
import type { Functions, Services } from '../net/types';
import { plural } from '../state/format';
import { describeMatcher, parseMatchers, printMatchers } from '../state/selector';
import { typeInfo } from '../state/profile_type';
import { DAY, describeDuration, isoTime } from '../state/time';
import { commit, now, span, state } from './app';
import { chooseType } from './bar';
import { queryParams } from './query';
import { useResource } from './resource';

/** Profiles there would be without matcher `index`. */
function Without({ index, type }: { index: number; type: string }) {
  const parsed = parseMatchers(state.value.f);
  const matchers = parsed.ok ? parsed.matchers : [];
  const others = printMatchers(matchers.filter((_, i) => i !== index));
  const params = { ...queryParams(type, span.value), f: others, limit: 1 };
  const answer = useResource<Functions>(JSON.stringify(params), (signal) => getJson('functions', params, signal));
  const profiles = answer.data?.cost.profiles ?? 0;
  if (profiles === 0) return null;
  const { name, op, value } = describeMatcher(matchers[index]!);
  return (
    <li>
      Without{' '}
      <strong>
        {name} {op} {value}
      </strong>{' '}
      there {profiles === 1 ? 'is' : 'are'} {plural(profiles, 'profile')}.{' '}
      <button class="control" onClick={() => commit({ f: others })}>
        Remove it
      </button>
    </li>
  );
}

const LOOK_BACK_MS = 30 * DAY;

/** When this service was last heard, up to 30 days before the end of the range. */
function Nearest({ type }: { type: string }) {
  const { s } = state.value;
  const to = span.value.from;
  const params = { from: to - LOOK_BACK_MS, to };
  const answer = useResource<Services>(JSON.stringify(params), (signal) => getJson('services', params, signal));
  const row = answer.data?.services.find((r) => r.name === s);
  if (!row?.last_seen) return null;
  const length = span.value.to - span.value.from;
  const seen = row.last_seen;
  return (
    <li>
      The nearest data of {s} before this range is {describeDuration(now() - seen)} old.{' '}
      <button
        class="control"
        onClick={() => commit({ from: isoTime(seen - length + 60_000), to: isoTime(seen + 60_000), t: row.types.includes(type) ? type : '', b: null })}
      >
        Go there
      </button>
    </li>
  );
}

export function NothingHere({ services, type }: { services: Services | null; type: string }) {
  const { s, f, b } = state.value;
  const parsed = parseMatchers(f);
  const row = services?.services.find((r) => r.name === s);
  const others = row?.types.filter((id) => id !== type) ?? [];
  const lacking = row !== undefined && !row.types.includes(type);
  return (
    <div class="empty" role="status">
      <h2>No profiles here</h2>
      <p>
        {lacking
          ? `${s} has no ${typeInfo(type).label} profiles in this range.`
          : row
            ? 'The range or the filters leave nothing.'
            : `${s || 'No service'} sent nothing in this range.`}
      </p>
      <ul>
        {b && (
          <li>
            The brush may lie beside the data.{' '}
            <button class="control" onClick={() => commit({ b: null })}>
              Clear the brush
            </button>
          </li>
        )}
        {lacking && others.length > 0 && (
          <li>
            It has{' '}
            {others.map((id) => (
              <button key={id} class="control" onClick={() => chooseType(id)}>
                {typeInfo(id).label}
              </button>
            ))}
          </li>
        )}
        {!lacking && parsed.ok && parsed.matchers.map((_, i) => <Without key={`${f} ${i}`} index={i} type={type} />)}
        {!row && s !== '' && <Nearest type={type} />}
        <li>
          <button class="control" onClick={() => commit({ from: 'now-24h', to: 'now', b: null })}>
            Look at the last 24 h
          </button>
        </li>
      </ul>
    </div>
  );
}
