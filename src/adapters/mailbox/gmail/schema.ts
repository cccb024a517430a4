import { z } from 'zod';

/** What we read of the Gmail API's answers; more is ignored, and numbers come as text. */

const digits = z.string().regex(/^\d{1,20}$/);
const id = z.string().min(1).max(200);

export const profileSchema = z.object({ emailAddress: z.string().max(320), historyId: digits });

export const labelsSchema = z.object({
  labels: z.array(z.object({ id, name: z.string().max(1000), type: z.string().optional() })).default([]),
});

const labelIds = z.array(z.string()).default([]);
const changed = z.array(z.object({ message: z.object({ id, labelIds }) })).default([]);
export const historySchema = z.object({
  history: z
    .array(
      z.object({
        id: digits,
        messagesAdded: changed,
        labelsAdded: z.array(z.object({ message: z.object({ id, labelIds }), labelIds })).default([]),
      }),
    )
    .default([]),
  historyId: digits,
  nextPageToken: z.string().optional(),
});
export type History = z.infer<typeof historySchema>;

export const listSchema = z.object({
  messages: z.array(z.object({ id })).default([]),
  nextPageToken: z.string().optional(),
  resultSizeEstimate: z.number().optional(),
});

export const metadataSchema = z.object({
  id,
  labelIds,
  internalDate: digits,
  sizeEstimate: z.number().default(0),
  payload: z.object({ headers: z.array(z.object({ name: z.string(), value: z.string() })).default([]) }),
});
export type Metadata = z.infer<typeof metadataSchema>;

export const watchSchema = z.object({ historyId: digits, expiration: digits });

/** Google's error body, both the old list of reasons and the newer status with details. */
export const errorSchema = z.object({
  error: z.object({
    status: z.string().optional(),
    errors: z.array(z.object({ reason: z.string().optional() })).default([]),
    details: z.array(z.object({ reason: z.string().optional() })).default([]),
  }),
});

/** What Pub/Sub posts; `data` is base64 of the notice. */
export const pushSchema = z.object({
  message: z.object({ data: z.string().max(10_000), messageId: z.string().max(200).optional() }),
  subscription: z.string().max(500).optional(),
});
export const noticeSchema = z.object({
  emailAddress: z.string().min(3).max(320),
  historyId: z.union([z.string(), z.number()]).optional(),
});

/** Where live stands: after history record `h`; in a page, after so many of its mails; or in a list after a reset. */
export const listPlaceSchema = z.object({
  page: z.string().optional(),
  /** Epoch seconds of the oldest mail listed: from where to go on should the page token no longer hold. */
  oldest: z.number().optional(),
});
export type ListPlace = z.infer<typeof listPlaceSchema>;
export const liveCursorSchema = z.object({
  h: digits,
  skip: z.number().int().nonnegative().optional(),
  page: z.string().optional(),
  list: listPlaceSchema.optional(),
});
export type LiveCursor = z.infer<typeof liveCursorSchema>;
export const backfillCursorSchema = listPlaceSchema.extend({ done: z.boolean().optional() });

/** Of the account: folders by name or label id; absent: everything but junk, trash, sent mails, drafts and chats. */
export const settingsSchema = z.object({ folders: z.array(z.string()).optional() });
