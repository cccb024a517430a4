import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TripwatchError } from '../../domain/errors.ts';

/** A person reads, chooses and types meanwhile. */
const WAIT_MS = 15 * 60_000;

/** A door on this machine that the browser is sent back to after a sign-in (RFC 8252, section 7.3). */
export interface Loopback {
  readonly redirectUri: string;
  /** Errors: permanent `sign-in-refused` where the provider or the person said no, or nobody came. */
  answer(signal: AbortSignal): Promise<{ readonly code: string; readonly state: string }>;
  close(): void;
}

const PAGE = (text: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>Tripwatch</title><p style="font:1.2rem system-ui;margin:3rem">${text}</p>`;

/** `host`: as the provider wants it named; only this machine can reach it either way. */
export async function openLoopback(host: '127.0.0.1' | 'localhost'): Promise<Loopback> {
  let settle: ((query: URLSearchParams) => void) | undefined;
  const came = new Promise<URLSearchParams>((resolve) => {
    settle = resolve;
  });
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const { searchParams: query } = url;
    const ours = url.pathname === '/' && (query.has('code') || query.has('error'));
    response.writeHead(ours ? 200 : 404, {
      'content-type': 'text/html; charset=utf-8',
      'referrer-policy': 'no-referrer',
    });
    response.end(PAGE(ours ? 'You may close this window and go back to the terminal.' : 'There is nothing here.'));
    if (ours) settle?.(query);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    redirectUri: `http://${host}:${port}/`,
    answer: async (signal) => {
      const limit = AbortSignal.timeout(WAIT_MS);
      const ended = AbortSignal.any([signal, limit]);
      const query = await Promise.race([
        came,
        new Promise<never>((_, reject) => {
          ended.addEventListener('abort', () => reject(limit.aborted ? refused('nobody came') : signal.reason));
        }),
      ]);
      const [code, state] = [query.get('code'), query.get('state')];
      if (code === null || state === null) throw refused(query.get('error')?.slice(0, 100) ?? 'no code came');
      return { code, state };
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function refused(why: string): TripwatchError {
  return new TripwatchError(
    'permanent',
    'sign-in-refused',
    `The sign-in was not granted (${why}). Run the command again and agree to reading mails; nothing was stored.`,
  );
}
