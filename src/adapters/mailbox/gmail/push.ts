import type { MailboxPush, MailboxPushVerdict } from '../../../ports/mailbox.ts';
import type { Jwks } from '../../oauth/jwks.ts';
import { verifyJwt } from '../../oauth/jwt.ts';
import { jsonOf } from '../api/calls.ts';
import { noticeSchema, pushSchema } from './schema.ts';

/**
 * Pub/Sub calls with a token that Google signed for the service account of our subscription. Nothing of the notice is
 * believed but whose mailbox to look at: the history says what came.
 */
export interface GmailPushOptions {
  readonly jwks: Jwks;
  /** As configured at the subscription; usually the address that is called. */
  readonly audience: string;
  /** The service account that signs in for the subscription. */
  readonly serviceAccount: string;
  /** `projects/p/subscriptions/s`; absent: any. */
  readonly subscription?: string;
}

const ISSUERS = ['https://accounts.google.com', 'accounts.google.com'];

export async function receiveGmailPush(request: MailboxPush, options: GmailPushOptions): Promise<MailboxPushVerdict> {
  const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(headerOf(request.headers, 'authorization') ?? '')?.[1];
  if (token === undefined) return refused('push-token-missing', 'The push carries no bearer token.');
  const checked = await verifyJwt(token, options.jwks, {
    issuers: ISSUERS,
    audience: options.audience,
    now: request.receivedAt,
  });
  if (checked.kind === 'refused')
    return refused('push-token-refused', `The token of the push is refused: ${checked.why}.`);
  const { email, email_verified: verified } = checked.claims;
  if (email !== options.serviceAccount || verified !== true) {
    return refused('push-token-refused', 'The token of the push is refused: it is of another service account.');
  }
  const body = pushSchema.safeParse(jsonOf(request.body));
  if (!body.success) return refused('push-unreadable', 'The push is no Pub/Sub message.');
  if (options.subscription !== undefined && body.data.subscription !== options.subscription) {
    return refused('push-subscription-other', 'The push is of another subscription.');
  }
  const notice = noticeSchema.safeParse(jsonOf(Buffer.from(body.data.message.data, 'base64')));
  if (!notice.success) return refused('push-unreadable', 'The push is no notice of Gmail.');
  return { kind: 'hint', accounts: [notice.data.emailAddress.toLowerCase()] };
}

function headerOf(headers: Readonly<Record<string, string>>, wanted: string): string | undefined {
  return Object.entries(headers).find(([name]) => name.toLowerCase() === wanted)?.[1];
}

function refused(code: string, message: string): MailboxPushVerdict {
  return { kind: 'refused', code, message };
}
