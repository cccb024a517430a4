/**
 * Top-level names that are in no public DNS (RFC 2606, 6761, 6762, 7686). Nobody can imitate anyone there, and only keys
 * that the operator configures prove anything: the sandbox and tests live there.
 */
const RESERVED = new Set(['example', 'test', 'invalid', 'localhost', 'local', 'onion', 'internal', 'alt']);

export function isReserved(host: string): boolean {
  return RESERVED.has(host.slice(host.lastIndexOf('.') + 1));
}
