// The query of the page as parameters of the server's calls.
import type { Params } from '../net/api';
import { preferredType, typeInfo, type TypeInfo } from '../state/profile_type';
import { readPreference } from '../state/prefs';
import type { Span } from '../state/time';
import { state } from './app';

/** Service, type, filters and a range, as every call takes them. */
export const queryParams = (type: string, range: Span): Params => ({
  s: state.value.s,
  t: type,
  f: state.value.f,
  from: range.from,
  to: range.to,
});

/** The type in effect: the address's, else the last one of this service, else the preferred one of those present. */
export function effectiveType(chosen: string, service: string, present: readonly string[]): string {
  if (chosen !== '') return chosen;
  const last = readPreference('types')[service];
  return last !== undefined && present.includes(last) ? last : (preferredType(present) ?? '');
}

export const describeType = (id: string): TypeInfo => typeInfo(id);
