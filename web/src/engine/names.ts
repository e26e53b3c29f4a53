// Parts of a function's name: package (or module, class) and function, and how both fit into a width.

/** Length of the package part of a name, separator included; 0 when it has none. */
export function packageLength(name: string): number {
  // Generic arguments and parameter lists may hold separators of their own: only what stands before them counts.
  const head = name.search(/[(<[{ ]/);
  const limit = head > 0 ? head : name.length;
  const slash = name.lastIndexOf('/', limit - 1);
  const colons = name.lastIndexOf('::', limit - 1);
  if (colons > 0) return colons + 2;
  if (slash >= 0) {
    const dot = name.indexOf('.', slash);
    return dot >= 0 && dot < limit ? dot + 1 : slash + 1;
  }
  const dot = name.lastIndexOf('.', limit - 1);
  // Go: package.Type.Method or package.(*Type).Method; Java: the class is the package. The first dot ends a lower-case Go package.
  const first = name.indexOf('.');
  if (first > 0 && head > 0 && name[head - 1] === '.') return first + 1;
  return dot > 0 ? dot + 1 : 0;
}

/** The package, for colouring and grouping: what the server knows, else what the name says. */
export function packageOf(name: string, known: string): string {
  if (known !== '') return known;
  const length = packageLength(name);
  return length > 0 ? name.slice(0, length).replace(/[.:/]+$/, '') : '';
}

/** Fewer characters of a cut name say nothing. */
const MIN_CUT = 5;

/**
 * A name cut to `room` characters from the middle, keeping the function's end: `encoding/…/Marshal`. `muted` is how many leading
 * characters belong to the package.
 */
export function fitName(name: string, room: number): { text: string; muted: number } {
  const pkg = packageLength(name);
  if (name.length <= room) return { text: name, muted: pkg };
  if (room < MIN_CUT) return { text: '', muted: 0 };
  const fn = name.slice(pkg);
  if (fn.length + 1 > room) return { text: `…${name.slice(name.length - room + 1)}`, muted: 0 };
  const head = room - fn.length - 1;
  return { text: `${name.slice(0, head)}…${fn}`, muted: head + 1 };
}
