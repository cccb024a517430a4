import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProviderHttp, type ProviderHttp } from '../../../src/adapters/provider/http/http.ts';
import { answerSchema } from '../../../src/contracts/topics.ts';
import { kindOf, TripwatchError } from '../../../src/domain/errors.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { ProviderConnector, SubjectSpec } from '../../../src/ports/provider.ts';
import { stillClock } from '../store/harness.ts';
import {
  type Behaviour,
  drip,
  huge,
  json,
  reset,
  startVendor,
  text,
  truncated,
  type VendorServer,
} from './vendor-server.ts';

/** What the suite needs to know of a connector: its bodies. The key it is made with is `KEY`. */
export interface ConnectorCase {
  readonly name: string;
  create(options: { url: string; clock: Clock; http: ProviderHttp }): ProviderConnector;
  readonly subject: SubjectSpec;
  /** A good answer about `subject`. */
  readonly good: () => unknown;
  /** The same, with fields and enum values that nobody knows, and everything that changes without meaning anything. */
  readonly noisy: () => unknown;
  /** Like `good`, but cancelled. */
  readonly cancelled: () => unknown;
  /** A good answer about something else. */
  readonly other: () => unknown;
  /** `good` as it stands on a board, among others; of connectors that read boards. */
  readonly onBoard?: (answer: unknown) => unknown;
  readonly absent: { readonly status: number; readonly body: unknown };
  /** What the vendor does besides (hands out tokens), around the behaviour that is tried. */
  readonly around?: (behaviour: Behaviour) => Behaviour;
  /** JSON that is no answer of this vendor. */
  readonly strange: readonly unknown[];
}

export const KEY = 'sk_live_do_not_print_me';
export const NOW = Date.UTC(2026, 11, 1, 6);
/** Far from what a busy machine needs; where the deadline itself is tried, it is short. */
const DEADLINE_MS = 20_000;
const SHORT_MS = 300;

export interface Rig {
  readonly vendor: VendorServer;
  readonly connector: ProviderConnector;
  readonly read: (signal?: AbortSignal) => ReturnType<ProviderConnector['readOne']>;
}

