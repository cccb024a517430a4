import { z } from 'zod';
import type { Clock } from '../../ports/clock.ts';
import { readAs } from '../provider/http/failed.ts';
import { failureOfStatus } from '../provider/http/failures.ts';
import type { HttpLine } from '../provider/http/line.ts';

/** The public keys that a service signs with (RFC 7517). */
export interface Jwks {
  /** Undefined: there is none of that id. Errors: those of HttpLine, and transient `provider-answered-unreadable`. */
  key(kid: string): Promise<JsonWebKey | undefined>;
}

export interface JwksOptions {
  readonly line: HttpLine;
  readonly clock: Clock;
  /** Default: Google's. */
  readonly url?: string;
}

const URL_DEFAULT = 'https://www.googleapis.com/oauth2/v3/certs';
const KEPT_MS = 3_600_000;
/** An unknown id asks anew, but forged ones must not make us ask all the time. */
const ASK_MS_MIN = 60_000;

const keysSchema = z.object({ keys: z.array(z.looseObject({ kid: z.string().optional(), kty: z.string() })).max(100) });

/** Fetched when first needed, kept for an hour, asked anew for an unknown key at most once a minute. */
export function createJwks({ line, clock, url = URL_DEFAULT }: JwksOptions): Jwks {
  let keys = new Map<string, JsonWebKey>();
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;
  const ask = async (): Promise<void> => {
    const answer = await line.exchange({ url, headers: {} }, new AbortController().signal);
    if (answer.status !== 200) throw failureOfStatus(answer.status, answer.headers, clock.now());
    const read = readAs(keysSchema, jsonOf(answer.bytes));
    keys = new Map(read.keys.flatMap((key) => (key.kid === undefined ? [] : [[key.kid, key as JsonWebKey] as const])));
    askedAt = clock.monotonic();
  };
  return {
    key: async (kid) => {
      const age = clock.monotonic() - askedAt;
      if (age > KEPT_MS || (!keys.has(kid) && age > ASK_MS_MIN)) {
        asking ??= ask().finally(() => {
          asking = undefined;
        });
        await asking;
      }
      return keys.get(kid);
    },
  };
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
