import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchFreshness } from './freshness.ts';

test('one provider down, three at their limits: every change is published within five minutes, pushed ones at once', async () => {
  const figures = await benchFreshness(20, 1);
  for (const { account, published, p99, refused } of figures) {
    if (account.startsWith('down')) continue;
    assert.ok(published > 5, `${account} published ${published}`);
    assert.ok(p99 <= (account.startsWith('pushed') ? 2 : 300), `${account}: ${p99} s`);
    assert.ok(refused <= 0.01, `${account}: ${refused} refused`);
  }
});
