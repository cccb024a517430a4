import type {
  BeginSignIn,
  ChangeMailbox,
  ConnectImap,
  ConnectJmap,
  FinishSignIn,
} from '../../contracts/http/mailboxes.ts';
import type { StoredCredentials } from '../../contracts/mailbox.ts';
import { describeError, kindOf, TripwatchError } from '../../domain/errors.ts';
import { type MailboxId, type MailId, sortableId } from '../../domain/ids.ts';
import type { MailboxKind } from '../../ports/mailbox.ts';
import type { MailboxDesk, MailboxTest } from '../../ports/mailbox-desk.ts';
import type { Mailbox, Traveller } from '../../ports/store/accounts.ts';
import type { MailReceipt } from '../../ports/store/mails.ts';
import { mailboxSecretContext, type Watch } from '../../ports/store/watches.ts';
import { type Caller, ensureVisible, notFound } from '../auth.ts';
import type { ApiDeps, CommandDeps } from '../deps.ts';
import { Problem } from '../problems.ts';
import { isAskable } from '../views/accounts.ts';
import { MAILBOXES_PER_TRAVELLER_MAX, visibleTraveller } from './accounts.ts';
import { auditEntry } from './audit.ts';
import { openState, sealState } from './sign-in-state.ts';

/** Connecting mailboxes, looking into them, letting them rest and go: what REST and the command line both do. */

type Deps = CommandDeps & Pick<ApiDeps, 'onMailboxes'>;
const DAY_MS = 86_400_000;

export interface Connected {
  readonly mailbox: Mailbox;
  /** What the look before storing found; undefined where none was wanted. */
  readonly test: MailboxTest | undefined;
}

/**
 * Signs in, looks, and stores. Errors: `mailbox-refused` with what to do; `mailbox-confirm` for a server that the owner has
 * to say yes to; `mailbox-exists`, `limit-reached`, `not-found`.
 */
export async function connectMailbox(
  deps: Deps,
  caller: Caller,
  travellerId: string,
  body: ConnectImap | ConnectJmap,
  signal: AbortSignal,
): Promise<Connected> {
  const traveller = await visibleTraveller(deps, caller, travellerId);
  const desk = await deskOf(deps);
  const { settings, user } = body.kind === 'imap' ? await imapSettings(desk, body) : jmapSettings(body);
  const credentials: StoredCredentials = { kind: 'password', user: body.user ?? user, password: body.password };
  return store(deps, caller, desk, { traveller, ...body, settings, credentials }, signal);
}

async function imapSettings(
  desk: MailboxDesk,
  body: ConnectImap,
): Promise<{ readonly settings: Watch['settings']; readonly user: string }> {
  const { port, security, folders } = body;
  const more = { ...(port === undefined ? {} : { port }), ...(folders === undefined ? {} : { folders }) };
  if (body.host !== undefined)
    return {
      settings: { host: body.host, security: security ?? (port === 143 ? 'starttls' : 'tls'), ...more },
      user: body.address,
    };
  const found = await refusedAs('address', () => desk.discover(body.address));
  if (found.kind !== 'imap') throw refusal('address', found.note);
  if (found.confirm && !body.confirm)
    throw new Problem(
      'mailbox-confirm',
      `The mail server of ${body.address} is ${found.host}, as far as DNS says, and that is not of its domain. If you know it as your mail provider's, confirm it; the password is sent nowhere before.`,
      [{ path: 'confirm', message: found.host }],
    );
  const settings = { host: found.host, port: found.port, security: security ?? found.security, ...more };
  return { settings, user: found.user };
}

function jmapSettings({ address, url, folders }: ConnectJmap) {
  const domain = address.slice(address.lastIndexOf('@') + 1);
  return {
    settings: { url: url ?? `https://${domain}`, ...(folders === undefined ? {} : { folders }) },
    user: address,
  };
}

interface NewMailbox {
  readonly traveller: Traveller;
  readonly kind: MailboxKind;
  readonly address: string;
  readonly label?: string | undefined;
  readonly settings: Watch['settings'];
  readonly credentials: StoredCredentials;
  readonly sinceDays: number;
  readonly test: boolean;
}

