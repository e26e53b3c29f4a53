// Calls to the server this page came from: one error type, abort, retry hints.
import { readEnvelopes, type Envelope } from './envelopes';

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly request = '',
    readonly field = '',
    readonly column: number | null = null,
    /** Seconds after which a busy server may be asked again. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
    this.name = 'ApiError';
  }
  /** The server is unreachable, as opposed to unwilling. */
  get offline(): boolean {
    return this.status === 0;
  }
}

export type Params = Record<string, string | number | readonly string[] | undefined>;

const BASE = '/api/ui/v1/';
const MAX_QUERY = 4096;
const TOKEN_KEY = 'hearth.token';

export function token(): string {
  try {
    return sessionStorage.getItem(TOKEN_KEY) ?? localStorage.getItem(TOKEN_KEY) ?? '';
  } catch {
    return '';
  }
}

export function setToken(value: string, remember: boolean): void {
  sessionStorage.setItem(TOKEN_KEY, value);
  if (remember) localStorage.setItem(TOKEN_KEY, value);
}

function pairs(params: Params): [string, string][] {
  return Object.entries(params).flatMap(([name, value]) => {
    if (value === undefined || value === '') return [];
    if (Array.isArray(value)) return value.map((item): [string, string] => [name, String(item)]);
    return [[name, String(value)] as [string, string]];
  });
}

function request(call: string, params: Params, signal: AbortSignal): Promise<Response> {
  const query = new URLSearchParams(pairs(params)).toString();
  const headers: Record<string, string> = {};
  const bearer = token();
  if (bearer) headers['Authorization'] = `Bearer ${bearer}`;
  if (query.length <= MAX_QUERY) return fetch(`${BASE}${call}${query && '?'}${query}`, { headers, signal });
  headers['Content-Type'] = 'application/json';
  headers['X-Hearth-UI'] = '1';
  const given = Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined && value !== ''));
  return fetch(BASE + call, { method: 'POST', headers, body: JSON.stringify(given), signal });
}

/** The error a JSON body describes; one with the status alone when it describes none. */
export function errorFrom(status: number, body: unknown, retryAfter: string | null): ApiError {
  const seconds = retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null;
  const record = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const text = (name: string): string => (typeof record[name] === 'string' ? (record[name] as string) : '');
  return new ApiError(
    status,
    text('code') || 'internal',
    text('message') || `The server answered with status ${status}.`,
    text('request'),
    text('field'),
    typeof record['column'] === 'number' ? record['column'] : null,
    seconds,
  );
}

async function checked(call: string, params: Params, signal: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await request(call, params, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError(0, 'unreachable', 'The server cannot be reached.');
  }
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => null);
  throw errorFrom(response.status, body, response.headers.get('Retry-After'));
}

/** A JSON call. Throws ApiError, or the signal's reason when aborted. */
export async function getJson<T>(call: string, params: Params, signal: AbortSignal): Promise<T> {
  const response = await checked(call, params, signal);
  return (await response.json()) as T;
}

/** A binary call: the tree payloads in order. An error envelope is thrown as ApiError. */
export async function getTrees(call: string, params: Params, signal: AbortSignal): Promise<Uint8Array[]> {
  const response = await checked(call, params, signal);
  const envelopes = readEnvelopes(new Uint8Array(await response.arrayBuffer()));
  const failed = envelopes.find((e) => e.kind === 'error');
  if (failed) throw errorFrom(500, JSON.parse(new TextDecoder().decode(failed.payload)), null);
  return envelopes.filter((e: Envelope) => e.kind === 'tree').map((e) => e.payload);
}
