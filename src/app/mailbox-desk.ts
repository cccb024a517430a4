import { discoverImap } from '../adapters/mailbox/imap/discover.ts';
import { exchangeCode, signInUrl } from '../adapters/oauth/sign-in.ts';
import type { Config } from '../contracts/config.ts';
import { TripwatchError } from '../domain/errors.ts';
import { readHead } from '../domain/mail/head.ts';
import type { MailRule } from '../domain/rules.ts';
import { isoInstant } from '../ports/clock.ts';
import type { ListedMail, MailboxAccount, MailboxKind, MailboxSession } from '../ports/mailbox.ts';
import type { AccountToTest, MailboxDesk, MailboxOffer, MailboxTest } from '../ports/mailbox-desk.ts';
import { decide } from '../stages/collect/decide.ts';
import type { Core } from './core.ts';
import { accountOf, accountWith, PROVIDER_OF, signInClient } from './mailbox-account.ts';
import { Looks } from './mailbox-budget.ts';
import type { MailboxConnectors } from './mailbox-connectors.ts';

/** A person waits, real ms. */
const TEST_MS_MAX = 45_000;
/** Newest mails that are shown with what would become of them. */
const SAMPLE_MAX = 20;

const OFFERS: readonly MailboxOffer[] = [
  { kind: 'forward', label: 'Forwarding address', signIn: 'none' },
  { kind: 'imap', label: 'IMAP', signIn: 'password' },
  { kind: 'gmail', label: 'Gmail', signIn: 'provider' },
  { kind: 'graph', label: 'Microsoft 365 or Outlook.com', signIn: 'provider' },
  { kind: 'jmap', label: 'JMAP', signIn: 'password' },
];

type DeskParts = Pick<Core, 'store' | 'secrets' | 'clock' | 'config'> & Pick<MailboxConnectors, 'connectors' | 'line'>;

/** Connecting mailboxes, with the connectors and applications that this installation has. */
export function createMailboxDesk(parts: DeskParts): MailboxDesk {
  const { config, clock, line } = parts;
  const clientOf = (kind: MailboxKind) => signInClient(config, providerOf(kind));
  const looks = new Looks();
  return {
    kinds: () =>
      OFFERS.map((offer) => {
        const name = offer.kind === 'forward' ? undefined : PROVIDER_OF[offer.kind];
        if (name === undefined || config.oauth[name] !== undefined) return offer;
        const missing = `The operator has to make an application at the provider first (oauth.${name}): docs/operating/mailboxes.md.`;
        return { ...offer, missing };
      }),
    discover: async (address) => {
      const found = await discoverImap(address);
      if (found.kind === 'sign-in') return { kind: 'sign-in', with: 'graph', note: found.note };
      if (found.kind === 'none') return found;
      const { host, port, security } = found.settings;
      const { user, login, confirm, note } = found;
      return { kind: 'imap', host, port, security, user, login, confirm, ...(note === undefined ? {} : { note }) };
    },
    test: (account, signal) => looked(parts, looks, accountWith(parts, account, account.credentials), account, signal),
    testStored: (watch, rules, signal) => looked(parts, looks, accountOf(parts, watch), { ...watch, rules }, signal),
    signInUrl: ({ kind, ...ask }) => signInUrl(clientOf(kind), ask),
    signedIn: async ({ kind, address, ...answer }, signal) => {
      const tokens = await exchangeCode(clientOf(kind), { line, clock }, answer, signal);
      const user = tokens.address ?? address;
      if (user === undefined)
        throw new TripwatchError(
          'permanent',
          'sign-in-incomplete',
          'The provider does not say which address was signed in. Name the address, and sign in again.',
        );
      return {
        kind: 'oauth',
        user,
        client: providerOf(kind),
        refreshToken: tokens.refreshToken,
        accessToken: tokens.accessToken,
        expiresAt: Math.trunc(tokens.expiresAt),
      };
    },
  };
}

function providerOf(kind: MailboxKind): keyof Config['oauth'] {
  const name = PROVIDER_OF[kind];
  if (name === undefined)
    throw new TripwatchError('permanent', 'sign-in-not-set-up', `Mailboxes of the kind ${kind} take a password.`);
  return name;
}

/** Connects, lists folders and the newest heads, and goes. */
async function looked(
  { connectors, clock }: DeskParts,
  looks: Looks,
  account: MailboxAccount,
  { kind, since, rules }: Pick<AccountToTest, 'kind' | 'since' | 'rules'>,
  signal: AbortSignal,
): Promise<MailboxTest> {
  const connector = connectors.find((one) => one.kind === kind);
  if (connector === undefined)
    throw new TripwatchError(
      'permanent',
      'mailbox-kind-unavailable',
      `This installation is not set up for mailboxes of the kind ${kind}. docs/operating/mailboxes.md says what it needs.`,
    );
  const until = AbortSignal.any([signal, AbortSignal.timeout(TEST_MS_MAX)]);
  const { user } = await account.credentials(until);
  return looks.one(kind, account.settings, user, async () => {
    let session: MailboxSession | undefined;
    try {
      session = await connector.open(account, until);
      const folders = await session.folders(until);
      const page = await session.backfill({ since, max: SAMPLE_MAX }, until);
      const newest = page.mails.toSorted((a, b) => b.receivedAt - a.receivedAt).slice(0, SAMPLE_MAX);
      return {
        label: connector.label,
        push: connector.capabilities.push,
        folders: folders.map(({ name, role }) => ({ name, ...(role === undefined ? {} : { role }) })),
        sample: newest.map((mail) => sampleOf(mail, rules, clock.now())),
        ...(page.left === undefined ? {} : { older: page.left }),
      };
    } finally {
      await session?.close();
    }
  });
}

/** What would become of a mail: decided as when it comes. */
function sampleOf(listed: ListedMail, rules: readonly MailRule[], now: number): MailboxTest['sample'][number] {
  const { fromAddress, fromName, subject, bulk } = readHead(listed.head);
  const receivedAt = Math.trunc(Math.min(listed.receivedAt, now));
  const decision = decide(
    {
      mailId: 'mail_sample',
      mailboxId: 'mbx_sample',
      ref: listed.ref,
      folder: listed.folder,
      head: { fromAddress, fromName, subject, ...(bulk === '' ? {} : { bulk }) },
      ...(listed.parts === undefined ? {} : { parts: [...listed.parts] }),
      size: listed.size,
      receivedAt: isoInstant(receivedAt),
      via: 'imap',
    },
    rules,
  );
  const why = decision.receipt.reason.replace(/^Waiting to be opened; |^Not opened: /, '');
  return { from: fromAddress, subject, folder: listed.folder, receivedAt, read: decision.read, why };
}