async function store(
  deps: Deps,
  caller: Caller,
  desk: MailboxDesk,
  wanted: NewMailbox,
  signal: AbortSignal,
): Promise<Connected> {
  const { traveller, kind, settings, credentials } = wanted;
  const now = deps.clock.now();
  const { tenant } = traveller;
  const mailbox: Mailbox = {
    id: sortableId('mbx', now, deps.random.bytes(10)),
    tenant,
    traveller: traveller.id,
    kind,
    label: wanted.label ?? wanted.address,
    address: wanted.address,
    state: 'active',
    createdAt: now,
  };
  const since = now - wanted.sinceDays * DAY_MS;
  // Before anyone is asked anything outside.
  await deps.store.read((tx) => ensurePlace(tx, mailbox));
  const rules = await deps.store.read((tx) => tx.accounts.listRules(tenant, traveller.id));
  const account = { kind, tenant, mailbox: mailbox.id, settings, credentials, since, rules };
  const test = wanted.test ? await refusedAs('host', () => desk.test(account, signal), once) : undefined;
  const watch: Watch = {
    tenant,
    traveller: traveller.id,
    mailbox: mailbox.id,
    kind,
    settings,
    sealedCredentials: deps.secrets.seal(
      JSON.stringify(credentials),
      mailboxSecretContext({ tenant, mailbox: mailbox.id }),
    ),
    since,
    liveCursor: undefined,
    backfillCursor: undefined,
    // Nothing before now is wanted.
    backfillDone: wanted.sinceDays === 0,
    backfillLeft: undefined,
    state: 'connecting',
    reasonCode: 'connecting',
    reason: 'It was connected just now and is read in a moment.',
    stateAt: now,
    checkedAt: undefined,
    dueAt: undefined,
    seen: 0,
    subscription: undefined,
    renewAt: undefined,
    pushName: undefined,
    pushFault: undefined,
    needsSince: undefined,
    createdAt: now,
  };
  const entry = auditEntry(deps, caller, { action: 'mailbox.connect', target: mailbox.id, details: { kind } });
  await deps.store.transact(async (tx) => {
    await tx.accounts.change(tenant);
    await ensurePlace(tx, mailbox);
    await tx.accounts.addMailbox(mailbox, undefined);
    await tx.watches.add(watch);
    await tx.audit.add(entry);
  });
  deps.onMailboxes?.([{ tenant, mailbox: mailbox.id }]);
  return { mailbox, test };
}

async function ensurePlace(
  tx: Pick<Parameters<Parameters<Deps['store']['read']>[0]>[0], 'accounts'>,
  mailbox: Mailbox,
) {
  const { tenant, traveller, kind, address } = mailbox;
  const have = (await tx.accounts.listMailboxes(tenant, traveller)).filter((one) => one.state !== 'removed');
  const same = have.find((one) => one.kind === kind && one.address?.toLowerCase() === address?.toLowerCase());
  if (same !== undefined)
    throw new Problem(
      'mailbox-exists',
      `${address} is connected already (${same.id}). Use that one: its password, folders and beginning can be changed; or remove it first.`,
    );
  if (have.length >= MAILBOXES_PER_TRAVELLER_MAX)
    throw new Problem(
      'limit-reached',
      `There are ${MAILBOXES_PER_TRAVELLER_MAX} mailboxes already, which is the limit. Remove one first.`,
    );
}

/** Another password, other folders, further back. Errors: `not-found`, `mailbox-refused`, `conflict` for kinds without. */
export async function changeMailbox(
  deps: Deps,
  caller: Caller,
  id: string,
  body: ChangeMailbox,
  signal: AbortSignal,
): Promise<Mailbox> {
  const { mailbox, watch } = await watched(deps, caller, id);
  const settings = body.folders === undefined ? watch.settings : { ...watch.settings, folders: body.folders };
  const since = body.sinceDays === undefined ? watch.since : deps.clock.now() - body.sinceDays * DAY_MS;
  let credentials: StoredCredentials | undefined;
  if (body.password !== undefined) {
    if (watch.kind !== 'imap' && watch.kind !== 'jmap')
      throw new Problem(
        'conflict',
        'This mailbox has no password: it is signed in at its provider. Sign in again there.',
      );
    const user = userOf(deps, watch) ?? mailbox.address ?? '';
    credentials = { kind: 'password', user, password: body.password };
    if (body.test) {
      const account = { kind: watch.kind, tenant: watch.tenant, mailbox: watch.mailbox, settings, since, rules: [] };
      const desk = await deskOf(deps);
      const given = credentials;
      await refusedAs('host', () => desk.test({ ...account, credentials: given }, signal));
    }
  }
  const entry = auditEntry(deps, caller, {
    action: 'mailbox.change',
    target: mailbox.id,
    details: { changed: Object.keys(body).filter((name) => name !== 'test') },
  });
  await deps.store.transact(async (tx) => {
    await tx.watches.change(watch.tenant, watch.mailbox, {
      settings,
      since,
      ...(credentials === undefined ? {} : sealed(deps, watch, credentials)),
    });
    await tx.audit.add(entry);
  });
  deps.onMailboxes?.([watch]);
  return mailbox;
}

