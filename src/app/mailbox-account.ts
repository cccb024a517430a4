import { renew, SIGN_IN, type SignInClient } from '../adapters/oauth/sign-in.ts';
import type { HttpLine } from '../adapters/provider/http/line.ts';
import type { Config } from '../contracts/config.ts';
import { type StoredCredentials, storedCredentialsSchema } from '../contracts/mailbox.ts';
import { TripwatchError } from '../domain/errors.ts';
import type { Credentials, MailboxAccount, MailboxKind } from '../ports/mailbox.ts';
import { mailboxSecretContext, type Watch } from '../ports/store/watches.ts';
import { readSecret } from './config.ts';
import type { Core } from './core.ts';

/** What is left of an access token's life when it is renewed: long enough for a slow look. */
const RENEW_BEFORE_MS = 120_000;
/**
 * A renewal, real time. It has a deadline of its own, and goes on when whoever asked has gone: the token for it may be good
 * for one time only, and what is given for it must be stored.
 */
const RENEW_MS_MAX = 60_000;
/** What another process was given reaches the store in this time, real time. */
const RACE_MS = 2000;
/** Another process renews at the same moment: what it stored is looked for so often. */
const SWAPS_MAX = 3;

type AccountParts = Pick<Core, 'store' | 'secrets' | 'clock' | 'config'> & { readonly line: HttpLine };

/** Where one signs in for mailboxes of a kind. */
export const PROVIDER_OF: Readonly<Partial<Record<MailboxKind, keyof Config['oauth']>>> = {
  gmail: 'google',
  graph: 'microsoft',
};

/** This installation at the provider. Errors: permanent `sign-in-not-set-up`. */
export function signInClient(config: Config, name: keyof Config['oauth']): SignInClient {
  const configured = config.oauth[name];
  const provider = SIGN_IN[name];
  if (configured === undefined)
    throw new TripwatchError(
      'permanent',
      'sign-in-not-set-up',
      `This installation has no application at ${provider.label} yet. Make one in its console and put its id into the configuration (oauth.${name}.clientId): docs/operating/mailboxes.md has the steps. Until then, forward mails instead${name === 'google' ? ', or use IMAP with an app password' : ''}.`,
    );
  return {
    provider: {
      ...provider,
      authorize: configured.authorizeUrl ?? provider.authorize,
      token: configured.tokenUrl ?? provider.token,
    },
    clientId: configured.clientId,
    clientSecret: configured.clientSecret === undefined ? undefined : readSecret(configured.clientSecret, process.env),
  };
}

/** Renewals under way, by store and mailbox: many sessions ask at once, and one token is enough. */
const renewing = new WeakMap<object, Map<string, Promise<Credentials>>>();

