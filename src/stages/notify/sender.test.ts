import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../../tests/contract/broker/manual-clock.ts';
import { silent } from '../../../tests/contract/broker/rig.ts';
import type { Notification } from '../../ports/store/notifications.ts';
import { createSender, type SenderDeps } from './sender.ts';

test('what falls due while the sender looks is sent at once, not a whole pause later', async () => {
  const clock = new ManualClock(1_000_000);
  const dueAt = clock.now() + 5;
  const looks: number[] = [];
  const notifications = {
    nextDueAt: async () => {
      looks.push(clock.now());
      // The answer takes its time, and the moment passes.
      if (looks.length === 1) await clock.sleep(20, new AbortController().signal);
      return dueAt;
    },
    due: async (): Promise<readonly Notification[]> => [],
  };
  const store = { read: (work: (tx: object) => unknown) => work({ notifications }) };
  const deps = { store, clock, random: {}, secrets: {}, post: {}, logger: silent };
  const sender = createSender(deps as unknown as SenderDeps);
  sender.start();
  await clock.advance(20);
  await clock.advance(0);
  assert.deepEqual(looks, [1_000_000, 1_000_020]);
  await sender.stop();
});
