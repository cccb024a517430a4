import { z } from 'zod';
import { ERROR_KINDS, type ErrorKind } from '../../domain/errors.ts';
import { momentOf } from '../../domain/time/moment.ts';
import { TOPICS, type Topic } from '../topics.ts';

/** Dead letters: one query for lists, counts and bulk work, the commands, and what is answered. */

/** Letters that one call of the API works on at most. */
export const BULK_LETTERS_MAX = 100;
export const RATE_PER_SECOND_DEFAULT = 20;
/** So that a call of 100 letters ends within 25 s. */
export const RATE_PER_SECOND_MIN = BULK_LETTERS_MAX / 25;
export const RATE_PER_SECOND_MAX = 1000;
export const REASON_CHARS_MAX = 500;

const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((value) => !value.includes('\0'), { message: 'must not hold NUL' });
export const moment = z
  .string()
  .max(40)
  .refine((value) => momentOf(value, 0) !== undefined, {
    message: 'not a time; write an age (90s, 30m, 2h, 7d), an instant (2026-12-01T10:00:00Z) or a day (2026-12-01)',
  });
export const reasonSchema = z.string().trim().min(1, 'must say why').max(REASON_CHARS_MAX);

const which = {
  stage: text(40).optional().describe('stage that gave the event up'),
  code: z
    .string()
    .max(80)
    .regex(/^[a-z0-9][a-z0-9-]*\*?$/, 'not an error code such as parse-timeout, nor the beginning of one: provider-*')
    .optional()
    .describe('error code, or its beginning and a star: provider-*'),
  kind: z
    .enum(Object.keys(ERROR_KINDS) as [ErrorKind, ...ErrorKind[]])
    .optional()
    .describe('kind of the last error'),
  provider: text(40).optional().describe('provider account that it concerns'),
  topic: z.enum(Object.keys(TOPICS) as [Topic, ...Topic[]]).optional(),
  olderThan: moment.optional().describe('set aside before: an age (2h, 7d) or an instant'),
  youngerThan: moment.optional().describe('set aside since: an age (2h, 7d) or an instant'),
  key: text(300).optional().describe('partition key: traveller, mailbox or provider account'),
  correlation: text(300).optional().describe('mail, subject or command that it stems from'),
};
/** Of open letters, for bulk work. */
export const openDeadLettersSchema = z.strictObject(which);
export const deadLetterQuerySchema = z.strictObject({
  state: z.enum(['open', 'replayed', 'discarded', 'all']).optional(),
  ...which,
});
export type DeadLetterQuery = z.infer<typeof deadLetterQuerySchema>;

const bulk = {
  query: openDeadLettersSchema.describe('which open letters; as in the list'),
  all: z.literal(true).optional().describe('needed where the query is empty: every open letter'),
  dryRun: z.boolean().default(false).describe('only say what would be done'),
  limit: z.int().min(1).max(BULK_LETTERS_MAX).default(BULK_LETTERS_MAX),
  after: z.string().max(120).optional().describe('`next` of the answer before'),
};
const NAMED = {
  message: 'the query is empty, which means every open letter: say so with "all": true, or narrow it',
  path: ['query'],
};
const named = (body: { readonly query: object; readonly all?: true | undefined }) =>
  body.all === true || Object.keys(body.query).length > 0;
export const replaysSchema = z
  .strictObject({
    ...bulk,
    reason: reasonSchema.optional(),
    ratePerSecond: z.number().min(RATE_PER_SECOND_MIN).max(RATE_PER_SECOND_MAX).default(RATE_PER_SECOND_DEFAULT),
    failuresMax: z
      .int()
      .min(0)
      .max(1000)
      .default(10)
      .describe('ends after so many failures of one code in a row; 0: never'),
  })
  .refine(named, NAMED);
export const discardsSchema = z.strictObject({ ...bulk, reason: reasonSchema }).refine(named, NAMED);
export const discardSchema = z.strictObject({ reason: reasonSchema });
export const editDeadLetterSchema = z.strictObject({
  event: z.looseObject({}).describe('the whole event as `?payload=true` shows it; only `data` may differ'),
  reason: reasonSchema.optional(),
});

