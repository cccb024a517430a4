/**
 * Child of durability.sqlite.test.ts: writes from many callers at once and says on stdout what was acknowledged, until it
 * is killed. Arguments: file, first number.
 */
import { writeSync } from 'node:fs';
import { openSqliteStore } from '../../../src/adapters/store/sqlite/store.ts';
import { eventId, newEvent, origin, quiet, stillClock } from './harness.ts';

const [file = '', first = '0'] = process.argv.slice(2);
const store = openSqliteStore({ file, clock: stillClock(), logger: quiet });
let next = Number(first);
const caller = async () => {
  for (;;) {
    const n = next++;
    await store.transact(async (tx) => {
      await tx.log.claim('writer', eventId(`n${n}`), n);
      await tx.append([newEvent(`n${n}`)], origin(`n${n}`));
    });
    writeSync(1, `${n}\n`);
  }
};
await Promise.all(Array.from({ length: 16 }, caller));