const sealed = ({ secrets }: Deps, watch: Watch, credentials: StoredCredentials) => ({
  sealedCredentials: secrets.seal(JSON.stringify(credentials), mailboxSecretContext(watch)),
});

function userOf({ secrets }: Deps, watch: Watch): string | undefined {
  if (watch.sealedCredentials === undefined) return undefined;
  return (JSON.parse(secrets.open(watch.sealedCredentials, mailboxSecretContext(watch))) as StoredCredentials).user;
}

/** Signs in with what is stored, looks and changes nothing. Errors: `not-found`, `mailbox-refused`. */
export async function testMailbox(deps: Deps, caller: Caller, id: string, signal: AbortSignal): Promise<MailboxTest> {
  const { watch } = await watched(deps, caller, id);
  const rules = await deps.store.read((tx) => tx.accounts.listRules(watch.tenant, watch.traveller));
  const desk = await deskOf(deps);
  return refusedAs('mailbox', () => desk.testStored(watch, rules, signal));
}

/** "Check now". Errors: `not-found`, `conflict` for one that rests. */
export async function checkMailbox(deps: Deps, caller: Caller, id: string): Promise<Mailbox> {
  const { mailbox, watch } = await watched(deps, caller, id);
  if (mailbox.state === 'paused')
    throw new Problem('conflict', `${id} rests. Resume it: then it is looked at at once.`);
  await deps.store.transact((tx) => tx.watches.wake([watch]));
  deps.onMailboxes?.([watch]);
  return mailbox;
}

/** What removing it did, in figures. */
export interface Removed {
  readonly mailbox: Mailbox;
  /** Receipts that stay; reservations stay too. */
  readonly receipts: number;
}

/** Gone at once: credentials, subscription, and what it takes in. Receipts and reservations stay. Errors: `not-found`. */
export async function removeMailbox(deps: Deps, caller: Caller, id: string): Promise<Removed> {
  const mailbox = await visibleMailbox(deps, caller, id);
  const { tenant } = mailbox;
  const entry = auditEntry(deps, caller, { action: 'mailbox.remove', target: id, details: { kind: mailbox.kind } });
  const counts = await deps.store.transact(async (tx) => {
    await tx.control.resume({ kind: 'mailbox', id, tenant });
    await tx.watches.remove(tenant, mailbox.id);
    await tx.accounts.setMailboxState(tenant, mailbox.id, 'removed');
    await tx.audit.add(entry);
    return tx.mails.countOf(tenant, mailbox.id);
  });
  deps.onMailboxes?.([{ tenant, mailbox: mailbox.id }]);
  return { mailbox: { ...mailbox, state: 'removed' }, receipts: Object.values(counts).reduce((sum, n) => sum + n, 0) };
}

/** Lets it rest, by its owner too. A repeat changes nothing. Errors: `not-found`. */
export async function pauseMailbox(deps: Deps, caller: Caller, id: string, reason: string): Promise<Mailbox> {
  const mailbox = await visibleMailbox(deps, caller, id);
  const { tenant } = mailbox;
  const pause = { kind: 'mailbox', id, tenant, reason, by: caller.ref, at: deps.clock.now() } as const;
  const entry = auditEntry(deps, caller, { action: 'mailbox.pause', target: id, details: { reason } });
  await deps.store.transact(async (tx) => {
    if (!(await tx.control.pause(pause))) return;
    await tx.accounts.setMailboxState(tenant, mailbox.id, 'paused');
    await tx.audit.add(entry);
  });
  return { ...mailbox, state: 'paused' };
}

