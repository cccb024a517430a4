import { z } from 'zod';
import { travellerIdSchema } from '../../contracts/http/commands.ts';
import { changeEventSchema } from '../../contracts/http/views.ts';
import { scopedTraveller, stillValid } from '../auth.ts';
import { Problem } from '../problems.ts';
import { type RouteSpec, route } from '../route.ts';
import { type ChangeStream, CLIENTS_PER_TENANT_MAX, publicEvent } from '../sse.ts';

/** Number and epoch; see FeedCursor. */
export const CURSOR = /^\d{1,15}(\.[0-9a-z]{1,16})?$/;

/** The public change stream: SSE, or pages of JSON for those who poll. */
export function changeRoutes(stream: () => ChangeStream): readonly RouteSpec[] {
  return [
    route({
      method: 'GET',
      path: '/v1/changes',
      id: 'streamChanges',
      tag: 'changes',
      summary: 'Changes as they are published',
      description:
        'Server-Sent Events: `id` is the cursor, `event: change` carries a CloudEvent, a comment comes every 15 s. Resumes after `Last-Event-ID` or `?after=`; without either it starts now. `event: reset` says that the cursor is behind what is kept, or from before the store was restored from a backup: read the reservations anew and go on from its `id`. `?format=json&after=` answers a page instead.',
      scope: 'read',
      query: z.strictObject({
        traveller: travellerIdSchema.optional(),
        after: z.string().regex(CURSOR).optional().describe('a cursor; 0: all that is kept'),
        format: z.enum(['sse', 'json']).default('sse'),
        limit: z.coerce.number().int().min(1).max(500).default(100),
      }),
      response: z.object({
        items: z.array(z.object({ seq: z.int(), cursor: z.string(), event: changeEventSchema })),
        next: z.string().describe('cursor for the next page'),
        reset: z
          .boolean()
          .describe('the cursor is none of what is kept: read the reservations anew, and go on from `next`'),
      }),
      handle: async ({ deps, caller, query, request, reply }) => {
        const traveller = scopedTraveller(caller, query.traveller);
        const header = request.headers['last-event-id'];
        const after = typeof header === 'string' && CURSOR.test(header) ? header : query.after;
        if (query.format === 'json') {
          return deps.store.read(async (tx) => {
            const { after: start, reset, last } = await tx.itineraries.resume(caller.tenant, after ?? '0');
            const items = await tx.itineraries.feed(caller.tenant, start, query.limit, traveller);
            const page = items.map((item) => ({ seq: item.seq, cursor: item.cursor, event: publicEvent(item) }));
            // A page that is not full covers all there is, for a filtered reader too.
            const next = page.length < query.limit ? last : page.at(-1)!.cursor;
            return { items: page, next, reset };
          });
        }
        if (stream().full(caller.tenant)) {
          throw new Problem(
            'limit-reached',
            `There are ${CLIENTS_PER_TENANT_MAX} streams open already; close one first.`,
          );
        }
        reply.hijack();
        const raw = reply.raw;
        for (const [name, value] of Object.entries(reply.getHeaders()))
          if (value !== undefined) raw.setHeader(name, value);
        raw.writeHead(200, {
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-cache, no-transform',
          'x-accel-buffering': 'no',
        });
        request.raw.socket.setNoDelay(true);
        await stream().open(raw, { tenant: caller.tenant, traveller }, after, () => stillValid(deps.store, caller));
        return undefined;
      },
    }),
  ];
}
