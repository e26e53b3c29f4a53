// Label matchers: the `f=` parameter of the URL, the text of the raw selector and the chips of the filter builder.

export type Op = '=' | '!=' | '=~' | '!~';
export interface Matcher {
  name: string;
  op: Op;
  value: string;
}

/** A syntax error in a list of matchers, at UTF-16 index `column`. */
export interface SelectorError {
  column: number;
  message: string;
}
export type Parsed = { ok: true; matchers: Matcher[] } | { ok: false; error: SelectorError };

const NAME = /[A-Za-z_][A-Za-z0-9_.]*/y;
const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', '"': '"', "'": "'", '\\': '\\' };

class SyntaxProblem extends Error {
  constructor(
    readonly column: number,
    message: string,
  ) {
    super(message);
  }
}

class Reader {
  at = 0;
  constructor(readonly text: string) {}

  blanks(): void {
    while (this.at < this.text.length && ' \t\n\r'.includes(this.text[this.at]!)) this.at++;
  }

  take(token: string): boolean {
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  found(): string {
    return this.at < this.text.length ? `"${this.text[this.at]}"` : 'the end';
  }

  name(): string {
    if (this.text[this.at] === '"') return this.quoted('label name');
    NAME.lastIndex = this.at;
    const match = NAME.exec(this.text);
    if (!match) throw new SyntaxProblem(this.at, `Expected a label name, got ${this.found()}.`);
    this.at += match[0].length;
    return match[0];
  }

  op(name: string): Op {
    for (const op of ['=~', '!~', '!=', '='] as const) if (this.take(op)) return op;
    throw new SyntaxProblem(this.at, `Expected = != =~ or !~ after ${name}, got ${this.found()}.`);
  }

  quoted(what: string): string {
    const start = this.at;
    if (this.text[start] !== '"') throw new SyntaxProblem(start, `Expected a quoted ${what}, got ${this.found()}.`);
    let value = '';
    for (this.at++; this.at < this.text.length; this.at++) {
      const char = this.text[this.at]!;
      if (char === '"') {
        this.at++;
        return value;
      }
      if (char !== '\\') {
        value += char;
        continue;
      }
      const escape = this.text[++this.at] ?? '';
      const plain = ESCAPES[escape];
      if (plain === undefined) throw new SyntaxProblem(this.at - 1, `Unknown escape \\${escape}.`);
      value += plain;
    }
    throw new SyntaxProblem(start, `The ${what} that starts here has no closing quote.`);
  }
}

function readMatcher(reader: Reader): Matcher {
  const name = reader.name();
  reader.blanks();
  const op = reader.op(name);
  reader.blanks();
  const column = reader.at;
  const value = reader.quoted('value');
  if (op === '=~' || op === '!~') {
    const problem = regexProblem(value);
    if (problem) throw new SyntaxProblem(column, problem);
  }
  return { name, op, value };
}

function readList(reader: Reader): Matcher[] {
  const matchers: Matcher[] = [];
  reader.blanks();
  const braces = reader.take('{');
  const ended = () => reader.at >= reader.text.length || (braces && reader.text[reader.at] === '}');
  for (reader.blanks(); !ended(); reader.blanks()) {
    matchers.push(readMatcher(reader));
    reader.blanks();
    if (!reader.take(',') && !ended()) {
      throw new SyntaxProblem(reader.at, `Expected a comma or the end, got ${reader.found()}.`);
    }
  }
  if (braces && !reader.take('}')) throw new SyntaxProblem(reader.at, 'Expected a closing brace.');
  reader.blanks();
  if (reader.at < reader.text.length) throw new SyntaxProblem(reader.at, `Unexpected ${reader.found()} after the end.`);
  return matchers;
}

/** Reads `region="eu",pod=~"web-.*"`, with or without braces. */
export function parseMatchers(text: string): Parsed {
  try {
    return { ok: true, matchers: readList(new Reader(text)) };
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    return { ok: false, error: { column: error.column, message: error.message } };
  }
}

function quote(text: string): string {
  const escaped = text.replace(/[\\"\n\t\r]/g, (c) => ({ '\n': '\\n', '\t': '\\t', '\r': '\\r' })[c] ?? `\\${c}`);
  return `"${escaped}"`;
}

export function printMatcher({ name, op, value }: Matcher): string {
  const plain = /^[A-Za-z_][A-Za-z0-9_.]*$/.test(name);
  return `${plain ? name : quote(name)}${op}${quote(value)}`;
}

/** The text of `f=`; reading it back gives equal matchers. */
export const printMatchers = (matchers: readonly Matcher[]): string => matchers.map(printMatcher).join(',');

/** Why the server's RE2 would not read `pattern` as this browser does; null when it would. */
export function regexProblem(pattern: string): string | null {
  if (/\(\?(?:<?[=!])/.test(pattern)) return 'Look-around is not supported in regular expressions here.';
  if (/(?:^|[^\\])(?:\\\\)*\\(?:[1-9]|k<)/.test(pattern)) return 'Back-references are not supported in regular expressions here.';
  try {
    new RegExp(pattern.replace(/^\(\?[imsU]+\)/, ''), 'u');
    return null;
  } catch (error) {
    const detail = error instanceof Error ? error.message.replace(/^Invalid regular expression: /, '') : String(error);
    return `Invalid regular expression: ${detail}.`;
  }
}

const escapeRegex = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** One matcher for a choice of values: `=`/`!=` for one, an escaped alternation for more. */
export function matcherOf(name: string, negated: boolean, values: readonly string[]): Matcher {
  if (values.length === 1) return { name, op: negated ? '!=' : '=', value: values[0]! };
  return { name, op: negated ? '!~' : '=~', value: values.map(escapeRegex).join('|') };
}

/** The values of a matcher that `matcherOf` could have written; null for any other regular expression. */
export function valuesOf({ op, value }: Matcher): string[] | null {
  if (op === '=' || op === '!=') return [value];
  const parts: string[] = [''];
  for (let at = 0; at < value.length; at++) {
    const char = value[at]!;
    if (char === '|') parts.push('');
    else if (char === '\\' && /[.*+?^${}()|[\]\\]/.test(value[at + 1] ?? '')) parts[parts.length - 1] += value[++at]!;
    else if (/[.*+?^${}()[\]\\]/.test(char)) return null;
    else parts[parts.length - 1] += char;
  }
  return parts.length > 1 ? parts : null;
}

/** A chip's words: label, operator, values. */
export function describeMatcher(matcher: Matcher): { name: string; op: string; value: string } {
  const values = valuesOf(matcher);
  const negated = matcher.op === '!=' || matcher.op === '!~';
  if (values && values.length > 1) return { name: matcher.name, op: negated ? 'not in' : 'in', value: values.join(', ') };
  const op = { '=': '=', '!=': '≠', '=~': '=~', '!~': '!~' }[matcher.op];
  return { name: matcher.name, op, value: matcher.value === '' ? '(empty)' : matcher.value };
}

const NEGATION: Record<Op, Op> = { '=': '!=', '!=': '=', '=~': '!~', '!~': '=~' };
export const negate = (matcher: Matcher): Matcher => ({ ...matcher, op: NEGATION[matcher.op] });
