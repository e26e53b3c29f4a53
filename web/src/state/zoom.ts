// Zoom paths in the URL (`z=`): each frame is the FNV-1a hash of its name, folded to 24 bits, as 4 base64url characters.
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const encoder = new TextEncoder();

export function nameHash(name: string): string {
  let hash = 0x811c9dc5;
  for (const byte of encoder.encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  const folded = ((hash >>> 24) ^ hash) & 0xffffff;
  return [18, 12, 6, 0].map((shift) => ALPHABET[(folded >>> shift) & 63]).join('');
}

/** Hashes of the names from the root's child on; the empty path is no zoom. */
export const zoomParameter = (names: readonly string[]): string => names.map(nameHash).join('.');

/** Hashes of `z=`; parts that are no hash end the path there. */
export function parseZoom(text: string): string[] {
  const hashes = text.split('.');
  const bad = hashes.findIndex((hash) => !/^[A-Za-z0-9_-]{4}$/.test(hash));
  return bad < 0 ? hashes : hashes.slice(0, bad);
}
