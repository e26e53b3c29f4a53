import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorFrom } from '../src/net/api';
import { formatChange, formatExact, formatPercent, formatRate, formatValue } from '../src/state/format';
import { preferredType, typeInfo } from '../src/state/profile_type';
import { compileSearch, searchParameter } from '../src/state/search';
import { matcherOf, parseMatchers, printMatchers, valuesOf, type Matcher } from '../src/state/selector';
import { HOUR, MINUTE, canonicalTime, describeDuration, formatSpan, resolveRange, resolveTime, shiftSpan, splitPastedRange, stepFor } from '../src/state/time';
import { emptyState, parseUrl, printUrl, rewriteLegacy, type State } from '../src/state/url';
import { instantOf, offsetMinutes, wallOf, zoneLabel } from '../src/state/zone';
import { nameHash, parseZoom, zoomParameter } from '../src/state/zoom';

const NOW = Date.UTC(2026, 10, 22, 10, 0, 0);
const roundTrip = (state: State): State => {
  const url = new URL(printUrl(state), 'http://x');
  return parseUrl(url.pathname, url.search);
};

test('an address holds the whole state and gives it back', () => {
  const state: State = {
    page: 'explore', s: 'checkout', t: 'process_cpu:cpu:nanoseconds:cpu:nanoseconds', f: 'region="eu",pod=~"web-.*"', from: 'now-6h', to: 'now-1m',
    tz: 'Europe/Rome', b: { from: 1763806800000, to: 1763807400000 }, view: 'sandwich', fn: 'acme.(*walk).a&b=c #1', o: 'bu', z: ['3fA1', '9b-_'],
    q: '/^runtime\\./i, json', sort: '-total', g: 'region', rest: [['v', '1'], ['future', 'a b&c']],
  };
  assert.deepEqual(roundTrip(state), state);
});

test('the default state has a bare address and malformed parameters read as absent', () => {
  assert.equal(printUrl(emptyState('explore')), '/explore');
  const state = parseUrl('/explore', '?b=5-3&view=fancy&sort=size&o=up&z=..&from=');
  assert.deepEqual({ ...state, rest: [] }, emptyState('explore'));
  assert.equal(parseUrl('/nowhere', '').page, 'missing');
});

test('addresses of Pyroscope are rewritten', () => {
  const search = '?query=process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="checkout",region="eu"}&from=now-1h&until=now&maxNodes=9';
  const state = rewriteLegacy('/', search)!;
  assert.equal(printUrl(state), '/explore?s=checkout&t=process_cpu:cpu:nanoseconds:cpu:nanoseconds&f=region=%22eu%22');
  const diff = rewriteLegacy('/comparison-diff', '?leftQuery=a:b:c:d:e{}&rightQuery=a:b:c:d:e{service_name="x"}&rightFrom=1763806800&rightUntil=now')!;
  assert.deepEqual([diff.s, diff.t, diff.from, diff.to], ['x', 'a:b:c:d:e', '1763806800', 'now']);
  assert.equal(rewriteLegacy('/', '?s=checkout'), null);
  assert.equal(rewriteLegacy('/', '?query=x{'), null);
});

test('zoom hashes are stable, short and safe in an address', () => {
  assert.match(nameHash('encoding/json.Marshal'), /^[A-Za-z0-9_-]{4}$/);
  assert.notEqual(nameHash('a'), nameHash('b'));
  const text = zoomParameter(['main', 'größe']);
  assert.deepEqual(parseZoom(text), [nameHash('main'), nameHash('größe')]);
  assert.deepEqual(parseZoom('AAAA.bad.BBBB'), ['AAAA']);
});

test('matchers print and parse without loss', () => {
  const matchers: Matcher[] = [
    { name: 'region', op: '=', value: 'eu' },
    { name: 'pod', op: '!=', value: 'a"b\\c\nd' },
    { name: 'weird label', op: '=~', value: 'x|y' },
    { name: 'v', op: '!~', value: '' },
  ];
  const parsed = parseMatchers(printMatchers(matchers));
  assert.deepEqual(parsed, { ok: true, matchers });
  assert.deepEqual(parseMatchers('{ a = "1" , }'), { ok: true, matchers: [{ name: 'a', op: '=', value: '1' }] });
  assert.deepEqual(parseMatchers(''), { ok: true, matchers: [] });
});

