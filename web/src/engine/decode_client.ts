// Decodes here when it is quick and in a worker when it is not.
import { decodeTree, peekNodes, type DecodedTree } from './decode';

const WORKER_NODES = 200_000;

type Answer = { id: number; tree?: DecodedTree; message?: string };

let worker: Worker | null = null;
let lastId = 0;
const waiting = new Map<number, { resolve: (tree: DecodedTree) => void; reject: (error: Error) => void }>();

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** The worker's address as the page's policy trusts it: the one that index.html names. */
function workerAddress(): string {
  const address = document.documentElement.dataset.worker ?? '';
  const trusted = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
  if (!trusted) return address;
  const policy = trusted.createPolicy('hearth', {
    createScriptURL(url) {
      if (url !== address) throw new TypeError(`no script may come from ${url}`);
      return url;
    },
  });
  return policy.createScriptURL(address);
}

function startWorker(): Worker {
  const started = new Worker(workerAddress());
  started.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
    const call = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.tree) call?.resolve(data.tree);
    else call?.reject(new Error(data.message ?? 'read tree: no answer'));
  });
  started.addEventListener('error', () => {
    for (const call of waiting.values()) call.reject(new Error('read tree: the worker could not start'));
    waiting.clear();
    worker = null;
  });
  return started;
}

export async function decode(payload: Uint8Array): Promise<DecodedTree> {
  if (typeof Worker === 'undefined' || peekNodes(payload) < WORKER_NODES) return decodeTree(payload);
  worker ??= startWorker();
  const id = ++lastId;
  const copy = payload.slice();
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker!.postMessage({ id, payload: copy }, [copy.buffer]);
  });
}
