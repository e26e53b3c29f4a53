// Send data: how to push a first profile, and whether one arrived.
import { useEffect, useRef, useState } from 'preact/hooks';
import { getJson } from '../../net/api';
import type { Rejections, Waiting } from '../../net/types';
import { formatExact, plural } from '../../state/format';
import { formatInstant } from '../../state/time';
import { emptyState, printUrl } from '../../state/url';
import { about, navigate, zone } from '../app';
import { CopyButton } from '../copy_button';
import { Icon } from '../icons';
import { LANGUAGES, type Snippet } from '../snippets';

const POLL_MS = 2000;
const AUTO_OPEN_MS = 3000;

interface Arrival {
  waiting: Waiting | null;
  rejections: Rejections['rejections'];
  /** Service of the first profile since the page was opened. */
  arrived: string | null;
}

/** Polls while the page is visible. What counts as first is what came after the first answer. */
function useArrival(): Arrival {
  const [state, setState] = useState<Arrival>({ waiting: null, rejections: [], arrived: null });
  const first = useRef<Waiting | null>(null);
  useEffect(() => {
    const controller = new AbortController();
    const poll = async (): Promise<void> => {
      if (document.hidden) return;
      try {
        const waiting = await getJson<Waiting>('waiting', {}, controller.signal);
        const { rejections } = await getJson<Rejections>('rejections', {}, controller.signal);
        first.current ??= waiting;
        setState((old) => ({ waiting, rejections, arrived: old.arrived ?? arrivedService(first.current!, waiting) }));
      } catch {
        // The next poll tries again; the line above keeps what was known.
      }
    };
    void poll();
    const timer = setInterval(() => void poll(), POLL_MS);
    return () => {
      clearInterval(timer);
      controller.abort();
    };
  }, []);
  return state;
}

function arrivedService(before: Waiting, now: Waiting): string | null {
  const fresh = now.services.find((name) => !before.services.includes(name));
  if (fresh !== undefined) return fresh;
  return now.received > before.received ? (now.services[0] ?? null) : null;
}

function Block({ title, text }: { title: string; text: string }) {
  return (
    <div class="snippet">
      <div class="snippet-head">
        <h2>{title}</h2>
        <CopyButton text={text} label={`Copy: ${title}`} class="ghost small" />
      </div>
      <pre tabIndex={0} aria-label={title}>
        <code>{text}</code>
      </pre>
    </div>
  );
}

function Tabs({ tenancy }: { tenancy: boolean }) {
  const [chosen, setChosen] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const key = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = (chosen + step + LANGUAGES.length) % LANGUAGES.length;
    setChosen(next);
    list.current!.querySelectorAll<HTMLElement>('[role=tab]')[next]?.focus();
  };
  const { id, blocks } = LANGUAGES[chosen]!;
  const target = { origin: location.origin, tenancy };
  return (
    <>
      <div ref={list} class="language-tabs" role="tablist" aria-label="Language" onKeyDown={key}>
        {LANGUAGES.map((language, i) => (
          <button
            key={language.id} id={`tab-${language.id}`} role="tab" aria-selected={i === chosen} aria-controls="language-panel" tabIndex={i === chosen ? 0 : -1}
            onClick={() => setChosen(i)}
          >
            {language.name}
          </button>
        ))}
      </div>
      <div id="language-panel" role="tabpanel" aria-labelledby={`tab-${id}`}>
        {blocks(target).map((block: Snippet) => (
          <Block key={`${id} ${block.title}`} {...block} />
        ))}
      </div>
    </>
  );
}

function Banner({ arrival, first }: { arrival: Arrival; first: boolean }) {
  const { waiting, arrived } = arrival;
  const link = arrived === null ? '' : printUrl({ ...emptyState('explore'), s: arrived });
  useEffect(() => {
    if (link === '' || !first) return undefined;
    const timer = setTimeout(() => navigate(link), AUTO_OPEN_MS);
    const stay = (): void => clearTimeout(timer);
    addEventListener('pointermove', stay, { once: true });
    addEventListener('keydown', stay, { once: true });
    return () => {
      stay();
      removeEventListener('pointermove', stay);
      removeEventListener('keydown', stay);
    };
  }, [link]);
  if (arrived !== null) {
    return (
      <div class="banner good" role="status">
        <Icon name="check" />
        <strong>A profile of {arrived} arrived.</strong>
        <a class="primary button" href={link}>
          Open it
        </a>
      </div>
    );
  }
  return (
    <div class="banner" role="status">
      <span class="pulse" aria-hidden="true" />
      <span>{first ? 'Waiting for the first profile…' : 'Waiting for the next profile…'}</span>
      <span class="spring" />
      <span class="muted">{waiting ? `${formatExact(waiting.received)} received · ${formatExact(waiting.rejected)} rejected` : 'asking the server…'}</span>
    </div>
  );
}

const SHOWN_REJECTIONS = 5;

function RejectionList({ rejections }: { rejections: Rejections['rejections'] }) {
  if (rejections.length === 0) return null;
  return (
    <section aria-labelledby="rejections-title">
      <h2 id="rejections-title">Last rejections</h2>
      <ul class="rejections">
        {rejections.slice(0, SHOWN_REJECTIONS).map((r, i) => (
          <li key={`${r.at} ${i}`}>
            <span class="muted">{formatInstant(r.at, zone.value)}</span>
            <strong class="bad">{r.status}</strong>
            <span>{r.message || r.reason}</span>
            <span class="muted">{`${r.path} · ${plural(r.bytes, 'byte')}${r.service ? ` · ${r.service}` : ''}`}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The page; `first` when the store is empty. */
export function SendData({ first }: { first: boolean }) {
  const arrival = useArrival();
  return (
    <div class="page send">
      <h1>{first ? 'No profiles yet' : 'Send data'}</h1>
      <p class="lead">
        This server listens at <code>{location.origin}</code> <CopyButton text={location.origin} label="Copy the address" class="ghost small" />
      </p>
      <Banner arrival={arrival} first={first} />
      <Tabs tenancy={about.value?.tenancy ?? false} />
      <RejectionList rejections={arrival.rejections} />
    </div>
  );
}

export function SendPage() {
  return <SendData first={false} />;
}
