import { hash } from 'node:crypto';

/** JSON with sorted member names: equal values give equal text. `undefined` members are left out. */
export function canonicalJson(value: unknown): string {
  if (value === undefined) return 'null';
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members: string[] = [];
  for (const name of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[name];
    if (member !== undefined) members.push(`${JSON.stringify(name)}:${canonicalJson(member)}`);
  }
  return `{${members.join(',')}}`;
}

/** 32 hex digits (128 bits) of SHA-256: enough to tell states apart, short enough to store with each. */
export function digestOf(text: string): string {
  return hash('sha256', text).slice(0, 32);
}

/** Order of two texts by code unit: the same on every machine and in every locale. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
