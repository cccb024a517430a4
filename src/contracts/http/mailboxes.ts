import { z } from 'zod';
import { addMailboxSchema } from './commands.ts';

/** Connecting mailboxes: what is sent and what is answered. Credentials go in and never come out. */

const instant = z.iso.datetime();
const address = z.string().trim().min(3).max(320).describe('mail address');
const password = z.string().min(1).max(1000).describe('password, or app password; never answered, never logged');
const folders = z
  .array(z.string().min(1).max(1000))
  .min(1)
  .max(500)
  .describe('folders to read, by their full names; absent: all but junk, trash and drafts');
const sinceDays = z
  .int()
  .min(0)
  .max(3650)
  .default(90)
  .describe('how many days back mails are read; 0: only what comes from now on');
const label = z.string().trim().min(1).max(100).optional().describe('a name for it; default: the address');
const test = z.boolean().default(true).describe('sign in before anything is stored');

const server = {
  host: z.string().trim().min(1).max(253).optional().describe('absent: found by the domain of the address'),
  port: z.int().min(1).max(65_535).optional(),
  security: z.enum(['tls', 'starttls', 'plain']).optional(),
};

export const connectImapSchema = z.strictObject({
  kind: z.literal('imap'),
  address,
  user: z.string().trim().min(1).max(320).optional().describe('to sign in as; default: the address'),
  password,
  ...server,
  folders: folders.optional(),
  confirm: z
    .boolean()
    .default(false)
    .describe('yes to a server that is named by DNS only and is not of the domain of the address'),
  sinceDays,
  label,
  test,
});
export type ConnectImap = z.infer<typeof connectImapSchema>;

export const connectJmapSchema = z.strictObject({
  kind: z.literal('jmap'),
  address,
  user: z.string().trim().min(1).max(320).optional(),
  password,
  url: z.string().trim().min(1).max(2000).optional().describe("default: the domain's"),
  folders: folders.optional(),
  sinceDays,
  label,
  test,
});
export type ConnectJmap = z.infer<typeof connectJmapSchema>;

export const connectMailboxSchema = z.discriminatedUnion('kind', [
  addMailboxSchema,
  connectImapSchema,
  connectJmapSchema,
]);

export const changeMailboxSchema = z
  .strictObject({
    password: password.optional(),
    folders: folders.optional(),
    sinceDays: z.int().min(0).max(3650).optional().describe('further back begins the older mails anew'),
    test,
  })
  .refine((body) => body.password !== undefined || body.folders !== undefined || body.sinceDays !== undefined, {
    message: 'give password, folders or sinceDays',
  });
export type ChangeMailbox = z.infer<typeof changeMailboxSchema>;

export const beginSignInSchema = z.strictObject({
  kind: z.enum(['gmail', 'graph']),
  address: address.optional().describe('to be proposed at the provider'),
  sinceDays,
  mailbox: z.string().max(100).optional().describe('of one that is connected: to sign in again'),
});
export type BeginSignIn = z.infer<typeof beginSignInSchema>;

export const finishSignInSchema = z.strictObject({
  code: z.string().min(1).max(4000),
  state: z.string().min(1).max(4000),
});
export type FinishSignIn = z.infer<typeof finishSignInSchema>;

export const pauseMailboxSchema = z.strictObject({
  reason: z.string().trim().min(1).max(300).default('no mails for now'),
});

export const offersViewSchema = z.object({
  items: z.array(
    z.object({
      kind: z.string(),
      label: z.string(),
      signIn: z.enum(['password', 'provider', 'none']),
      missing: z.string().optional().describe('what the operator has to do first'),
    }),
  ),
});

export const foundViewSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('imap'),
    host: z.string(),
    port: z.int(),
    security: z.enum(['tls', 'starttls', 'plain']),
    user: z.string(),
    login: z.enum(['password', 'app-password']),
    confirm: z.boolean(),
    note: z.string().optional(),
  }),
  z.object({ kind: z.literal('sign-in'), with: z.enum(['gmail', 'graph']), note: z.string() }),
  z.object({ kind: z.literal('none'), note: z.string() }),
]);

export const mailboxTestViewSchema = z.object({
  label: z.string(),
  push: z.enum(['live', 'request', 'none']).describe('how new mails make themselves known'),
  folders: z.array(z.object({ name: z.string(), role: z.string().optional() })),
  sample: z
    .array(
      z.object({
        from: z.string(),
        subject: z.string(),
        folder: z.string(),
        receivedAt: instant,
        read: z.boolean().describe('whether it would be opened'),
        why: z.string(),
      }),
    )
    .describe('the newest mails; nothing but their headers was read'),
  older: z.int().optional(),
});
export type MailboxTestView = z.infer<typeof mailboxTestViewSchema>;
