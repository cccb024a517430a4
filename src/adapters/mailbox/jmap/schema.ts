import { z } from 'zod';
import { placeSchema } from '../api/newest-first.ts';

/** What we read of a JMAP server's answers (RFC 8620, 8621); more is ignored. */

const id = z.string().regex(/^[\w-]{1,255}$/);
const state = z.string().max(4096);
const url = z.string().max(4096);
const bound = (normal: number) => z.number().int().positive().catch(normal).default(normal);

export const CORE = 'urn:ietf:params:jmap:core';
export const MAIL = 'urn:ietf:params:jmap:mail';

export const sessionSchema = z.object({
  apiUrl: url,
  downloadUrl: url,
  eventSourceUrl: url.optional(),
  primaryAccounts: z.record(z.string(), z.string()).default({}),
  accounts: z.record(z.string(), z.object({ name: z.string().default('') })),
  username: z.string().default(''),
  state: state.default(''),
  capabilities: z.object({
    [CORE]: z.object({
      maxCallsInRequest: bound(4),
      maxObjectsInGet: bound(100),
      maxConcurrentRequests: bound(4),
    }),
  }),
});
export type JmapSession = z.infer<typeof sessionSchema>;

/** `[name, arguments, call id]`. */
export const responseSchema = z.object({
  methodResponses: z.array(z.tuple([z.string(), z.record(z.string(), z.unknown()), z.string()])),
  sessionState: state.default(''),
});

export const methodErrorSchema = z.object({ type: z.string().max(200) });
/** RFC 7807, for a request as a whole. */
export const problemSchema = z.object({ type: z.string(), limit: z.string().optional() });

export const mailboxesSchema = z.object({
  list: z.array(z.object({ id, name: z.string(), role: z.string().nullish(), parentId: z.string().nullish() })),
});

export const changesSchema = z.object({
  oldState: state,
  newState: state,
  hasMoreChanges: z.boolean(),
  created: z.array(id),
});

export const querySchema = z.object({ ids: z.array(id), total: z.number().optional() });

interface Part {
  readonly type?: string | null | undefined;
  readonly name?: string | null | undefined;
  readonly size?: number | null | undefined;
  readonly subParts?: readonly Part[] | null | undefined;
}
const partSchema: z.ZodType<Part> = z.object({
  type: z.string().nullish(),
  name: z.string().nullish(),
  size: z.number().nullish(),
  get subParts() {
    return z.array(partSchema).nullish();
  },
});
export type JmapPart = Part;

export const emailSchema = z.object({
  id,
  blobId: id,
  mailboxIds: z.record(z.string(), z.boolean()),
  size: z.number().nonnegative(),
  receivedAt: z.string().transform((text, context) => {
    const ms = Date.parse(text);
    if (Number.isNaN(ms)) context.addIssue({ code: 'custom', message: 'no time' });
    return ms;
  }),
  headers: z.array(z.object({ name: z.string(), value: z.string() })),
  bodyStructure: partSchema.nullish(),
});
export type Email = z.infer<typeof emailSchema>;
export const emailsSchema = z.object({ state, list: z.array(emailSchema) });
export const stateSchema = z.object({ state });

export const eventSchema = z.object({ changed: z.record(z.string(), z.record(z.string(), z.string())).default({}) });

/** Where live stands: behind a state; or, after a reset, in a list, with the state that was noted before it. */
export const liveCursorSchema = z.object({ state, list: placeSchema.optional() });
export type LiveCursor = z.infer<typeof liveCursorSchema>;
export const backfillCursorSchema = placeSchema.extend({ done: z.boolean().optional() });

/**
 * Of the account: the session resource, or the host that has it under /.well-known/jmap; the account there, where the
 * server serves several; folders by name or role (absent: everything but junk, trash, sent mails and drafts).
 */
export const settingsSchema = z.object({
  url: z.string().max(2048),
  account: z.string().max(255).optional(),
  folders: z.array(z.string()).optional(),
});