/** Errors: `not-found`, `conflict` for one that does not rest. */
export async function resumeMailbox(deps: Deps, caller: Caller, id: string): Promise<Mailbox> {
  const mailbox = await visibleMailbox(deps, caller, id);
  const { tenant } = mailbox;
  const entry = auditEntry(deps, caller, { action: 'mailbox.resume', target: id, details: {} });
  const did = await deps.store.transact(async (tx) => {
    const ended = await tx.control.resume({ kind: 'mailbox', id, tenant });
    const now = (await tx.accounts.getMailbox(tenant, mailbox.id))?.state;
    if (ended === undefined && now !== 'paused') return false;
    if (now === 'paused') await tx.accounts.setMailboxState(tenant, mailbox.id, 'active');
    await tx.audit.add(entry);
    return true;
  });
  if (!did) throw new Problem('conflict', `${id} does not rest.`);
  return { ...mailbox, state: 'active' };
}

/** Where the browser is to go. Errors: `not-found`, `mailbox-refused` where the installation has no application there. */
export async function beginSignIn(
  deps: Deps,
  caller: Caller,
  travellerId: string,
  body: BeginSignIn,
  redirectUri: string,
): Promise<{ readonly url: string }> {
  const traveller = await visibleTraveller(deps, caller, travellerId);
  if (body.mailbox !== undefined) await watched(deps, caller, body.mailbox);
  const verifier = Buffer.from(deps.random.bytes(48)).toString('base64url');
  const state = sealState(deps, caller, { ...body, traveller: traveller.id, verifier, redirectUri });
  const desk = await deskOf(deps);
  const { kind, address } = body;
  return refusedAs('kind', async () => ({ url: desk.signInUrl({ kind, redirectUri, state, verifier, address }) }));
}

/**
 * The provider sent the browser back. Only who began it may end it: the state names them, sealed. Errors: `sign-in-expired`,
 * `mailbox-refused`, those of connecting.
 */
export async function finishSignIn(
  deps: Deps,
  caller: Caller,
  { code, state }: FinishSignIn,
  signal: AbortSignal,
): Promise<Connected> {
  const begun = openState(deps, caller, state);
  const traveller = await visibleTraveller(deps, caller, begun.traveller);
  const desk = await deskOf(deps);
  const { kind, verifier, redirectUri, address } = begun;
  const credentials = await refusedAs('code', () =>
    desk.signedIn({ kind, code, verifier, redirectUri, address }, signal),
  );
  if (begun.mailbox !== undefined) {
    const { mailbox, watch } = await watched(deps, caller, begun.mailbox);
    const before = userOf(deps, watch);
    if (before !== undefined && before.toLowerCase() !== credentials.user.toLowerCase())
      throw refusal('code', `You signed in as ${credentials.user}, but this mailbox is ${before}. Sign in as that.`);
    await deps.store.transact((tx) => tx.watches.change(watch.tenant, watch.mailbox, sealed(deps, watch, credentials)));
    deps.onMailboxes?.([watch]);
    return { mailbox, test: undefined };
  }
  const { sinceDays } = begun;
  const wanted = { traveller, kind, address: credentials.user, settings: {}, credentials, sinceDays, test: true };
  return store(deps, caller, desk, wanted, signal);
}

/** The owner wants a mail read after all. Errors: `not-found`, `conflict` where there is nothing to ask for. */
export async function askForMail(deps: Deps, caller: Caller, id: string): Promise<MailReceipt> {
  const { askToRead } = deps;
  const now = deps.clock.now();
  return deps.store.transact(async (tx) => {
    const receipt = await tx.mails.get(caller.tenant, id as MailId);
    if (receipt === undefined) throw notFound(id);
    ensureVisible(caller, receipt.traveller, id);
    const mailbox = await tx.accounts.getMailbox(caller.tenant, receipt.mailbox);
    const reachable = receipt.raw !== undefined || mailbox?.state !== 'removed';
    if (askToRead === undefined || !isAskable(receipt) || !reachable)
      throw new Problem('conflict', `There is nothing to ask for: ${why(receipt, reachable)}`);
    await askToRead(tx, receipt, caller.ref, now);
    return (await tx.mails.get(caller.tenant, receipt.id)) ?? receipt;
  });
}

