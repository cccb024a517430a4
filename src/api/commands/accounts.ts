import type { AddMailbox, AddRule, AddToken, AddTraveller } from '../../contracts/http/commands.ts';
import { base32, sortableId, type TokenId, type TravellerId } from '../../domain/ids.ts';
import { checkRulePattern } from '../../domain/rules.ts';
import type { ApiToken, Mailbox, Rule, Traveller } from '../../ports/store/accounts.ts';
import { type Caller, ensureVisible, newToken, notFound, secretHash } from '../auth.ts';
import type { CommandDeps } from '../deps.ts';
import { Problem } from '../problems.ts';

/** Travellers, mailboxes, rules and tokens: what the CLI and REST both do. */

export const MAILBOXES_PER_TRAVELLER_MAX = 20;
export const RULES_PER_TRAVELLER_MAX = 200;

/** Errors: `scope-missing`-like 404 for a token bound to one traveller. */
export async function addTraveller(deps: CommandDeps, caller: Caller, body: AddTraveller): Promise<Traveller> {
  if (caller.traveller !== undefined) {
    throw new Problem('scope-missing', 'A token of one traveller cannot add others; use one of the whole tenant.');
  }
  const now = deps.clock.now();
  const traveller: Traveller = {
    id: sortableId('trv', now, deps.random.bytes(10)),
    tenant: caller.tenant,
    ...body,
    createdAt: now,
  };
  await deps.store.transact((tx) => tx.accounts.addTraveller(traveller));
  return traveller;
}

/** Errors: `not-found`. */
export async function visibleTraveller(
  deps: Pick<CommandDeps, 'store'>,
  caller: Caller,
  id: string,
): Promise<Traveller> {
  ensureVisible(caller, id, id);
  const found = await deps.store.read((tx) => tx.accounts.getTraveller(caller.tenant, id as TravellerId));
  if (found === undefined) throw notFound(id);
  return found;
}

/** A forwarding address that nobody can guess (80 random bits). Errors: `not-found`, `limit-reached`. */
export async function addMailbox(
  deps: CommandDeps,
  caller: Caller,
  travellerId: string,
  body: AddMailbox,
): Promise<Mailbox> {
  const traveller = await visibleTraveller(deps, caller, travellerId);
  const now = deps.clock.now();
  const address = `plans+${base32(deps.random.bytes(10))}@${deps.config.smtp.domain}`.toLowerCase();
  const mailbox: Mailbox = {
    id: sortableId('mbx', now, deps.random.bytes(10)),
    tenant: caller.tenant,
    traveller: traveller.id,
    kind: body.kind,
    label: body.label,
    address,
    state: 'active',
    createdAt: now,
  };
  await deps.store.transact(async (tx) => {
    await tx.accounts.change(caller.tenant);
    const have = (await tx.accounts.listMailboxes(caller.tenant, traveller.id)).filter((m) => m.state !== 'removed');
    if (have.length >= MAILBOXES_PER_TRAVELLER_MAX) throw full('mailboxes', MAILBOXES_PER_TRAVELLER_MAX);
    await tx.accounts.addMailbox(mailbox, secretHash(address));
  });
  return mailbox;
}

/** Errors: `not-found`, `limit-reached`, `field-invalid` for a pattern that could never match. */
export async function addRule(deps: CommandDeps, caller: Caller, travellerId: string, body: AddRule): Promise<Rule> {
  const traveller = await visibleTraveller(deps, caller, travellerId);
  const checked = checkRulePattern(body.field, body.pattern);
  if ('problem' in checked) {
    throw new Problem('field-invalid', checked.problem, [{ path: 'pattern', message: checked.problem }]);
  }
  const now = deps.clock.now();
  const rule: Rule = {
    id: sortableId('rule', now, deps.random.bytes(10)),
    tenant: caller.tenant,
    traveller: traveller.id,
    ...body,
    pattern: checked.pattern,
    createdAt: now,
  };
  await deps.store.transact(async (tx) => {
    await tx.accounts.change(caller.tenant);
    const have = await tx.accounts.listRules(caller.tenant, traveller.id);
    if (have.length >= RULES_PER_TRAVELLER_MAX) throw full('rules', RULES_PER_TRAVELLER_MAX);
    await tx.accounts.addRule(rule);
  });
  return rule;
}

