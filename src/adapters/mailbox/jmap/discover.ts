import { TripwatchError } from '../../../domain/errors.ts';
import type { Call, Calls } from '../api/calls.ts';
import { readJson } from '../api/calls.ts';
import { type JmapSession, MAIL, sessionSchema } from './schema.ts';

/** The session resource (RFC 8620, section 2): where to ask, and for which account. */
export interface Discovered {
  readonly session: JmapSession;
  readonly accountId: string;
}

const REDIRECTS_MAX = 3;
const REDIRECTS = [301, 302, 303, 307, 308];

/**
 * `url`: a session resource, or a host. Redirects are followed on the same host only, because the credentials go along.
 * Errors: permanent `mailbox-settings-invalid`, those of Calls.
 */
export async function discover(
  calls: Calls,
  url: string,
  wantedAccount: string | undefined,
  check: (url: string) => string,
  signal: AbortSignal,
): Promise<Discovered> {
  const given = new URL(check(url));
  if (given.pathname === '/') given.pathname = '/.well-known/jmap';
  let at = given;
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
    const call: Call = { url: at.href, also: [...REDIRECTS, 404] };
    const answer = await calls.ask(call, signal);
    if (answer.status === 404) throw settings(`there is no JMAP under ${at.origin}${at.pathname}`);
    if (!REDIRECTS.includes(answer.status)) return chosen(readJson(answer, sessionSchema), wantedAccount, at, check);
    const next = URL.canParse(answer.headers.location ?? '', at) ? new URL(answer.headers.location!, at) : undefined;
    if (next === undefined || next.origin !== given.origin) {
      throw settings(`the server leads to ${next?.origin ?? 'nowhere'}; if that is right, give that address itself`);
    }
    at = next;
  }
  throw settings('the server leads around in circles');
}

function chosen(session: JmapSession, wanted: string | undefined, at: URL, check: (url: string) => string): Discovered {
  const accountId = wanted ?? session.primaryAccounts[MAIL];
  if (accountId === undefined || session.accounts[accountId] === undefined) {
    throw settings(wanted === undefined ? 'this user has no mail account' : `this user has no account ${wanted}`);
  }
  // May be relative; templates keep their braces.
  const whole = (text: string): string => {
    const url = /^https?:/i.test(text) ? text : at.origin + (text.startsWith('/') ? text : `/${text}`);
    check(url.replace(/[{}]/g, ''));
    return url;
  };
  const { eventSourceUrl } = session;
  return {
    accountId,
    session: {
      ...session,
      apiUrl: whole(session.apiUrl),
      downloadUrl: whole(session.downloadUrl),
      ...(eventSourceUrl === undefined ? {} : { eventSourceUrl: whole(eventSourceUrl) }),
    },
  };
}

export function settings(why: string): TripwatchError {
  return new TripwatchError(
    'permanent',
    'mailbox-settings-invalid',
    `The JMAP server cannot be used as given: ${why}. Check the settings of the mailbox.`,
  );
}
