import type { Config } from '../contracts/config.ts';

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

/**
 * Against DNS rebinding: a page of another site that makes its own name point to 127.0.0.1 still sends that name. So a
 * service that listens on loopback answers to loopback names, to its configured host and to its public name only. On
 * other addresses whoever reaches it may name it as they like; a token or cookie is needed all the same.
 */
export function hostAllowed(http: Pick<Config['http'], 'host' | 'publicUrl'>, header: string | undefined): boolean {
  if (!LOOPBACK.test(http.host)) return true;
  const name = hostName(header);
  if (name === undefined) return false;
  if (LOOPBACK.test(name) || name === http.host.toLowerCase() || name.endsWith('.localhost')) return true;
  return http.publicUrl !== undefined && name === new URL(http.publicUrl).hostname.replace(/^\[|\]$/g, '');
}

function hostName(header: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:/?#@\s]+))(?::\d{1,5})?$/i.exec(header ?? '');
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}
