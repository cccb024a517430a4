import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { EventId, TravellerId } from '../../domain/ids.ts';
import { findToken, notFound } from '../auth.ts';
import type { ApiDeps } from '../deps.ts';
import { calendar, etagOf } from '../ical.ts';
import { isProblemCode, PROBLEMS, Problem } from '../problems.ts';
import { type RouteSpec, route } from '../route.ts';

/** Larger ones are no provider's notice. */
export const PUSH_BYTES_MAX = 256 * 1024;
/** A calendar keeps what is not long past: calendars drop what a feed drops. */
const CALENDAR_KEEP_MS = 400 * 24 * 3600 * 1000;

/** Less than probes wait: a store that cannot be reached is asked for much longer. */
const READY_MS_MAX = 2000;

/** Why this process cannot do its work; undefined: it can. No detail of the store, as anyone may ask. */
async function notReady({ status, store }: ApiDeps): Promise<string | undefined> {
  const silent = 'the store does not answer';
  const asked = async (): Promise<string | undefined> => {
    const report = await status();
    if (!report.ready) return report.notReady ?? 'starting or stopping';
    // A process without a stage has asked the store nothing so far.
    await store.read((tx) => tx.log.get('evt_ready' as EventId));
    return undefined;
  };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, READY_MS_MAX, silent);
  });
  try {
    return await Promise.race([asked(), late]);
  } catch {
    return silent;
  } finally {
    clearTimeout(timer);
  }
}

/** A pushed request as connectors take it: headers that came once, and the bytes. */
function pushedBy({ clock }: ApiDeps, request: FastifyRequest, body: unknown) {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) if (typeof value === 'string') headers[name] = value;
  return { headers, body: Buffer.isBuffer(body) ? body : Buffer.alloc(0), receivedAt: clock.now() };
}

/** What needs no token, or carries its proof in the address or the signature. */
export const publicRoutes: readonly RouteSpec[] = [
  route({
    method: 'GET',
    path: '/feeds/:file',
    id: 'getCalendar',
    tag: 'calendar',
    summary: "A traveller's calendar (iCalendar), by its secret address",
    responseType: 'text/calendar',
    handle: async ({ deps, params, request, reply }) => {
      const token = /^(twf_[0-9a-z]{20,100})\.ics$/.exec(params.file ?? '')?.[1];
      const feed = token === undefined ? undefined : await findToken(deps.store, token, 'feed');
      const now = deps.clock.now();
      const text =
        feed?.traveller === undefined
          ? undefined
          : await deps.store.read(async (tx) => {
              const id: TravellerId = feed.traveller!;
              const traveller = await tx.accounts.getTraveller(feed.tenant, id);
              if (traveller === undefined) return undefined;
              const shown = await tx.itineraries.list(feed.tenant, { traveller: id });
              const updated = new Map(shown.map((item) => [item.reservation as string, item]));
              const items = (await tx.reservations.list(feed.tenant, id)).flatMap((reservation) => {
                const item = updated.get(reservation.id);
                const old = item?.endsAt !== undefined && item.endsAt < now - CALENDAR_KEEP_MS;
                return item === undefined || old ? [] : [{ reservation, updatedAt: item.updatedAt }];
              });
              return calendar(traveller, items);
            });
      // The address is the secret: it is not repeated in the answer.
      if (text === undefined)
        throw new Problem('not-found', 'This calendar address does not exist or was revoked; make a new one.');
      const etag = etagOf(text);
      reply.header('etag', etag);
      reply.header('cache-control', 'private, max-age=300');
      reply.header('referrer-policy', 'no-referrer');
      reply.header('x-robots-tag', 'noindex');
      const seen = String(request.headers['if-none-match'] ?? '');
      if (seen.split(',').some((one) => one.trim().replace(/^W\//, '') === etag)) {
        reply.code(304);
        return '';
      }
      reply.header('content-disposition', 'inline; filename="trips.ics"');
      reply.type('text/calendar; charset=utf-8');
      return text;
    },
  }),
  route({
    method: 'POST',
    path: '/push/:account',
    id: 'receivePush',
    tag: 'push',
    raw: true,
    summary: "A provider's webhook for one of our accounts there",
    description: 'The signature is checked as the provider defines it; what is accepted wakes a check, nothing more.',
    status: 202,
    response: z.object({ accepted: z.literal(true) }),
    handle: async ({ deps, params, body, request }) => {
      const verdict = await deps.push?.(params.account!, pushedBy(deps, request, body));
      if (verdict === undefined) throw notFound(params.account!);
      if (verdict.kind === 'refused') throw new Problem('push-refused', `${verdict.message} (${verdict.code})`);
      return { accepted: true };
    },
  }),
  route({
    method: 'POST',
    path: '/push/mailboxes/:kind',
    id: 'receiveMailboxPush',
    tag: 'push',
    raw: true,
    summary: "A mail provider's notice that something may have come: Gmail by Pub/Sub, Microsoft Graph",
    description:
      'Verified as the provider defines it; what is accepted wakes a look into the mailboxes that it means, nothing more. A handshake (`?validationToken=`) is answered with its token as plain text.',
    status: 202,
    query: z.looseObject({ validationToken: z.string().max(5000).optional() }),
    response: z.union([z.object({ accepted: z.literal(true) }), z.string()]),
    handle: async ({ deps, params, query, body, request, reply }) => {
      const given = Object.entries(query).filter((one): one is [string, string] => typeof one[1] === 'string');
      const push = { ...pushedBy(deps, request, body), query: Object.fromEntries(given) };
      const verdict = await deps.pushMailbox?.(params.kind!, push);
      if (verdict === undefined) throw notFound(params.kind!);
      if (verdict.kind === 'refused') throw new Problem('push-refused', `${verdict.message} (${verdict.code})`);
      if (verdict.kind === 'hint') return { accepted: true as const };
      reply.code(200).type('text/plain; charset=utf-8');
      return verdict.text;
    },
  }),
  route({
    method: 'GET',
    path: '/healthz',
    id: 'health',
    tag: 'operations',
    summary: 'The process answers',
    response: z.object({ ok: z.literal(true) }),
    handle: async () => ({ ok: true }),
  }),
  route({
    method: 'GET',
    path: '/readyz',
    id: 'ready',
    tag: 'operations',
    summary: 'The service can do its work; 503 with the reason if not',
    response: z.object({ ready: z.boolean() }),
    handle: async ({ deps }) => {
      const why = await notReady(deps);
      if (why !== undefined) throw new Problem('unavailable', `Not ready: ${why}.`);
      return { ready: true };
    },
  }),
  route({
    method: 'GET',
    path: '/problems/:code',
    id: 'getProblemType',
    tag: 'problems',
    summary: 'What a problem type means',
    response: z.object({ code: z.string(), title: z.string(), status: z.int() }),
    handle: async ({ params }) => {
      const code = params.code ?? '';
      if (!isProblemCode(code)) throw notFound(code);
      return { code, ...PROBLEMS[code] };
    },
  }),
];
