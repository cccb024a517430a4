import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createHttpLine } from '../../src/adapters/provider/http/line.ts';
import { addTraveller } from '../../src/api/commands/accounts.ts';
import { loadConfig } from '../../src/app/config.ts';
import { OPERATOR, openCore } from '../../src/app/core.ts';
import { accountOf } from '../../src/app/mailbox-account.ts';
import { prepareFolder } from '../../src/app/paths.ts';
import type { StoredCredentials } from '../../src/contracts/mailbox.ts';
import { TripwatchError } from '../../src/domain/errors.ts';
import { type MailboxId, sortableId } from '../../src/domain/ids.ts';
import { mailboxSecretContext } from '../../src/ports/store/watches.ts';
import { type MailCall, Switchboard, startMailServer } from '../../src/sandbox/mailboxes/server.ts';
import { watchOf } from './watch.testing.ts';

/**
 * Access that is renewed. The provider gives each token for renewal once, as strict ones do: whoever offers one a second
 * time has lost the consent. Two mailboxes of one process, and two processes, must never do that.
 */

const never = new AbortController().signal;
const isNeeded = (error: unknown) => error instanceof TripwatchError && error.kind === 'unauthorised';

async function rig(t: TestContext, { strict = true, answerMs = 20 } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-renewal-'));
  const issued = new Set(['refresh-0']);
  const asked: string[] = [];
  let [serial, refused] = [0, false];
  const token = async ({ text }: MailCall) => {
    const form = new URLSearchParams(text);
    asked.push(form.get('refresh_token') ?? '');
    const known = issued.has(asked.at(-1)!);
    if (strict) issued.delete(asked.at(-1)!);
    await new Promise((resolve) => setTimeout(resolve, answerMs));
    if (refused || !known) return { status: 400, body: { error: 'invalid_grant' } };
    const next = ++serial;
    if (strict) issued.add(`refresh-${next}`);
    const rotated = strict ? { refresh_token: `refresh-${next}` } : {};
    return { status: 200, body: { access_token: `access-${next}`, expires_in: 3600, ...rotated } };
  };
  const server = await startMailServer(new Switchboard(), token);
  const config = loadConfig({
    data: folder,
    override: { log: { level: 'silent' }, oauth: { google: { clientId: 'c', tokenUrl: server.url } } },
  });
  const core = await openCore(config, prepareFolder(folder));
  const line = createHttpLine({ clock: core.clock, deadlineMs: 60_000 });
  t.after(async () => {
    await line.close();
    await core.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const traveller = await addTraveller(core.commands, OPERATOR, { name: 'Ada', zone: 'Europe/Berlin', locale: 'en' });
  const { tenant } = traveller;
  const now = core.clock.now();
  const id: MailboxId = sortableId('mbx', now, core.random.bytes(10));
  const context = mailboxSecretContext({ tenant, mailbox: id });
  const stored: StoredCredentials = {
    ...{ kind: 'oauth', user: 'ada@gmail.example', client: 'google' },
    ...{ refreshToken: 'refresh-0', accessToken: 'access-0', expiresAt: Math.trunc(now - 1000) },
  };
  await core.store.transact(async (tx) => {
    await tx.accounts.addMailbox(
      {
        id,
        tenant,
        traveller: traveller.id,
        kind: 'gmail',
        label: 'x',
        address: stored.user,
        state: 'active',
        createdAt: now,
      },
      undefined,
    );
    const sealedCredentials = core.secrets.seal(JSON.stringify(stored), context);
    await tx.watches.add({ ...watchOf(id, traveller.id, now, now), tenant, kind: 'gmail', sealedCredentials });
  });
  const watch = (await core.store.read((tx) => tx.watches.get(tenant, id)))!;
  return {
    core,
    asked,
    account: () => accountOf({ ...core, line }, watch),
    /** What another process does meanwhile: it renews by itself, and knows nothing of what is under way here. */
    renewElsewhere: async (accessToken: string, refreshToken: string) => {
      issued.add(refreshToken);
      const next = { ...stored, accessToken, refreshToken, expiresAt: Math.trunc(core.clock.now() + 3_600_000) };
      const { sealedCredentials } = (await core.store.read((tx) => tx.watches.get(tenant, id)))!;
      const sealed = core.secrets.seal(JSON.stringify(next), context);
      assert.ok(await core.store.transact((tx) => tx.watches.swapCredentials(watch, sealedCredentials, sealed)));
    },
    takeBack: () => {
      refused = true;
    },
    held: async (): Promise<StoredCredentials> => {
      const { sealedCredentials } = (await core.store.read((tx) => tx.watches.get(tenant, id)))!;
      assert.doesNotMatch(sealedCredentials!, /refresh-|access-/);
      return JSON.parse(core.secrets.open(sealedCredentials!, context));
    },
  };
}

test('many sessions that need a token at once make one renewal, and what is given is stored sealed', async (t) => {
  const { account, asked, held } = await rig(t);
  const given = await Promise.all(Array.from({ length: 20 }, () => account().credentials(never)));
  assert.deepEqual(new Set(given.map((one) => one.kind === 'token' && one.accessToken)), new Set(['access-1']));
  assert.deepEqual(asked, ['refresh-0']);
  const stored = await held();
  assert.deepEqual(stored.kind === 'oauth' && [stored.refreshToken, stored.accessToken], ['refresh-1', 'access-1']);
  // Fresh: nobody is asked.
  await account().credentials(never);
  assert.equal(asked.length, 1);
});

test('who gives up waiting takes nobody along, and loses no consent', async (t) => {
  const { account, asked, held } = await rig(t, { answerMs: 300 });
  const hasty = new AbortController();
  const first = account().credentials(hasty.signal);
  const second = account().credentials(never);
  while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  hasty.abort(new Error('session ended'));
  await assert.rejects(first);
  const got = await second;
  assert.equal(got.kind === 'token' && got.accessToken, 'access-1');
  assert.deepEqual(asked, ['refresh-0'], 'a token for renewal was offered once');
  const stored = await held();
  assert.equal(stored.kind === 'oauth' && stored.refreshToken, 'refresh-1');
});

test('another process was faster: its token counts, and no consent is asked for', async (t) => {
  const { account, asked, held, renewElsewhere } = await rig(t, { answerMs: 300 });
  const under = account().credentials(never);
  while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await renewElsewhere('access-elsewhere', 'refresh-elsewhere');
  const got = await under;
  assert.equal(got.kind === 'token' && got.accessToken, 'access-elsewhere');
  const stored = await held();
  assert.equal(stored.kind === 'oauth' && stored.refreshToken, 'refresh-elsewhere');
});

test('a token that was refused is not given again; one that was renewed meanwhile is', async (t) => {
  const { account, asked, renewElsewhere } = await rig(t);
  const first = await account().credentials(never);
  const other = await account().credentials(never, first);
  assert.notDeepEqual(other, first);
  assert.equal(asked.length, 2);
  await renewElsewhere('access-elsewhere', 'refresh-elsewhere');
  const third = await account().credentials(never, other);
  assert.equal(third.kind === 'token' && third.accessToken, 'access-elsewhere');
  assert.equal(asked.length, 2);
});

test('a provider that keeps its token for renewal: it stays; consent that was taken back is said', async (t) => {
  const { account, held, takeBack } = await rig(t, { strict: false });
  const first = await account().credentials(never);
  const stored = await held();
  assert.equal(stored.kind === 'oauth' && stored.refreshToken, 'refresh-0');
  takeBack();
  await assert.rejects(account().credentials(never, first), isNeeded);
  await assert.rejects(account().credentials(never, first), isNeeded);
});