test('a selector error names its column', () => {
  for (const [text, column] of [['region=', 7], ['region"eu"', 6], ['a="1" b="2"', 6], ['a="1', 2], ['=~"x"', 0], ['a=~"(?<=x)"', 3], ['{a="1"', 6], ['a="\\q"', 3]] as const) {
    const parsed = parseMatchers(text);
    assert.equal(parsed.ok ? -1 : parsed.error.column, column, text);
  }
});

test('several values make an escaped alternation that reads back', () => {
  const values = ['eu.west', 'a|b', 'us'];
  const matcher = matcherOf('region', false, values);
  assert.equal(matcher.value, 'eu\\.west|a\\|b|us');
  assert.deepEqual(valuesOf(matcher), values);
  assert.equal(valuesOf({ name: 'pod', op: '=~', value: 'web-.*' }), null);
  assert.deepEqual(valuesOf(matcherOf('region', true, ['eu'])), ['eu']);
});

test('searches: literal, regular expression, a list, and mistakes', () => {
  const match = (query: string, name: string): boolean => {
    const compiled = compileSearch(query);
    return compiled.ok && compiled.matches(name);
  };
  assert.ok(match('json', 'encoding/JSON.Marshal'));
  assert.ok(!match('/json/', 'encoding/JSON.Marshal'));
  assert.ok(match('/json/i', 'encoding/JSON.Marshal'));
  assert.ok(match('nope, /^runtime\\./', 'runtime.mallocgc'));
  assert.ok(match('/a{1,2}b/', 'xaab'));
  assert.equal(compileSearch('/(/').ok, false);
  assert.equal(compileSearch('/(?=a)/').ok, false);
  assert.equal(searchParameter('a, /x{1,2}/'), 'a,/x{1%2C2}/');
});

test('time expressions are understood in the zone', () => {
  const at = (text: string, zone = 'utc', edge: 'from' | 'to' = 'from'): string | null => {
    const ms = resolveTime(text, NOW, zone, edge);
    return ms === null ? null : new Date(ms).toISOString();
  };
  assert.equal(at('now-90m'), '2026-11-22T08:30:00.000Z');
  assert.equal(at('1h30m'), '2026-11-22T08:30:00.000Z');
  assert.equal(at('yesterday'), '2026-11-21T00:00:00.000Z');
  assert.equal(at('yesterday', 'utc', 'to'), '2026-11-22T00:00:00.000Z');
  assert.equal(at('today', 'Europe/Rome'), '2026-11-21T23:00:00.000Z');
  assert.equal(at('last monday 9:00'), '2026-11-16T09:00:00.000Z');
  assert.equal(at('2026-11-20 10:00', 'Europe/Rome'), '2026-11-20T09:00:00.000Z');
  assert.equal(at('2026-11-20T10:00:00+02:00'), '2026-11-20T08:00:00.000Z');
  assert.equal(at('1763806800'), '2025-11-22T10:20:00.000Z');
  assert.equal(at('1763806800000'), '2025-11-22T10:20:00.000Z');
  for (const bad of ['garbage', 'now-', 'now-5x', '2026-02-30', '25:00', 'last someday', '']) assert.equal(at(bad), null, bad);
});

test('the address keeps relative words and makes the rest absolute', () => {
  assert.equal(canonicalTime('90m', NOW, 'utc', 'from'), 'now-90m');
  assert.equal(canonicalTime('now - 1h', NOW, 'utc', 'from'), 'now-1h');
  assert.equal(canonicalTime('Yesterday', NOW, 'utc', 'from'), 'yesterday');
  assert.equal(canonicalTime('2026-11-20 10:00', NOW, 'Europe/Rome', 'from'), '2026-11-20T09:00:00Z');
  assert.equal(canonicalTime('what', NOW, 'utc', 'from'), null);
});

