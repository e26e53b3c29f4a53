// A server answer in a component: the old one stays until the new one is there; errors, retries and abort are here.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from '../net/api';
import { offline, unauthorised } from './app';

export interface Resource<T> {
  data: T | null;
  /** The key that `data` answers. */
  dataKey: string | null;
  error: ApiError | null;
  loading: boolean;
  retry(): void;
  /** Aborts the call that runs; the old answer stays. */
  cancel(): void;
}

const OFFLINE_WAITS_S = [1, 2, 5, 10];

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(-1, 'unreadable', error instanceof Error ? error.message : String(error));
}

/** Seconds until the next automatic try; null when a person has to ask. */
function waitAfter(error: ApiError, tries: number): number | null {
  if (error.offline) return OFFLINE_WAITS_S[Math.min(tries, OFFLINE_WAITS_S.length - 1)]!;
  if ((error.status === 429 || error.status === 503) && tries === 0) return Math.min(error.retryAfter ?? 4, 60);
  return null;
}

/** Loads whenever `key` changes; null = nothing to load. */
export function useResource<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const [held, setHeld] = useState<{ data: T | null; key: string | null }>({ data: null, key: null });
  const [error, setError] = useState<ApiError | null>(null);
  const [loading, setLoading] = useState(false);
  const [attempt, setAttempt] = useState(0);
  const running = useRef<AbortController | null>(null);
  const tries = useRef(0);
  const loader = useRef(load);
  loader.current = load;

  useEffect(() => {
    if (key === null) return undefined;
    const controller = new AbortController();
    running.current = controller;
    let timer: ReturnType<typeof setTimeout> | undefined;
    setLoading(true);
    loader.current(controller.signal).then(
      (data) => {
        if (controller.signal.aborted) return;
        tries.current = 0;
        offline.value = false;
        setHeld({ data, key });
        setError(null);
        setLoading(false);
      },
      (reason: unknown) => {
        if (controller.signal.aborted) return;
        const problem = asApiError(reason);
        offline.value = problem.offline;
        if (problem.status === 401) unauthorised.value = true;
        setError(problem);
        setLoading(false);
        const wait = waitAfter(problem, tries.current++);
        if (wait !== null) timer = setTimeout(() => setAttempt((n) => n + 1), wait * 1000);
      },
    );
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [key, attempt]);

  useEffect(() => {
    tries.current = 0;
  }, [key]);

  const retry = useCallback(() => {
    tries.current = 0;
    setAttempt((n) => n + 1);
  }, []);
  const cancel = useCallback(() => {
    running.current?.abort();
    setLoading(false);
  }, []);
  return { data: held.data, dataKey: held.key, error, loading, retry, cancel };
}

/** True once `on` has lasted `ms`. */
export function useDelayed(on: boolean, ms: number): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (!on) return undefined;
    const timer = setTimeout(() => setLate(true), ms);
    return () => clearTimeout(timer);
  }, [on, ms]);
  return on && late;
}
