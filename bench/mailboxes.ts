/**
 * Connected mailboxes through the whole pipeline: a service in a process of its own reads Debian's Dovecot on this machine
 * by IMAP. Stored means: its change was heard on the SSE stream, which comes after the store, so it is an upper bound.
 *
 *   npm run bench -- mailboxes latency [--mails 500]      the server's notice → stored; acceptance by LMTP → notice beside
 *   npm run bench -- mailboxes backlog [--mails 10000]    mails per second, memory, and live mail meanwhile
 *   npm run bench -- mailboxes idle [--mailboxes 2000] [--tls]   memory of a mailbox that the watcher listens to
 *   npm run bench -- mailboxes share [--mails 10000]      bytes fetched of a mailbox with 3 % travel mails
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { idle } from './mailboxes/idle.ts';
import { mixedMail, referenceOf, travelMail } from './mailboxes/mails.ts';
import { type ConnectedBox, type MailboxRig, type Passage, pass, startMailboxRig, usageOf } from './mailboxes/rig.ts';
import { spread } from './service/process.ts';

type Spread = ReturnType<typeof spread>;

/** Numbers of live mails begin here, so that none is that of an older one. */
const LIVE_FROM = 500_000;
/** Mailboxes that get live mails side by side. */
const LIVE_BOXES = 4;
const TRAVEL_EVERY = 33;

export interface NoticeLatency {
  readonly mails: number;
  /** ms; mails that a look had found before the notice came are not in it. */
  readonly noticeToStored: Spread;
  readonly acceptedToNotice: Spread;
}

export async function noticeLatency(mails: number): Promise<NoticeLatency> {
  const rig = await startMailboxRig(LIVE_BOXES);
  try {
    const boxes = await liveBoxes(rig);
    const each = Math.ceil(mails / boxes.length);
    const next = counter();
    // Code is warm, and pools are filled, after some.
    await rows(rig, boxes, Math.min(5, each), next);
    const passages = await rows(rig, boxes, each, next);
    return { mails: passages.length, ...latencies(passages) };
  } finally {
    await rig.close();
  }
}

export interface Backlog {
  readonly mails: number;
  /** From connecting the mailbox until the last of its mails is decided, read and stored. */
  readonly seconds: number;
  readonly mailsPerSecond: number;
  /** Of the service, which has other mailboxes too. */
  readonly rssMibMax: number;
  readonly cpuSeconds: number;
  readonly imported: number;
  /** Of live mails in the mailbox that is being read, ms. */
  readonly liveInIt: Spread;
  /** Of those in other mailboxes, before and meanwhile. */
  readonly othersBefore: Spread;
  readonly othersMeanwhile: Spread;
  /** Of their medians. */
  readonly slowed: number;
}

/** All ms here are from acceptance by LMTP to stored: with the half second that Dovecot takes to tell. */
export async function backlog(mails: number, travelEvery = TRAVEL_EVERY): Promise<Backlog> {
  const rig = await startMailboxRig(LIVE_BOXES + 1);
  try {
    const [full, ...others] = rig.dovecot.users;
    const now = Date.now();
    for (let n = 0; n < mails; n++)
      rig.dovecot.drop(full!, mixedMail(n, travelEvery), { receivedAt: now - (mails - n) * 1000 });
    // Numbered now, in the order they came: a mail that came into a folder never seen before might get the first number.
    await rig.dovecot.doveadm('index', '-u', full!, 'INBOX');
    const boxes = await liveBoxes(rig, others);
    const next = counter();
    await rows(rig, boxes, 3, next);
    const before = await rows(rig, boxes, mails < 1000 ? 2 : 15, next);
    const cpuBefore = usageOf(rig.service.pid).cpuSeconds;
    const began = performance.now();
    const box = await rig.connect(full!, true);
    const done = new AbortController();
    let seconds = 0;
    const settled = box.settled(3_600_000).then(() => {
      seconds = (performance.now() - began) / 1000;
      done.abort();
    });
    const [inIt, meanwhile] = await Promise.all([
      until(done.signal, () => rows(rig, [box], 1, next)),
      until(done.signal, () => rows(rig, boxes, 1, next)),
      settled,
    ]);
    const { mails: counts } = await box.view();
    const { rssMibMax, cpuSeconds } = usageOf(rig.service.pid);
    const took = (passages: readonly Passage[]) => spread(passages.map((one) => one.storedAt - one.deliveredAt));
    const othersBefore = took(before);
    const othersMeanwhile = took(meanwhile);
    return {
      mails,
      seconds: Math.round(seconds * 10) / 10,
      mailsPerSecond: Math.round(mails / seconds),
      rssMibMax,
      cpuSeconds: Math.round((cpuSeconds - cpuBefore) * 10) / 10,
      imported: counts?.imported ?? 0,
      liveInIt: took(inIt),
      othersBefore,
      othersMeanwhile,
      slowed: Math.round((othersMeanwhile.p50 / othersBefore.p50 - 1) * 100) / 100,
    };
  } finally {
    await rig.close();
  }
}