/** The owner has done what a receipt asks of them, or will not. Errors: `not-found`, `conflict` where it needs nobody. */
export async function settleReceipt(
  deps: Pick<Deps, 'store' | 'clock'>,
  caller: Caller,
  id: string,
): Promise<MailReceipt> {
  const now = deps.clock.now();
  return deps.store.transact(async (tx) => {
    const receipt = await tx.mails.get(caller.tenant, id as MailId);
    if (receipt === undefined) throw notFound(id);
    ensureVisible(caller, receipt.traveller, id);
    if (receipt.disposition !== 'needs-you') throw new Problem('conflict', 'Nothing is left to do for this mail.');
    const update = {
      ...({ disposition: 'nothing-found', reasonCode: 'settled-by-owner' } as const),
      reason: `You said that nothing is left to do. It said: ${receipt.reason}`,
    };
    await tx.mails.update(caller.tenant, receipt.id, update, now);
    return (await tx.mails.get(caller.tenant, receipt.id)) ?? receipt;
  });
}

function why({ disposition, raw, ref }: MailReceipt, reachable: boolean): string {
  if (!reachable) return 'its mailbox was removed.';
  if (disposition === 'seen' || disposition === 'collected') return 'the mail is being read.';
  if (raw === undefined && ref === undefined) return 'the mail itself is no longer here. Bring it again.';
  return 'the mail was read.';
}

/** Removed ones too: their receipts stay. Errors: `not-found`. */
export async function knownMailbox(deps: Pick<Deps, 'store'>, caller: Caller, id: string): Promise<Mailbox> {
  const found = await deps.store.read((tx) => tx.accounts.getMailbox(caller.tenant, id as MailboxId));
  if (found === undefined) throw notFound(id);
  ensureVisible(caller, found.traveller, id);
  return found;
}

/** Errors: `not-found`, also for those of others and removed ones. */
export async function visibleMailbox(deps: Pick<Deps, 'store'>, caller: Caller, id: string): Promise<Mailbox> {
  const found = await knownMailbox(deps, caller, id);
  if (found.state === 'removed') throw notFound(id);
  return found;
}

/** Of one that we go to. Errors: `not-found`, `conflict`. */
async function watched(deps: Deps, caller: Caller, id: string) {
  const mailbox = await visibleMailbox(deps, caller, id);
  const watch = await deps.store.read((tx) => tx.watches.get(mailbox.tenant, mailbox.id));
  if (watch === undefined)
    throw new Problem('conflict', `Mails are brought to ${id}; there is no mailbox to look into.`);
  return { mailbox, watch };
}

async function deskOf({ mailboxes }: Deps): Promise<MailboxDesk> {
  const desk = await mailboxes?.();
  if (desk === undefined) throw new Problem('unavailable', 'This process connects no mailboxes.');
  return desk;
}

/** What the other side says no to is the person's to mend, in its words; what is only busy is not. */
async function refusedAs<T>(path: string, work: () => Promise<T>, told = (text: string) => text): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const kind = kindOf(error);
    if (!(error instanceof TripwatchError) || error instanceof Problem || kind === 'defect' || kind === 'cancelled')
      throw error;
    const { code, message } = describeError(error);
    if (kind === 'rate-limited') throw new Problem('limit-reached', forPerson(message), [{ path, message: code }]);
    throw refusal(
      code === 'password-refused' || code === 'mailbox-app-password-needed' ? 'password' : path,
      told(code === 'provider-unreachable' ? `${message} Check the address of the server.` : message),
      code,
    );
  }
}

/** What is read by itself is tried again; what one person wants to connect is not, and its message is not to say so. */
const once = (text: string): string =>
  text.replace(/[.;] it is (not )?tried again( by itself)?(, and nothing is lost)?\.$/i, '. Nothing was stored.');

/** Who waits for it asks again themselves. */
const forPerson = (text: string): string => text.replace(/It is asked again later/i, 'Try again in some minutes');

function refusal(path: string, message: string, code = 'mailbox-refused'): Problem {
  return new Problem('mailbox-refused', message, [{ path, message: code }]);
}