/** Errors: `not-found`. */
export async function removeRule(
  deps: CommandDeps,
  caller: Caller,
  travellerId: string,
  ruleId: string,
): Promise<void> {
  const traveller = await visibleTraveller(deps, caller, travellerId);
  await deps.store.transact(async (tx) => {
    const rules = await tx.accounts.listRules(caller.tenant, traveller.id);
    if (!rules.some((rule) => rule.id === ruleId)) throw notFound(ruleId);
    await tx.accounts.removeRule(caller.tenant, ruleId);
  });
}

export interface IssuedToken {
  readonly token: ApiToken;
  /** Shown once: only its digest is kept. */
  readonly secret: string;
}

/** A token can give away no more than it has. Errors: `scope-missing`, `traveller-unknown`. */
export async function addToken(deps: CommandDeps, caller: Caller, body: AddToken): Promise<IssuedToken> {
  const beyond = body.scopes.filter((scope) => !caller.scopes.includes(scope));
  if (beyond.length > 0) {
    throw new Problem('scope-missing', `This token has not the scope ${beyond.join(', ')} and cannot give it away.`);
  }
  const traveller = body.traveller ?? caller.traveller;
  if (traveller !== undefined) await visibleTraveller(deps, caller, traveller);
  return issue(deps, caller, { traveller, label: body.label, scopes: body.scopes, use: 'api' }, newToken(deps.random));
}

/** Errors: `not-found`. */
export async function revokeToken(deps: CommandDeps, caller: Caller, id: string): Promise<void> {
  await deps.store.transact(async (tx) => {
    const found = (await tx.accounts.listTokens(caller.tenant)).find((token) => token.id === id);
    if (found === undefined) throw notFound(id);
    ensureVisible(caller, found.traveller, id);
    await tx.accounts.revokeToken(caller.tenant, id as TokenId, deps.clock.now());
  });
}

/** A calendar address: whoever has it reads the traveller's calendar and nothing else. Earlier ones stay until revoked. */
export async function addFeed(deps: CommandDeps, caller: Caller, travellerId: string): Promise<IssuedToken> {
  const traveller = await visibleTraveller(deps, caller, travellerId);
  const secret = `twf_${base32(deps.random.bytes(32))}`;
  return issue(deps, caller, { traveller: traveller.id, label: 'calendar', scopes: ['read'], use: 'feed' }, secret);
}

/** Revokes every calendar address of the traveller; says how many there were. */
export async function revokeFeeds(deps: CommandDeps, caller: Caller, travellerId: string): Promise<number> {
  const traveller = await visibleTraveller(deps, caller, travellerId);
  return deps.store.transact(async (tx) => {
    const feeds = (await tx.accounts.listTokens(caller.tenant)).filter(
      (token) => token.use === 'feed' && token.traveller === traveller.id && token.revokedAt === undefined,
    );
    for (const feed of feeds) await tx.accounts.revokeToken(caller.tenant, feed.id, deps.clock.now());
    return feeds.length;
  });
}

async function issue(
  deps: CommandDeps,
  caller: Caller,
  what: Pick<ApiToken, 'traveller' | 'label' | 'scopes' | 'use'>,
  secret: string,
): Promise<IssuedToken> {
  const now = deps.clock.now();
  const token: ApiToken = {
    id: sortableId('tok', now, deps.random.bytes(10)),
    tenant: caller.tenant,
    ...what,
    createdAt: now,
    revokedAt: undefined,
  };
  await deps.store.transact((tx) => tx.accounts.addToken(token, secretHash(secret)));
  return { token, secret };
}

function full(what: string, max: number): Problem {
  return new Problem('limit-reached', `There are ${max} ${what} already, which is the limit. Remove one first.`);
}
