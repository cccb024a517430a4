import { z } from 'zod';
import { travellerIdSchema } from '../../contracts/http/commands.ts';
import { changeEventSchema } from '../../contracts/http/views.ts';
import { scopedTraveller, stillValid } from '../auth.ts';
import { Problem } from '../problems.ts';
import { type RouteSpec, route } from '../route.ts';
import { type ChangeStream, CLIENTS_PER_TENANT_MAX, publicEvent } from '../sse.ts';

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
        'Server-Sent Events: `id` is the cursor, `event: change` carries a CloudEvent, a comment comes every 15 s. Resumes after `Last-Event-ID` or `?after=`; without either it starts now. `event: reset` says that the cursor is behind what is kept: read the reservations anew and go on from its `id`. `?format=json&after=` answers a page instead.',
      scope: 'read',
      query: z.strictObject({
        traveller: travellerIdSchema.optional(),
        after: z.coerce.number().int().min(0).optional(),
        format: z.enum(['sse', 'json']).default('sse'),
        limit: z.coerce.number().int().min(1).max(500).default(100),
      }),
      response: z.object({
        items: z.array(z.object({ seq: z.int(), event: changeEventSchema })),
        next: z.int().describe('cursor for the next page'),
        reset: z.boolean().describe('the cursor was behind what is kept; events between are lost to this reader'),
      }),
      handle: async ({ deps, caller, query, request, reply }) => {
        const traveller = scopedTraveller(caller, query.traveller);
        const header = request.headers['last-event-id'];
        const resumed = typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
        const after = resumed ?? query.after;
        if (query.format === 'json') {
          return deps.store.read(async (tx) => {
            const bounds = await tx.itineraries.feedBounds(caller.tenant);
            const from = after ?? 0;
            const reset = (from > 0 && from < bounds.first - 1) || from > bounds.last;
            const start = Math.min(from, bounds.last);
            const items = await tx.itineraries.feed(caller.tenant, start, query.limit, traveller);
            const page = items.map((item) => ({ seq: item.seq, event: publicEvent(item) }));
            // A page that is not full covers all there is, for a filtered reader too.
            const next = page.length < query.limit ? Math.max(start, bounds.last) : (page.at(-1)?.seq ?? start);
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