export function providerContract(one: ConnectorCase): void {
  const check = (what: string, run: (rig: Rig) => Promise<void>, deadlineMs = DEADLINE_MS): void => {
    test(`${one.name}: ${what}`, async () => {
      const vendor = await startVendor();
      const clock = stillClock(NOW);
      const http = createProviderHttp({ clock, deadlineMs, bodyBytesMax: 512 * 1024 });
      vendor.around = one.around;
      const connector = one.create({ url: vendor.url, clock, http });
      const read = (signal = new AbortController().signal) => connector.readOne(one.subject, signal);
      try {
        await run({ vendor, connector, read });
      } finally {
        await http.close();
        await vendor.close();
      }
    });
  };
  const fails = async (rig: Rig, kind: string, code: string): Promise<TripwatchError> => {
    const error = await rig.read().then(
      (result) => assert.fail(`answered ${result.kind}, expected ${code}`),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof TripwatchError, String(error));
    assert.equal(`${kindOf(error)} ${error.code}`, `${kind} ${code}`);
    assert.ok(!JSON.stringify([error.message, error.details, String(error.cause)]).includes(KEY), 'no key in an error');
    return error;
  };

  check('a good answer fits the contract, each fact says where it stood', async (rig) => {
    rig.vendor.behave = json(200, one.good());
    const result = await rig.read();
    assert.ok(result.kind === 'found');
    answerSchema.parse(result.answer);
    assert.ok(result.answer.legs.length > 0);
    for (const leg of result.answer.legs) {
      assert.ok(leg.keys.length > 0);
      for (const [path, fact] of Object.entries(leg.facts)) assert.ok(fact.evidence?.where, `${path} has evidence`);
    }
  });

  check('what nobody knows and what means nothing does not change the digest; a cancellation does', async (rig) => {
    const digest = async (body: unknown) => {
      rig.vendor.behave = json(200, body);
      const result = await rig.read();
      assert.ok(result.kind === 'found');
      return result.digest;
    };
    const first = await digest(one.good());
    assert.equal(await digest(one.noisy()), first);
    assert.notEqual(await digest(one.cancelled()), first);
  });

  check('asked with the token of the last answer it says unchanged, or the new answer', async (rig) => {
    const { readIfChanged, capabilities } = rig.connector;
    assert.equal(capabilities.equalityToken ?? false, readIfChanged !== undefined);
    if (readIfChanged === undefined) return;
    const { signal } = new AbortController();
    rig.vendor.behave = json(200, one.good());
    const first = await rig.read();
    assert.ok(first.kind === 'found' && first.token !== undefined);
    assert.deepEqual(await readIfChanged(one.subject, first.token, signal), { kind: 'unchanged' });
    rig.vendor.behave = json(200, one.cancelled());
    const second = await readIfChanged(one.subject, first.token, signal);
    assert.ok(second.kind === 'found' && second.digest !== first.digest);
  });

  check('read with others it gets the answer it gets alone', async (rig) => {
    const { readMany, capabilities } = rig.connector;
    assert.equal(capabilities.readManyMax !== undefined, readMany !== undefined);
    if (readMany === undefined) return;
    rig.vendor.behave = json(200, one.good());
    const alone = await rig.read();
    const [together] = await readMany([one.subject], new AbortController().signal);
    assert.ok(alone.kind === 'found' && together?.kind === 'found');
    assert.equal(together.digest, alone.digest);
  });

  check('one bad answer of a batch harms no other', async (rig) => {
    const { readMany, capabilities } = rig.connector;
    if (readMany === undefined) return;
    assert.ok(capabilities.readManyMax! >= 2);
    rig.vendor.behave = json(200, one.other());
    const [other] = await readMany([one.subject], new AbortController().signal).catch((thrown) => [thrown]);
    // About something else: of this one nothing is known, and it is neither found nor gone.
    assert.ok(['failed', 'unanswered'].includes(other.kind), JSON.stringify(other));
  });

  check('what stands on a board is what it says alone; who does not stand there is not gone', async (rig) => {
    const { board, capabilities } = rig.connector;
    assert.equal(capabilities.board !== undefined, board !== undefined);
    if (board === undefined) return;
    assert.ok(one.onBoard, 'the case says what a board looks like');
    const { signal } = new AbortController();
    const key = board.keyOf(one.subject);
    assert.ok(key !== undefined && board.keyOf({ ...one.subject, id: 'other' }) === key);
    rig.vendor.behave = json(200, one.good());
    const alone = await rig.read();
    const on = async (answer: unknown) => {
      rig.vendor.behave = json(200, one.onBoard!(answer));
      return (await board.read(key, [one.subject, { ...one.subject }], signal)).map((result) => result);
    };
    const [first, again] = await on(one.good());
    assert.ok(alone.kind === 'found' && first?.kind === 'found' && again?.kind === 'found');
    assert.equal(first.digest, alone.digest);
    assert.deepEqual(
      (await on(one.other())).map(({ kind }) => kind),
      ['unanswered', 'unanswered'],
    );
    rig.vendor.behave = json(200, one.strange[0]);
    await assert.rejects(board.read(key, [one.subject], signal), { code: 'provider-answered-unreadable' });
    rig.vendor.behave = json(429, {}, { 'retry-after': '17' });
    await assert.rejects(board.read(key, [one.subject], signal), {
      code: 'provider-rate-limited',
      retryAt: NOW + 17_000,
    });
  });

  check('what the vendor says of its limits is told, with an answer and with a refusal', async (rig) => {
    const { limitsSaid } = rig.connector;
    if (limitsSaid === undefined) return;
    assert.equal(limitsSaid(), undefined);
    const fields = { 'ratelimit-policy': '"all";q=60;w=60', 'ratelimit-remaining': '7', 'ratelimit-reset': '30' };
    rig.vendor.behave = json(200, one.good(), fields);
    await rig.read();
    assert.deepEqual(limitsSaid(), { limits: [{ max: 60, perSeconds: 60 }], left: 7, resetAt: NOW + 30_000 });
    rig.vendor.behave = json(429, {}, { 'ratelimit-remaining': '0', 'ratelimit-reset': '5' });
    await fails(rig, 'rate-limited', 'provider-rate-limited');
    assert.deepEqual(limitsSaid(), { limits: [], left: 0, resetAt: NOW + 5000 });
    rig.vendor.behave = json(200, one.good());
    await rig.read();
    assert.equal(limitsSaid(), undefined, 'what was said before is not said again');
  });

  check('"not found" is knowledge, not an error and not a cancellation', async (rig) => {
    rig.vendor.behave = (_request, response) => {
      response.writeHead(one.absent.status, { 'content-type': 'application/json' });
      response.end(one.absent.status === 204 ? undefined : JSON.stringify(one.absent.body));
    };
    assert.deepEqual(await rig.read(), { kind: 'absent' });
  });

  check('an answer about something else is never an answer', async (rig) => {
    rig.vendor.behave = json(200, one.other());
    await fails(rig, 'permanent', 'provider-answered-other');
  });

  check('a refused key', async (rig) => {
    for (const status of [401, 403]) {
      rig.vendor.behave = json(status, { message: `bad key ${KEY}` });
      await fails(rig, 'unauthorised', 'provider-unauthorised');
    }
  });

  check('a limit: by seconds, by a date on the clock of the server, without a hint, absurd', async (rig) => {
    const retryAt = async (headers: Record<string, string>) => {
      rig.vendor.behave = json(429, { message: 'slow down' }, headers);
      return (await fails(rig, 'rate-limited', 'provider-rate-limited')).retryAt;
    };
    assert.equal(await retryAt({ 'retry-after': '17' }), NOW + 17_000);
    const server = NOW - 5 * 3_600_000;
    const dates = { date: new Date(server).toUTCString(), 'ratelimit-reset': new Date(server + 40_000).toUTCString() };
    assert.equal(await retryAt(dates), NOW + 40_000);
    assert.equal(await retryAt({}), undefined);
    assert.equal(await retryAt({ 'retry-after': '999999999' }), NOW + 6 * 3_600_000);
    assert.equal(await retryAt({ 'retry-after': '0' }), NOW + 1000);
  });

  check('trouble on the other side comes again: 5xx, a redirect, a cut line, a half body', async (rig) => {
    for (const status of [500, 502, 503, 504, 302]) {
      rig.vendor.behave = json(status, { message: 'oops' }, { location: 'https://elsewhere.example/' });
      await fails(rig, 'transient', 'provider-failed');
    }
    rig.vendor.behave = reset;
    await fails(rig, 'transient', 'provider-unreachable');
    rig.vendor.behave = truncated(one.good());
    await fails(rig, 'transient', 'provider-unreachable');
  });

  check('a question that is refused as asked', async (rig) => {
    rig.vendor.behave = json(400, { message: 'no' });
    await fails(rig, 'permanent', 'provider-refused');
  });

  check('a web page with status 200, by its type or by its first word', async (rig) => {
    rig.vendor.behave = text(200, 'text/html; charset=utf-8', '<html>Just a moment…</html>');
    await fails(rig, 'transient', 'provider-answered-html');
    rig.vendor.behave = text(200, 'application/json', '\n<!DOCTYPE html><html></html>');
    await fails(rig, 'transient', 'provider-answered-html');
  });

  check('what is no JSON, and JSON of another form', async (rig) => {
    rig.vendor.behave = text(200, 'application/json', '{"data": {"id": "or');
    await fails(rig, 'transient', 'provider-answered-garbage');
    rig.vendor.behave = text(200, 'application/json', '');
    await fails(rig, 'transient', 'provider-answered-garbage');
    for (const body of one.strange) {
      rig.vendor.behave = json(200, body);
      await fails(rig, 'transient', 'provider-answered-unreadable');
    }
  });

  check('an endless body is cut', async (rig) => {
    rig.vendor.behave = huge;
    await fails(rig, 'transient', 'provider-answer-too-large');
  });

  const slow = async (rig: Rig): Promise<void> => {
    rig.vendor.behave = drip;
    await fails(rig, 'transient', 'provider-timeout');
    rig.vendor.behave = () => {};
    await fails(rig, 'transient', 'provider-timeout');
    for (let i = 0; i < 50 && (await rig.vendor.openSockets()) > 0; i++) await new Promise(setImmediate);
    assert.ok((await rig.vendor.openSockets()) <= 1);
  };
  check('a slow drip ends at the deadline, and the line is closed', slow, SHORT_MS);

  check('called off: at once, and as that', async (rig) => {
    rig.vendor.behave = () => {};
    const calling = new AbortController();
    const reading = rig.read(calling.signal);
    calling.abort();
    await assert.rejects(reading, (error) => kindOf(error) === 'cancelled');
  });

  check('nobody listens', async (rig) => {
    await rig.vendor.close();
    await fails(rig, 'transient', 'provider-unreachable');
  });
}
