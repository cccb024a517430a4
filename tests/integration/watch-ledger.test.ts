import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { TripwatchError } from '../../src/domain/errors.ts';
import { headBlock, letter, settle, type WatchProcess, WatchRig } from './watch.testing.ts';

const MINUTE = 60_000;
const NAMES = ['one', 'two', 'three'];
const digestOf = (bytes: Uint8Array): string => hash('sha256', headBlock(bytes), 'hex');

/**
 * The ledger (I9): every mail that a cursor has passed has exactly one receipt. What the cursor of the model says, held
 * against what lies at the server.
 */
async function passedWithoutReceipt(rig: WatchRig, begun: ReadonlyMap<string, string>): Promise<string[]> {
  const known = new Set((await rig.receipts()).map((receipt) => `${receipt.mailbox} ${receipt.headDigest}`));
  const missing: string[] = [];
  for (const name of NAMES) {
    const { liveCursor } = await rig.watch(name);
    if (liveCursor === undefined) continue;
    const { validity, uid } = JSON.parse(liveCursor).INBOX as { validity: number; uid: number };
    const folder = rig.servers.get(`mbx_${name}`)!.folder('INBOX');
    if (folder.validity !== validity) continue;
    for (const mail of folder.mails)
      if (mail.uid <= uid && !known.has(`mbx_${name} ${digestOf(mail.bytes)}`) && !begun.has(digestOf(mail.bytes)))
        missing.push(`${name}: ${mail.uid}`);
  }
  return missing;
}

for (const [seed, push] of [
  [11, 'live'],
  [13, 'none'],
] as const)
  test(`every mail has one receipt, whatever is lost, repeated, reset or killed (seed ${seed}, push ${push})`, async (t) => {
    const rig = new WatchRig({ seed, push });
    t.after(() => rig.store.close());
    const chance = (p: number): boolean => rig.random.number() < p;
    let healed = false;
    let hung = 0;
    const options = {
      repeats: 0.2,
      shortPages: 0.3,
      pushLoss: 0.9,
      before: async (what: string, signal: AbortSignal) => {
        if (healed) return;
        if (chance(0.02)) throw new TripwatchError('transient', 'mailbox-closed', 'lost');
        if (chance(0.01))
          throw new TripwatchError('rate-limited', 'mailbox-limited', 'later', { retryAt: rig.clock.now() + 20_000 });
        if (what !== 'fetch' && chance(0.005)) {
          hung++;
          await rig.clock.sleep(10 * MINUTE, signal);
        }
      },
    };
    for (const name of NAMES) await rig.connect(name, options);
    let process: WatchProcess = await rig.begin();
    rig.storeFaults = 0.02;
    const old: WatchProcess[] = [];
    const servers = [...rig.servers.values()];
    const delivered: { readonly mailbox: string; readonly digest: string }[] = [];
    const counts = { resets: 0, deaths: 0, repeats: 0, removed: 0 };
    let steps = 0;
    let number = 0;
    const lost = (): number => servers.reduce((sum, server) => sum + server.pushesLost, 0);
    await rig.until(async () => (await rig.watch('three')).liveCursor !== undefined);
    while (push === 'live' ? lost() < 1000 : number < 600) {
      steps++;
      const at = Math.floor(rig.random.number() * NAMES.length);
      const server = servers[at]!;
      for (let n = 1 + Math.floor(rig.random.number() * 4); n > 0; n--) {
        const bytes = letter(++number, chance(0.3) ? 'travel' : 'other', 'x'.repeat(number % 50));
        server.deliver(bytes, rig.clock.now());
        delivered.push({ mailbox: `mbx_${NAMES[at]}`, digest: digestOf(bytes) });
        if (chance(0.1)) {
          server.deliver(bytes, rig.clock.now());
          counts.repeats++;
        }
      }
      if (chance(0.03)) {
        server.renumber();
        counts.resets++;
      }
      if (chance(0.05)) server.drop();
      if (chance(0.05)) {
        const folder = server.folder('INBOX');
        const gone = folder.mails[Math.floor(rig.random.number() * folder.mails.length)];
        server.remove((mail) => mail === gone);
        counts.removed++;
      }
      if (process.state.dead || chance(0.04)) {
        // The old one does not know that it is dead, and goes on for a while.
        counts.deaths++;
        old.push(process);
        process = await rig.begin();
        if (old.length > 1) await old.shift()!.stop();
      }
      await rig.clock.advance(rig.random.number() * MINUTE);
      if (chance(0.3)) await rig.collect(process);
      if (steps % 25 === 0) assert.deepEqual(await passedWithoutReceipt(rig, new Map()), []);
    }
    healed = true;
    rig.storeFaults = 0;
    if (process.state.dead) {
      old.push(process);
      process = await rig.begin();
    }
    for (const one of old) await one.stop();
    await rig.until(
      async () => {
        await rig.collect(process);
        const there = (await rig.receipts()).map(({ mailbox, headDigest }) => `${mailbox} ${headDigest}`);
        const known = new Set(there);
        const all = NAMES.every((name) =>
          rig.servers
            .get(`mbx_${name}`)!
            .folder('INBOX')
            .mails.every((mail) => known.has(`mbx_${name} ${digestOf(mail.bytes)}`)),
        );
        return all && (await rig.receipts()).every(({ disposition }) => disposition !== 'seen');
      },
      15 * MINUTE,
      5000,
    );
    await settle();
    const receipts = await rig.receipts();
    const keys = receipts.map(({ mailbox, headDigest }) => `${mailbox} ${headDigest}`);
    assert.equal(new Set(keys).size, keys.length, 'one receipt a mail');
    assert.deepEqual(await passedWithoutReceipt(rig, new Map()), []);
    const sent = new Set(delivered.map(({ mailbox, digest }) => `${mailbox} ${digest}`));
    for (const key of keys) assert.ok(sent.has(key), 'no receipt without a mail');
    const missing = [...sent].filter((key) => !keys.includes(key));
    assert.ok(missing.length <= counts.removed, `${missing.length} without receipt, ${counts.removed} removed`);
    for (const name of NAMES) {
      const byDisposition = await rig.store.read((tx) => tx.mails.countOf('tnt_default', `mbx_${name}`));
      const sum = Object.values(byDisposition).reduce((a, b) => a + b, 0);
      assert.equal((await rig.watch(name)).seen, sum, 'seen = receipts');
      assert.equal(byDisposition.seen, 0, 'all are decided');
    }
    const reads = receipts.filter(({ disposition }) => disposition === 'collected');
    for (const receipt of receipts) {
      const travel = receipt.subject.startsWith('Your booking');
      const allowed = travel ? ['collected', 'vanished'] : ['skipped'];
      assert.ok(allowed.includes(receipt.disposition), `${receipt.subject}: ${receipt.disposition}`);
      assert.equal(receipt.raw !== undefined, receipt.disposition === 'collected', 'fetched only when read');
    }
    const collected = await rig.store.read(({ db }) =>
      db.selectFrom('log').select('subject').where('topic', '=', 'mail.collected').execute(),
    );
    assert.equal(new Set(collected.map(({ subject }) => subject)).size, collected.length, 'collected once each');
    assert.equal(collected.length, reads.length);
    t.diagnostic(
      JSON.stringify({ mails: number, lost: lost(), ...counts, hung, receipts: receipts.length, read: reads.length }),
    );
    await process.stop();
  });
