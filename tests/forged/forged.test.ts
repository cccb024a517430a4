import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthenticity } from '../../src/adapters/authenticity/check.ts';
import { extractDocument } from '../../src/domain/extract/document.ts';
import { toObservations } from '../../src/domain/extract/observations.ts';
import type { Observation } from '../../src/domain/observation.ts';
import { type Group, join } from '../../src/domain/reconcile/join.ts';
import type { Verdict } from '../../src/domain/trust/verdict.ts';
import { AIR, type Case, casesOf, DATE, FORGERIES, GENUINE, INN, makeWorld, NOW } from './corpus.ts';
import { compose, signed } from './mails.ts';

const world = makeWorld();
const authenticity = createAuthenticity({ dns: { lookup: world.dns.lookup } });
const signal = new AbortController().signal;

async function look({ mail }: Pick<Case, 'mail'>, at = NOW): Promise<Verdict> {
  const { verdict } = await authenticity.check({ live: true, receivedAt: at, ...mail }, signal);
  return verdict;
}

/** What the stages collect and extract make of a mail. */
function observe(bytes: Uint8Array, verdict: Verdict, ref: string, at = NOW): readonly Observation[] {
  if (verdict.level === 'forged') return [];
  const receivedAt = new Date(at).toISOString();
  const { claims } = extractDocument({ bytes, receivedAt });
  const origin = {
    tenant: 'tnt_a',
    traveller: 'trv_a',
    ref,
    label: 'a mail',
    receivedAt,
    authority: 'mail',
    verdict,
  } as const;
  return toObservations(claims, origin);
}

async function standing(): Promise<readonly Observation[]> {
  const earlier = 'Tue, 10 Nov 2026 08:00:00 +0000';
  const at = Date.parse('2026-11-10T08:00:05Z');
  const mails = [
    await signed(compose({ from: 'Lufthansa <a@lufthansa.com>', date: earlier, booking: AIR }), [world.air], {
      signedAt: '2026-11-10T08:00:00Z',
    }),
    await signed(compose({ from: 'b@pension-seeblick.net', date: earlier, booking: INN }), [world.inn], {
      signedAt: '2026-11-10T08:00:00Z',
    }),
  ];
  const all: Observation[] = [];
  for (const bytes of mails) {
    const verdict = await look({ mail: { bytes } }, at);
    assert.equal(verdict.level, 'authentic', verdict.sentence);
    all.push(...observe(bytes, verdict, `mail_${all.length}`, at));
  }
  return all;
}

function values(groups: readonly Group[]): unknown {
  const plain = (fields: Group['fields']) =>
    Object.fromEntries(Object.entries(fields).map(([path, { value }]) => [path, value]));
  return groups.map((group) => [
    group.bookingKeys,
    plain(group.fields),
    group.legs.map((leg) => [leg.keys, plain(leg.fields)]),
  ]);
}

test('forged mails change no confirmed booking, alone and all together', async (t) => {
  const before = await standing();
  const state = values(join(before));
  assert.equal(join(before).length, 2);
  const cases = await casesOf(FORGERIES, world);
  assert.ok(cases.length >= 150, `${cases.length} forged mails`);
  const levels: Record<string, number> = {};
  const all: Observation[] = [];
  for (const [index, one] of cases.entries()) {
    const verdict = await look(one);
    levels[verdict.level] = (levels[verdict.level] ?? 0) + 1;
    const said = observe(one.mail.bytes, verdict, `mail_f${index}`);
    assert.deepEqual(values(join([...before, ...said])), state, `${one.name}: ${verdict.level} ${verdict.flags}`);
    all.push(...said);
  }
  const together = join([...all, ...before]);
  assert.deepEqual(values(together), state);
  assert.ok(
    together.every(
      (group) =>
        (group.unproven?.length ?? 0) > 0 || Object.values(group.fields).some((field) => field.beside !== undefined),
    ),
    'questions stand beside',
  );
  t.diagnostic(`${cases.length} forged mails: ${JSON.stringify(levels)}`);
});

test('genuine mails pass and do what they say', async (t) => {
  const before = await standing();
  const state = values(join(before));
  const cases = await casesOf(GENUINE, world);
  assert.ok(cases.length >= 60, `${cases.length} genuine mails`);
  for (const [index, one] of cases.entries()) {
    const verdict = await look(one);
    const shown = verdict.attached ?? verdict;
    assert.equal(shown.level, 'authentic', `${one.name}: ${shown.sentence} ${shown.flags}`);
    const said = observe(one.mail.bytes, verdict, `mail_g${index}`);
    assert.ok(
      said.every((each) => each.authority === 'mail-proven'),
      one.name,
    );
    const after = join([...before, ...said]);
    assert.equal(after.length, 2, one.name);
    assert.notDeepEqual(values(after), state, one.name);
    assert.ok(
      after.every((group) => group.unproven === undefined),
      one.name,
    );
  }
  t.diagnostic(`${cases.length} genuine mails`);
});

test('what cannot be asked is unproven and may be asked again; the DNS is left alone while it is away', async () => {
  let asked = 0;
  const away = createAuthenticity({
    dns: {
      lookup: async () => {
        asked++;
        throw Object.assign(new Error('away'), { code: 'ETIMEOUT' });
      },
    },
  });
  for (let n = 0; n < 20; n++) {
    const mail = compose({ from: `a@sender${n}.com`, date: DATE, booking: AIR });
    const bytes = await signed(mail, [{ ...world.air, domain: `sender${n}.com` }]);
    const { verdict, transient } = await away.check({ bytes, live: true, receivedAt: NOW }, signal);
    assert.deepEqual([verdict.level, transient], ['unproven', true]);
  }
  assert.ok(asked <= 6, `${asked} questions`);
});

test('equal questions are asked once', async () => {
  const one = await casesOf({ 'signed by its domain': GENUINE['signed by its domain']! }, world);
  await look(one[0]!);
  const before = world.dns.asked;
  for (let n = 0; n < 10; n++) await look(one[0]!);
  assert.equal(world.dns.asked, before);
});

test('hostile bytes are unproven, whatever they are', async () => {
  const many = `DKIM-Signature: v=1; a=rsa-sha256; d=a.com; s=b; h=from; bh=x; b=y\r\n`.repeat(500);
  const hostile = ['', '\r\n', 'From', 'From:', `${many}From: a@a.com\r\n\r\nx`, `X: ${'y'.repeat(400_000)}\r\n\r\n`];
  for (const text of hostile) {
    const verdict = await look({ mail: { bytes: Buffer.from(text) } });
    assert.equal(verdict.level, 'unproven');
  }
});
