/**
 * Reads one Authentication-Results header (RFC 8601), or the part of an ARC-Authentication-Results header after `i=`.
 * Tolerant of comments, folding and quoted values; bounded; never throws. Who wrote the header is not known from it: see
 * judge.ts for when one is believed.
 */
export interface AuthenticationResults {
  /** Lower case; empty where there is none (Microsoft 365 writes none). */
  readonly authservId: string;
  readonly results: readonly MethodResult[];
}

export interface MethodResult {
  /** `dkim`, `spf`, `dmarc`, … in lower case. */
  readonly method: string;
  /** `pass`, `fail`, … in lower case. */
  readonly result: string;
  /** `header.d`, `smtp.mailfrom`, … in lower case, with their values in lower case. */
  readonly properties: Readonly<Record<string, string>>;
}

const CHARS_MAX = 8192;
const RESULTS_MAX = 50;

export function parseAuthenticationResults(value: string): AuthenticationResults {
  const [first = '', ...rest] = pieces(withoutComments(value.slice(0, CHARS_MAX)));
  const opening = first.trim();
  const named = !/^\S+\s*=/.test(opening);
  const results = (named ? rest : [first, ...rest]).slice(0, RESULTS_MAX).flatMap((piece) => {
    const match = /^\s*([a-z0-9_-]+)(?:\/\d+)?\s*=\s*([a-z]+)\b(.*)$/is.exec(piece);
    if (match === null) return [];
    const [, method = '', result = '', tail = ''] = match;
    return [{ method: method.toLowerCase(), result: result.toLowerCase(), properties: propertiesOf(tail) }];
  });
  return { authservId: named ? unquoted(opening.split(/\s+/)[0] ?? '').toLowerCase() : '', results };
}

function propertiesOf(tail: string): Readonly<Record<string, string>> {
  const properties: Record<string, string> = Object.create(null);
  for (const match of tail.matchAll(/([a-z0-9_.-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;]+)/gi)) {
    const name = (match[1] ?? '').toLowerCase();
    // The first one of a name counts: what is added later must not replace it.
    properties[name] ??= unquoted(match[2] ?? '').toLowerCase();
  }
  return properties;
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, text.endsWith('"') ? -1 : undefined).replace(/\\(.)/g, '$1') : text;
}

/** Splits at semicolons outside quotes. */
function pieces(text: string): string[] {
  const found: string[] = [];
  let quoted = false;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '\\' && quoted) at++;
    else if (char === '"') quoted = !quoted;
    else if (char === ';' && !quoted) {
      found.push(text.slice(from, at));
      from = at + 1;
    }
  }
  found.push(text.slice(from));
  return found;
}

function withoutComments(text: string): string {
  let kept = '';
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === '\\' && (quoted || depth > 0)) {
      if (depth === 0) kept += char + (text[at + 1] ?? '');
      at++;
    } else if (char === '"' && depth === 0) {
      quoted = !quoted;
      kept += char;
    } else if (char === '(' && !quoted) depth++;
    else if (char === ')' && !quoted && depth > 0) depth--;
    else if (depth === 0) kept += char;
  }
  return kept;
}