const instant = z.iso.datetime();
export const attemptSchema = z.object({ at: instant, kind: z.string(), code: z.string(), message: z.string() });

export const deadLetterViewSchema = z.object({
  id: z.string(),
  stage: z.string(),
  topic: z.string(),
  event: z.string().describe('id of the event; its payload only on request, for it may be personal'),
  key: z.string(),
  correlation: z.string(),
  provider: z.string().optional(),
  kind: z.string(),
  code: z.string(),
  message: z.string(),
  state: z.enum(['open', 'replayed', 'discarded']),
  attempts: z.array(attemptSchema),
  createdAt: instant,
  decidedAt: instant.optional(),
  decidedBy: z.string().optional().describe('token, or cli'),
  decision: z.string().optional().describe('why'),
  editedEvent: z.string().optional().describe('event that took its place'),
});
export type DeadLetterView = z.infer<typeof deadLetterViewSchema>;

export const deadLetterDetailSchema = deadLetterViewSchema.extend({
  origin: z
    .object({ mail: z.string().optional(), reservation: z.string().optional(), subject: z.string().optional() })
    .describe('what it is about and where it came from'),
  explain: z.string().describe('id to ask `explain` about'),
  payloadState: z.enum(['kept', 'unreadable', 'gone']),
  payload: z.unknown().optional().describe('the event; with ?payload=true'),
});
export type DeadLetterDetail = z.infer<typeof deadLetterDetailSchema>;

export const deadLetterPageSchema = z.object({
  items: z.array(deadLetterViewSchema),
  total: z.int().describe('that fit the query'),
  nextBefore: z.string().optional(),
});

export const deadLetterGroupSchema = z.object({
  stage: z.string(),
  code: z.string(),
  kind: z.string(),
  count: z.int(),
  oldestAt: instant,
  newestAt: instant,
  example: z.string().describe('the newest of them'),
  message: z.string().describe('of the example'),
});
export const deadLetterSummarySchema = z.object({
  total: z.int(),
  groups: z.array(deadLetterGroupSchema).describe('by stage and code, the largest first'),
  truncated: z.boolean().describe('there are more groups'),
});
export type DeadLetterSummary = z.infer<typeof deadLetterSummarySchema>;

export const editedViewSchema = z.object({
  letter: deadLetterViewSchema,
  event: z.string().describe('the edited event, delivered to this stage alone'),
});

export const bulkViewSchema = z.object({
  dryRun: z.boolean(),
  run: z.string().optional().describe('entry in the audit trail; the letters name it as well'),
  matched: z.int().describe('open letters that fitted at the start'),
  done: z.int(),
  ids: z.array(z.string()).describe('the letters worked on; in a dry run those that would come first'),
  skipped: z.array(z.object({ id: z.string(), why: z.string() })).describe('decided by another, or without event'),
  failedAgain: z.record(z.string(), z.int()).describe('replays that failed again, by code, as far as known yet'),
  stopped: z.string().optional().describe('why it ended before its limit and before the last letter'),
  next: z.string().optional().describe('`after` for the next call; absent: nothing is left'),
  summary: deadLetterSummarySchema.optional().describe('in a dry run'),
});
export type BulkView = z.infer<typeof bulkViewSchema>;

export const auditQuerySchema = z.strictObject({
  action: z
    .string()
    .max(80)
    .regex(/^[a-z][a-z0-9.-]*$/, 'not an action such as dead-letter.replay, nor its beginning: dead-letter')
    .optional()
    .describe('dead-letter.replay, or its beginning up to a dot: dead-letter'),
  target: text(300).optional().describe('id, stage or query that it was done to'),
  by: text(80).optional().describe('token id, or cli…'),
  since: moment.optional().describe('an age (2h, 7d) or an instant'),
  before: z.string().max(120).optional().describe('`nextBefore` of the page before'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});
export const auditViewSchema = z.object({
  id: z.string(),
  at: instant,
  by: z.string(),
  action: z.string(),
  target: z.string(),
  details: z.record(z.string(), z.unknown()),
});
export type AuditView = z.infer<typeof auditViewSchema>;
export const auditPageSchema = z.object({ items: z.array(auditViewSchema), nextBefore: z.string().optional() });
