// The designed states of a panel: loading, dimmed reload, error, nothing there, incomplete.
import type { ComponentChildren } from 'preact';
import type { ApiError } from '../net/api';
import { copyText } from './clipboard';
import { Icon } from './icons';
import { useDelayed, type Resource } from './resource';

const SKELETON_AFTER_MS = 150;
const CHIP_AFTER_MS = 400;

export function ErrorPanel({ error, retry, what }: { error: ApiError; retry(): void; what: string }) {
  const details = `${what}: ${error.message} (${error.code}, status ${error.status}${error.request && `, request ${error.request}`})`;
  const busy = error.status === 429 || error.status === 503;
  return (
    <div class="problem" role="alert">
      <Icon name="warn" />
      <div>
        <strong>{error.offline ? 'The server cannot be reached' : busy ? 'The server is busy' : `${what} failed`}</strong>
        <p>{error.offline ? 'Trying again by itself. What is on the screen is the last answer.' : error.message}</p>
        {error.request && <p class="muted">Request {error.request}</p>}
        {busy && <p class="muted">Asked again in {error.retryAfter ?? 4} s.</p>}
      </div>
      <div class="problem-actions">
        <button class="control" onClick={retry}>
          Retry
        </button>
        <button class="ghost" onClick={() => void copyText(details)}>
          Copy details
        </button>
      </div>
    </div>
  );
}

/** The old content dimmed with a progress line while a newer answer is on its way. */
export function Reloading({ resource, children }: { resource: Resource<unknown>; children: ComponentChildren }) {
  const slow = useDelayed(resource.loading, CHIP_AFTER_MS);
  const dim = useDelayed(resource.loading, SKELETON_AFTER_MS);
  return (
    <div class={`reloading${dim ? ' dim' : ''}`} aria-busy={resource.loading}>
      {dim && <span class="progress" />}
      {slow && (
        <span class="loading-chip">
          Loading…
          <button class="ghost small" onClick={resource.cancel}>
            Cancel
          </button>
        </span>
      )}
      {children}
    </div>
  );
}

export function Skeleton({ rows, class: name = '' }: { rows: number; class?: string }) {
  return (
    <div class={`skeleton ${name}`} aria-hidden="true">
      {Array.from({ length: rows }, (_, i) => (
        <span key={i} />
      ))}
    </div>
  );
}

/** Waits a moment before the skeleton shows, so that quick answers do not flicker. */
export function FirstLoad({ loading, rows }: { loading: boolean; rows: number }) {
  return useDelayed(loading, SKELETON_AFTER_MS) ? <Skeleton rows={rows} /> : null;
}

export function Partial({ reasons }: { reasons: readonly string[] }) {
  if (reasons.length === 0) return null;
  return (
    <details class="partial">
      <summary>
        <Icon name="warn" />
        {reasons.length === 1 ? 'One part of the data' : `${reasons.length} parts of the data`} could not be read; totals say “at least”
      </summary>
      <ul>
        {reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    </details>
  );
}
