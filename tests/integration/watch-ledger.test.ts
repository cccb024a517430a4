import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { silentLogger } from '../../src/adapters/logger/pino.ts';
import type { ModelMailServer } from '../../src/adapters/mailbox/model/server.ts';
import { pushOf } from '../../src/adapters/mailbox/model/subscriptions.ts';
import { TripwatchError } from '../../src/domain/errors.ts';
import type { MailboxId } from '../../src/domain/ids.ts';
import { createMailboxPushDesk } from '../../src/stages/watch/push.ts';
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

/**
 * The provider's side where it calls us: a mail that came is told of twice or later at times, subscriptions end with a
 * word or without, and strangers call too. What the server told nobody of is in its `pushesLost`.
 */
class Caller {
  readonly counts = { duplicates: 0, late: 0, forgeries: 0, expiries: 0 };
  /** Where the line leads; it changes when a process dies. */
  process: WatchProcess;
  readonly #rig: WatchRig;
  readonly #waiting: { readonly at: number; readonly body: Uint8Array }[] = [];

  constructor(rig: WatchRig, process: WatchProcess) {
    this.#rig = rig;
    this.process = process;
    for (const [mailbox, server] of rig.servers)
      server.listening(() => {
        for (const body of rig.subscriptions!.notices(mailbox as MailboxId)) this.#told(body);
      });
  }

  /** Between two mails; one thing of each kind at most. */
  async step(server: ModelMailServer): Promise<void> {
    const { random, servers, clock } = this.#rig;
    const subscriptions = this.#rig.subscriptions!;
    const mailbox = [...servers].find(([, one]) => one === server)![0] as MailboxId;
    for (const { at, body } of this.#waiting.splice(0))
      if (at > clock.now()) this.#waiting.push({ at, body });
      else await this.#send(body, false);
    if (random.number() < 0.7) {
      this.counts.forgeries++;
      await this.#send(subscriptions.forged(mailbox), true);
    }
    if (random.number() < 0.6) {
      if (random.number() < 0.5) this.counts.expiries += subscriptions.lapse(mailbox);
      else
        for (const body of subscriptions.end(mailbox, 'subscriptionRemoved')) {
          this.counts.expiries++;
          await this.#send(body, false);
        }
    }
  }

  #told(body: Uint8Array): void {
    const { random, clock } = this.#rig;
    const times = 1 + Math.floor(random.number() * 4);
    this.counts.duplicates += times - 1;
    for (let n = 0; n < times; n++) {
      const late = random.number() < 0.3;
      if (late) this.counts.late++;
      this.#waiting.push({ at: clock.now() + (late ? random.number() * 10 * MINUTE : 0), body });
    }
  }

  /** Through the desk of a process, with the verification that Graph's notices have. */
  async #send(body: Uint8Array, forged: boolean): Promise<void> {
    const { connector, clock } = this.#rig;
    const desk = createMailboxPushDesk({
      ...{ connectors: [connector], watcher: this.process.watcher, logger: silentLogger },
    });
    const verdict = await desk('imap', pushOf(body, clock.now()));
    assert.equal(verdict?.kind, forged ? 'refused' : 'hint');
  }
}

for (const [seed, push] of [
  [11, 'live'],
  [13, 'none'],
  [17, 'request'],
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
      pushLoss: push === 'request' ? 0.5 : 0.9,
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
    const caller = push === 'request' ? new Caller(rig, process) : undefined;
    rig.storeFaults = 0.02;
    const old: WatchProcess[] = [];
    const servers = [...rig.servers.values()];
    const delivered: { readonly mailbox: string; readonly digest: string }[] = [];
    const counts = { resets: 0, deaths: 0, repeats: 0, removed: 0 };
    let steps = 0;
    let number = 0;
    const lost = (): number => servers.reduce((sum, server) => sum + server.pushesLost, 0);
    await rig.until(async () => (await rig.watch('three')).liveCursor !== undefined);
    const enough = (): boolean => {
      if (push !== 'request') return push === 'live' ? lost() >= 1000 : number >= 600;
      const { duplicates, forgeries, expiries } = caller!.counts;
      return lost() >= 300 && duplicates >= 250 && forgeries >= 250 && expiries >= 100 && counts.resets >= 100;
    };
    while (!enough()) {
      steps++;
      const at = Math.floor(rig.random.number() * NAMES.length);
      const server = servers[at]!;
      for (let n = 1 + Math.floor(rig.random.number() * (push === 'request' ? 2 : 4)); n > 0; n--) {
        const bytes = letter(++number, chance(0.3) ? 'travel' : 'other', 'x'.repeat(number % 50));
        server.deliver(bytes, rig.clock.now());
        delivered.push({ mailbox: `mbx_${NAMES[at]}`, digest: digestOf(bytes) });
        if (chance(0.1)) {
          server.deliver(bytes, rig.clock.now());
          counts.repeats++;
        }
      }
      if (chance(push === 'request' && counts.resets < 100 ? 0.3 : 0.03)) {
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
        if (caller !== undefined) caller.process = process;
      }
      await caller?.step(server);
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
    for (const mailbox of rig.servers.keys())
      if (rig.subscriptions !== undefined)
        assert.ok(
          await rig.until(() => rig.subscriptions!.lives(mailbox as MailboxId), 15 * MINUTE, 5000),
          `${mailbox} is subscribed to again`,
        );
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
      JSON.stringify({
        ...{ mails: number, lost: lost(), ...caller?.counts, ...counts, hung },
        ...{ receipts: receipts.length, read: reads.length },
      }),
    );
    await process.stop();
  });
