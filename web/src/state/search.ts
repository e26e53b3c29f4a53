// The search grammar: `text` literal, `/re/`, `/re/i`; a comma means or (docs/ui_api.md, part 4).
import { regexProblem } from './selector';

export type Compiled = { ok: true; matches: (name: string) => boolean } | { ok: false; message: string };

const asciiLower = (text: string): string => text.replace(/[A-Z]/g, (c) => c.toLowerCase());

/** Splits at commas outside `/…/`. */
function parts(query: string): string[] {
  const list: string[] = [];
  let start = 0;
  let inRegex = false;
  for (let at = 0; at <= query.length; at++) {
    const char = query[at];
    if (char === '\\' && inRegex) at++;
    else if (char === '/' && (inRegex || query.slice(start, at).trim() === '')) inRegex = !inRegex;
    else if (at === query.length || (char === ',' && !inRegex)) {
      list.push(query.slice(start, at).trim());
      start = at + 1;
    }
  }
  if (start <= query.length && inRegex) list.push(query.slice(start).trim());
  return list.filter((part) => part !== '');
}

function compilePart(part: string): ((name: string) => boolean) | string {
  const text = part.replaceAll('%2C', ',').replaceAll('%2c', ',');
  const regex = /^\/(.+)\/(i?)$/s.exec(text);
  if (!regex) {
    if (/^\/[^/]*$/.test(text) && text.length > 1 && text[0] === '/') return 'A regular expression ends with a slash: /…/.';
    const wanted = asciiLower(text);
    return (name) => asciiLower(name).includes(wanted);
  }
  const problem = regexProblem(regex[1]!);
  if (problem) return problem;
  const compiled = new RegExp(regex[1]!, regex[2] ? 'iu' : 'u');
  return (name) => compiled.test(name);
}

/** Compiles a query; the empty one matches nothing. */
export function compileSearch(query: string): Compiled {
  const tests: ((name: string) => boolean)[] = [];
  for (const part of parts(query)) {
    const test = compilePart(part);
    if (typeof test === 'string') return { ok: false, message: test };
    tests.push(test);
  }
  return { ok: true, matches: (name) => tests.some((test) => test(name)) };
}

/** The query as the server reads it: commas inside `/…/` written %2C. */
export const searchParameter = (query: string): string =>
  parts(query).map((part) => part.replaceAll(',', '%2C')).join(',');