test('ranges: order, paste, shift, words', () => {
  assert.equal(resolveRange({ from: 'now', to: 'now-1h' }, NOW, 'utc'), null);
  assert.deepEqual(splitPastedRange('2026-11-20 10:00 to 2026-11-20 11:00'), { from: '2026-11-20 10:00', to: '2026-11-20 11:00' });
  assert.deepEqual(splitPastedRange('https://g/d/x?from=now-6h&to=now&y=1'), { from: 'now-6h', to: 'now' });
  assert.deepEqual(shiftSpan({ from: 0, to: 100 }, -1), { from: -50, to: 50 });
  assert.deepEqual(shiftSpan({ from: 100, to: 200 }, 0), { from: 50, to: 250 });
  assert.equal(formatSpan({ from: NOW - HOUR, to: NOW }, 'utc', NOW), '09:00–10:00');
  assert.equal(formatSpan({ from: NOW - 25 * HOUR, to: NOW }, 'utc', NOW), '2026-11-21 09:00 – 2026-11-22 10:00');
  assert.equal(describeDuration(90 * MINUTE), '1 h 30 min');
});

test('steps are round and bounded', () => {
  assert.equal(stepFor({ from: 0, to: HOUR }, 240), 15_000);
  assert.equal(stepFor({ from: 0, to: 24 * HOUR }, 240), 600_000);
  for (const days of [1, 7, 30, 400, 4000]) assert.ok((days * 24 * HOUR) / stepFor({ from: 0, to: days * 24 * HOUR }, 240) <= 240);
});

test('wall time and instants agree, also across daylight saving', () => {
  const spring = Date.UTC(2026, 2, 29, 1, 30);
  assert.equal(wallOf(spring, 'Europe/Rome').hour, 3);
  assert.equal(offsetMinutes(NOW, 'Europe/Rome'), 60);
  assert.equal(zoneLabel('America/St_Johns', NOW), 'UTC−3:30');
  for (const ms of [spring, NOW, Date.UTC(2026, 9, 25, 12)]) assert.equal(instantOf(wallOf(ms, 'Europe/Rome'), 'Europe/Rome'), ms);
});

test('numbers read well and never lie', () => {
  const plain = (text: string): string => text.replace(/\u202f/g, ' ');
  assert.equal(plain(formatValue(12_900_000_000, 'nanoseconds')), '12.9 s');
  assert.equal(plain(formatValue(0, 'nanoseconds')), '0 s');
  assert.equal(plain(formatValue(224_395_264, 'bytes')), '214 MiB');
  assert.equal(plain(formatValue(12_345, 'count')), '12.3 k');
  assert.equal(plain(formatRate(1_240_000_000, 'nanoseconds', true)), '1.24 cores');
  assert.equal(plain(formatPercent(0.0004, 1)), '<0.1 %');
  assert.equal(plain(formatPercent(1, 0)), '–');
  assert.equal(plain(formatPercent(1, 3)), '33.3 %');
  assert.equal(plain(formatChange(112, 100)), '▲ +12 %');
  assert.equal(plain(formatChange(5, 0)), 'new');
  assert.equal(plain(formatChange(0, 0)), '▬ 0 %');
  assert.equal(formatExact(1234567), '1,234,567');
  assert.equal(formatExact(2 ** 60), '≈ 1,152,921,504,606,847,000');
});

test('profile types have words, and CPU time leads', () => {
  assert.deepEqual(typeInfo('process_cpu:cpu:nanoseconds:cpu:nanoseconds').label, 'CPU time');
  assert.equal(typeInfo('memory:inuse_space:bytes:space:bytes').cumulative, false);
  assert.equal(typeInfo('a:b:c:d:e').label, 'a: b');
  assert.equal(preferredType(['memory:inuse_space:bytes:space:bytes', 'process_cpu:cpu:nanoseconds:cpu:nanoseconds']), 'process_cpu:cpu:nanoseconds:cpu:nanoseconds');
  assert.equal(preferredType([]), undefined);
});

test('errors keep what the server said', () => {
  const error = errorFrom(400, { code: 'invalid_argument', message: 'no', request: '1f', field: 'f', column: 7 }, null);
  assert.deepEqual([error.status, error.code, error.message, error.request, error.field, error.column], [400, 'invalid_argument', 'no', '1f', 'f', 7]);
  assert.equal(errorFrom(503, null, '4').retryAfter, 4);
  assert.match(errorFrom(502, '<html>', null).message, /502/);
});
