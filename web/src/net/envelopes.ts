// The framing of binary answers: kind u8, length u32 (little-endian), payload.

export interface Envelope {
  kind: 'progress' | 'partial' | 'tree' | 'error' | 'unknown';
  payload: Uint8Array;
}

const KINDS = ['progress', 'partial', 'tree', 'error'] as const;
const HEAD = 5;

/** All envelopes of a complete answer. Throws when one is cut off. */
export function readEnvelopes(bytes: Uint8Array): Envelope[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const envelopes: Envelope[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + HEAD > bytes.length) throw new Error(`read tree: the answer ends inside an envelope's head at byte ${at}`);
    const length = view.getUint32(at + 1, true);
    const start = at + HEAD;
    if (start + length > bytes.length) {
      throw new Error(`read tree: the envelope at byte ${at} has ${length} bytes; ${bytes.length - start} are left`);
    }
    envelopes.push({ kind: KINDS[bytes[at]!] ?? 'unknown', payload: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return envelopes;
}