/** What a connector signs in with: read when it is asked for, so that what was changed meanwhile counts. */
export function accountOf(parts: AccountParts, watch: Watch): MailboxAccount {
  return {
    mailbox: watch.mailbox,
    tenant: watch.tenant,
    settings: watch.settings,
    credentials: async (signal, refused) => {
      const stored = opened(parts, await sealedOf(parts, watch), watch);
      if (stored.kind === 'password') {
        const { kind, user, password } = stored;
        if (refused?.kind === 'password' && refused.password === password)
          throw needed('The password of this mailbox was refused. Enter it again.');
        return { kind, user, password };
      }
      const fresh = stillGood(stored, parts.clock.now(), refused);
      if (fresh !== undefined) return fresh;
      const key = mailboxSecretContext(watch);
      const ours = renewing.get(parts.store) ?? new Map<string, Promise<Credentials>>();
      renewing.set(parts.store, ours);
      let under = ours.get(key);
      if (under === undefined) {
        under = renewed(parts, watch, refused, AbortSignal.timeout(RENEW_MS_MAX)).finally(() => ours.delete(key));
        ours.set(key, under);
      }
      return untilAborted(under, signal);
    },
  };
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const gone = Promise.withResolvers<never>();
  const leave = (): void => gone.reject(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  // Nobody may be left to hear how it ended.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, gone.promise]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

/** As `accountOf`, for what is not stored yet. */
export function accountWith(
  { clock }: Pick<Core, 'clock'>,
  account: Pick<MailboxAccount, 'mailbox' | 'tenant' | 'settings'>,
  stored: StoredCredentials,
): MailboxAccount {
  return {
    ...account,
    credentials: async (_signal, refused) => {
      if (stored.kind === 'password') return { kind: 'password', user: stored.user, password: stored.password };
      const fresh = stillGood(stored, clock.now(), refused);
      if (fresh === undefined) throw needed('The sign-in was refused. Sign in again.');
      return fresh;
    },
  };
}

function stillGood(
  stored: Extract<StoredCredentials, { kind: 'oauth' }>,
  now: number,
  refused: Credentials | undefined,
): Credentials | undefined {
  const { accessToken, expiresAt = 0, user } = stored;
  if (accessToken === undefined || expiresAt - now < RENEW_BEFORE_MS) return undefined;
  if (refused?.kind === 'token' && refused.accessToken === accessToken) return undefined;
  return { kind: 'token', user, accessToken };
}

/**
 * Renews and stores, unless another process has done so meanwhile: providers may give each token for renewal once, so the
 * one that is stored decides.
 */
async function renewed(
  parts: AccountParts,
  watch: Watch,
  refused: Credentials | undefined,
  signal: AbortSignal,
): Promise<Credentials> {
  const { store, secrets, clock, config, line } = parts;
  for (let swap = 0; swap < SWAPS_MAX; swap++) {
    const sealed = await sealedOf(parts, watch);
    const stored = opened(parts, sealed, watch);
    if (stored.kind !== 'oauth') throw needed('This mailbox signs in by password now. It is tried again.');
    const fresh = stillGood(stored, clock.now(), refused);
    if (fresh !== undefined) return fresh;
    const client = signInClient(config, stored.client as keyof Config['oauth']);
    try {
      const tokens = await renew(client, { line, clock }, stored.refreshToken, signal);
      const next: StoredCredentials = {
        ...stored,
        refreshToken: tokens.refreshToken ?? stored.refreshToken,
        accessToken: tokens.accessToken,
        expiresAt: Math.trunc(tokens.expiresAt),
      };
      const text = secrets.seal(JSON.stringify(next), mailboxSecretContext(watch));
      if (await store.transact((tx) => tx.watches.swapCredentials(watch, sealed, text)))
        return { kind: 'token', user: next.user, accessToken: tokens.accessToken };
    } catch (error) {
      if (!(error instanceof TripwatchError) || error.kind !== 'unauthorised') throw error;
      // Another may have been faster, and ours was good once; what it got may be on its way to the store still.
      if ((await sealedOf(parts, watch)) !== sealed) continue;
      await clock.sleep(RACE_MS * clock.speed, signal).catch(() => undefined);
      if ((await sealedOf(parts, watch)) === sealed) throw error;
    }
  }
  throw new TripwatchError(
    'transient',
    'sign-in-unavailable',
    'Several processes renewed the sign-in of this mailbox at once. It is tried again.',
  );
}

async function sealedOf({ store }: Pick<Core, 'store'>, watch: Watch): Promise<string> {
  const now = await store.read((tx) => tx.watches.get(watch.tenant, watch.mailbox));
  const sealed = (now ?? watch).sealedCredentials;
  if (sealed === undefined) throw needed('No password is stored for this mailbox. Enter it.');
  return sealed;
}

function opened({ secrets }: Pick<Core, 'secrets'>, sealed: string, watch: Watch): StoredCredentials {
  return storedCredentialsSchema.parse(JSON.parse(secrets.open(sealed, mailboxSecretContext(watch))));
}

function needed(message: string): TripwatchError {
  return new TripwatchError('unauthorised', 'consent-needed', message);
}