export interface Share {
  readonly mails: number;
  readonly imported: number;
  /** All that the server sent over its connections, of what the mailbox holds. */
  readonly fetched: number;
}

export async function share(mails: number): Promise<Share> {
  const rig = await startMailboxRig(1);
  try {
    const user = rig.dovecot.users[0]!;
    let bytes = 0;
    const now = Date.now();
    for (let n = 0; n < mails; n++) {
      const mail = mixedMail(n, TRAVEL_EVERY);
      bytes += mail.byteLength;
      rig.dovecot.drop(user, mail, { receivedAt: now - (mails - n) * 1000 });
    }
    const box = await rig.connect(user, true);
    await box.settled(3_600_000);
    const { mails: counts } = await box.view();
    return {
      mails: counts?.seen ?? 0,
      imported: counts?.imported ?? 0,
      fetched: Math.round((box.proxy.passed.down / bytes) * 1000) / 1000,
    };
  } finally {
    await rig.close();
  }
}

async function liveBoxes(rig: MailboxRig, users = rig.dovecot.users): Promise<readonly ConnectedBox[]> {
  const boxes = await Promise.all(users.map((user) => rig.connect(user, false)));
  await Promise.all(boxes.map((box) => box.settled()));
  return boxes;
}

/** So many mails for each mailbox, one after the other in it, all mailboxes side by side. */
async function rows(
  rig: MailboxRig,
  boxes: readonly ConnectedBox[],
  each: number,
  next: () => number,
): Promise<readonly Passage[]> {
  const all = await Promise.all(
    boxes.map(async (box) => {
      const passages: Passage[] = [];
      for (let i = 0; i < each; i++) {
        // The server is listened to again by then.
        await delay(60);
        const n = next();
        passages.push(await pass(rig, box, { bytes: travelMail(n), reference: referenceOf(n) }));
      }
      return passages;
    }),
  );
  return all.flat();
}

async function until(signal: AbortSignal, round: () => Promise<readonly Passage[]>): Promise<readonly Passage[]> {
  const all: Passage[] = [];
  do all.push(...(await round()));
  while (!signal.aborted);
  return all;
}

function latencies(passages: readonly Passage[]): Pick<NoticeLatency, 'noticeToStored' | 'acceptedToNotice'> {
  const told = passages.filter((one) => one.storedAt >= one.noticedAt);
  return {
    noticeToStored: spread(told.map((one) => one.storedAt - one.noticedAt)),
    acceptedToNotice: spread(told.map((one) => one.noticedAt - one.deliveredAt)),
  };
}

function counter(): () => number {
  let n = LIVE_FROM;
  return () => n++;
}

if (import.meta.main) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { mails: { type: 'string' }, mailboxes: { type: 'string' }, tls: { type: 'boolean', default: false } },
  });
  const count = (name: 'mails' | 'mailboxes', normal: number): number => Number(values[name] ?? normal);
  const benches: Readonly<Record<string, () => Promise<unknown>>> = {
    latency: () => noticeLatency(count('mails', 500)),
    backlog: () => backlog(count('mails', 10_000)),
    idle: () => idle(count('mailboxes', values.tls ? 1000 : 2000), values.tls ? 'tls' : 'plain'),
    share: () => share(count('mails', 10_000)),
  };
  const bench = benches[positionals[0] ?? ''];
  if (bench === undefined) throw new Error(`Say which: ${Object.keys(benches).join(', ')}.`);
  console.log(JSON.stringify(await bench(), null, 2));
}
