import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiDeps } from '../../src/api/deps.ts';
import { routeTable } from '../../src/api/routes.ts';

/** What probes and balancers ask: whether a process can do its work, answered before they lose patience. */
const ready = routeTable(() => assert.fail('not asked for')).find(({ path }) => path === '/readyz')!;
const ask = (status: () => Promise<unknown>, read: () => Promise<unknown>) =>
  ready.handle({ deps: { status, store: { read } } as unknown as ApiDeps } as never);
const isReady = async () => ({ ready: true });

test('ready means that the store answers, in every role', async () => {
  assert.deepEqual(await ask(isReady, async () => undefined), { ready: true });
  const lost = async () => Promise.reject(new Error('connect ECONNREFUSED db.internal:5432'));
  await assert.rejects(ask(isReady, lost), (error: Error) => {
    assert.match(error.message, /the store does not answer/);
    assert.ok(!error.message.includes('db.internal'), 'anyone may ask, so it names no server');
    return true;
  });
  await assert.rejects(
    ask(
      async () => ({ ready: false, notReady: 'stopping' }),
      async () => undefined,
    ),
    /stopping/,
  );
});

test('a store that hangs is not ready within the three seconds of a probe', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const asked = assert.rejects(
    ask(isReady, () => new Promise(() => {})),
    /the store does not answer/,
  );
  t.mock.timers.tick(2999);
  await asked;
});
