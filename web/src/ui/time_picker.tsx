// The time range: words or instants, explained while typing; presets; zone.
import { useState } from 'preact/hooks';
import { readPreference, writePreference } from '../state/prefs';
import {
  PRESETS, canonicalTime, describeDuration, describeRange, explainTime, parseDuration, resolveRange, resolveTime, splitPastedRange,
  type Edge, type TimeRange,
} from '../state/time';
import { isZone, zoneLabel } from '../state/zone';
import { commit, now, setZone, span, state, zone } from './app';
import { Icon } from './icons';
import { Popover } from './popover';

const RECENT = 5;

interface Understood {
  ms: number | null;
  line: string;
}

function understand(text: string, edge: Edge): Understood {
  const ms = resolveTime(text, now(), zone.value, edge);
  if (ms === null) return { ms, line: 'Not understood. Try now-90m, yesterday, last monday 9:00 or 2026-11-20 10:00.' };
  return { ms, line: explainTime(ms, now(), zone.value) };
}

function Field({ edge, value, set, apply }: { edge: Edge; value: string; set(text: string): void; apply(): void }) {
  const { ms, line } = understand(value, edge);
  const name = edge === 'from' ? 'From' : 'To';
  return (
    <div class="stack">
      <label for={`time-${edge}`}>{name}</label>
      <input
        id={`time-${edge}`} class="field" value={value} spellcheck={false} autocomplete="off" aria-invalid={ms === null} aria-describedby={`explain-${edge}`}
        onInput={(e) => set(e.currentTarget.value)} onKeyDown={(e) => e.key === 'Enter' && apply()}
      />
      <span id={`explain-${edge}`} class={`explain${ms === null ? ' bad' : ''}`} aria-live="polite">
        {line}
      </span>
    </div>
  );
}

/** Zones by name, as far as the browser lists them. */
function zoneNames(): string[] {
  const listed = (Intl as { supportedValuesOf?(key: string): string[] }).supportedValuesOf?.('timeZone') ?? [];
  return ['utc', 'local', ...listed];
}

function ZoneSwitch() {
  const [text, setText] = useState('');
  const choose = (value: string): void => {
    setText(value);
    if (isZone(value)) {
      setZone(value);
      setText('');
    }
  };
  const named = zone.value !== 'utc' && zone.value !== 'local';
  return (
    <div class="zones" role="group" aria-label="Time zone">
      <button class="control" aria-pressed={zone.value === 'utc'} onClick={() => setZone('utc')}>
        UTC
      </button>
      <button class="control" aria-pressed={zone.value === 'local'} onClick={() => setZone('local')}>
        Local
      </button>
      <input
        class="field" list="zone-names" aria-label="Time zone by name" placeholder={named ? zone.value : 'Europe/Rome…'} value={text}
        onInput={(e) => choose(e.currentTarget.value)}
      />
      <datalist id="zone-names">
        {zoneNames().map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </div>
  );
}

function remember(range: TimeRange): void {
  const others = readPreference('ranges').filter((r) => r.from !== range.from || r.to !== range.to);
  writePreference('ranges', [range, ...others].slice(0, RECENT));
}

function TimePanel({ close }: { close(): void }) {
  const [from, setFrom] = useState(state.value.from);
  const [to, setTo] = useState(state.value.to);
  const range = resolveRange({ from, to }, now(), zone.value);
  const both = understand(from, 'from').ms !== null && understand(to, 'to').ms !== null;
  const use = (chosen: TimeRange): void => {
    commit({ ...chosen, b: null });
    remember(chosen);
    close();
  };
  const apply = (): void => {
    if (!range) return;
    const instant = now();
    use({ from: canonicalTime(from, instant, zone.value, 'from')!, to: canonicalTime(to, instant, zone.value, 'to')! });
  };
  const paste = (event: ClipboardEvent): void => {
    const pasted = splitPastedRange(event.clipboardData?.getData('text') ?? '');
    if (!pasted || !resolveRange(pasted, now(), zone.value)) return;
    event.preventDefault();
    setFrom(pasted.from);
    setTo(pasted.to);
  };
  const recent = readPreference('ranges').filter((r) => resolveRange(r, now(), zone.value));
  return (
    <div class="time-panel" onPaste={paste}>
      <div class="time-form">
        <Field edge="from" value={from} set={setFrom} apply={apply} />
        <Field edge="to" value={to} set={setTo} apply={apply} />
        <p class={`explain${both && !range ? ' bad' : ''}`} aria-live="polite">
          {range ? `${describeDuration(range.to - range.from)} long` : both ? 'The end is not after the start.' : ' '}
        </p>
        <button class="primary" disabled={!range} onClick={apply}>
          Apply
        </button>
        <ZoneSwitch />
      </div>
      <div class="presets">
        <h2>Last</h2>
        <div class="preset-grid">
          {PRESETS.map((preset) => (
            <button
              key={preset} class="control" title={`Last ${describeDuration(parseDuration(preset)!)}`}
              aria-pressed={state.value.from === `now-${preset}` && state.value.to === 'now'}
              onClick={() => use({ from: `now-${preset}`, to: 'now' })}
            >
              {preset}
            </button>
          ))}
        </div>
        {recent.length > 0 && <h2>Recent</h2>}
        {recent.map((r) => (
          <button key={`${r.from} ${r.to}`} class="ghost recent" onClick={() => use(r)}>
            {describeRange(r, resolveRange(r, now(), zone.value), zone.value, now())}
          </button>
        ))}
      </div>
    </div>
  );
}

export function TimePicker({ open, setOpen }: { open: boolean; setOpen(open: boolean): void }) {
  const text = describeRange(state.value, span.value, zone.value, now());
  return (
    <div class="anchor" data-testid="time">
      <button class="control" aria-haspopup="dialog" aria-expanded={open} aria-label={`Time range: ${text} ${zoneLabel(zone.value, span.value.to)}`} onClick={() => setOpen(!open)}>
        <Icon name="clock" />
        <span class="control-text">{text}</span> <span class="muted">{zoneLabel(zone.value, span.value.to)}</span>
        <Icon name="down" />
      </button>
      {open && (
        <Popover label="Time range" close={() => setOpen(false)} align="right" wide>
          <TimePanel close={() => setOpen(false)} />
        </Popover>
      )}
    </div>
  );
}
