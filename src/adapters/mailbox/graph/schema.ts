import { z } from 'zod';
import { placeSchema } from '../api/newest-first.ts';

/** What we read of Microsoft Graph's answers; more is ignored. */

const id = z.string().min(1).max(1000);
const time = z.string().transform((text, context) => {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) context.addIssue({ code: 'custom', message: 'no time' });
  return ms;
});
const link = z.string().max(8192).optional();

export const folderSchema = z.object({
  id,
  displayName: z.string().max(1000).default(''),
  childFolderCount: z.number().default(0),
});
export const foldersSchema = z.object({ value: z.array(folderSchema), '@odata.nextLink': link });

/** Of a delta: what is gone carries nothing but its id. */
export const deltaSchema = z.object({
  value: z.array(z.looseObject({ id, '@removed': z.unknown().optional() })),
  '@odata.nextLink': link,
  '@odata.deltaLink': link,
});

const person = z
  .object({ emailAddress: z.object({ name: z.string().nullish(), address: z.string().nullish() }) })
  .nullish();
export const messageSchema = z.object({
  id,
  receivedDateTime: time,
  parentFolderId: z.string().default(''),
  isDraft: z.boolean().default(false),
  internetMessageHeaders: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  internetMessageId: z.string().nullish(),
  subject: z.string().nullish(),
  sentDateTime: z.string().nullish(),
  from: person,
  toRecipients: z.array(person).nullish(),
  singleValueExtendedProperties: z.array(z.object({ id: z.string(), value: z.string() })).nullish(),
});
export type Message = z.infer<typeof messageSchema>;
export const messagesSchema = z.object({ value: z.array(messageSchema), '@odata.nextLink': link });

export const errorSchema = z.object({
  error: z.object({ code: z.string(), innerError: z.object({ code: z.string().optional() }).nullish() }),
});

export const subscriptionSchema = z.object({ id, expirationDateTime: time });

/** Notices and lifecycle notices come in one form. */
export const noticesSchema = z.object({
  value: z
    .array(
      z.object({
        subscriptionId: z.string().max(200),
        clientState: z.string().max(200).nullish(),
        lifecycleEvent: z.string().max(100).nullish(),
      }),
    )
    .max(1000),
});

/**
 * Where live stands: of each folder the delta link, and the place in a list where everything is listed once (a folder
 * new to us, a link that no longer holds). `next`: the folder with which to go on in this round.
 */
export const liveCursorSchema = z.object({
  folders: z.record(z.string(), z.object({ link: z.string(), list: placeSchema.optional() })),
  next: z.string().optional(),
});
export type LiveCursor = z.infer<typeof liveCursorSchema>;
export const backfillCursorSchema = placeSchema.extend({ done: z.boolean().optional() });

/** Of the account: folders by name (`Travel/Flights`), role or id; absent: everything but junk, trash, sent mails and drafts. */
export const settingsSchema = z.object({ folders: z.array(z.string()).optional() });

/** `url`: where its notices go. */
export const subscribeStateSchema = z.object({ id: z.string(), clientState: z.string(), url: z.string().optional() });
