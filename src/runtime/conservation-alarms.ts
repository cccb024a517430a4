import type { Topic } from '../contracts/topics.ts';
import { LOOK_AHEAD_MAX, UNATTENDED_MS } from '../domain/limits.ts';
import type { ReadTx } from '../ports/store.ts';
import type { Paused } from './pauses.ts';

/** A stage, as much of it as must be known to tell whether its work is attended to. */
export interface AuditedConsumer {
  readonly name: string;
  readonly reads: Topic;
  readonly deadlineMs: number;
}

/** What breaks the law of conservation, or will: in words, with what to do. */
export interface Alarm {
  /** `nobody-works`: events wait in shards that no process holds; and so on. For metrics and logs. */
  readonly kind:
    | 'nobody-works'
    | 'overdue'
    | 'nobody-asks'
    | 'account-unknown'
    | 'nobody-sends'
    | 'deliveries-late'
    | 'mails-stuck'
    | 'books-wrong';
  readonly severity: 'bad' | 'note';
  readonly what: string;
  readonly remedy: string;
  /** How many events, subjects, deliveries or mails. */
  readonly count: number;
}

export interface AlarmOptions {
  readonly now: number;
  readonly speed: number;
  readonly shards: number;
  /** All stages of the installation, wherever they run. */
  readonly consumers: readonly AuditedConsumer[];
  /** Provider accounts that are configured; undefined: not looked at. */
  readonly accounts: readonly string[] | undefined;
  readonly paused: Paused | undefined;
  /** False: no process is at work at all, so that nobody holds anything is no news. */
  readonly attended: boolean;
}

/** Undecided mails that are named. */
const MAILS_NAMED_MAX = 5;

/** Looks for work that nobody attends to. A few questions by index each; nothing is written. */
export async function findAlarms(tx: ReadTx, options: AlarmOptions): Promise<readonly Alarm[]> {
  const { leases } = await tx.leases.survey();
  const held = new Set(leases.filter((lease) => lease.leftMs > 0).map((lease) => lease.resource));
  const isHeld = (resource: string): boolean => !options.attended || held.has(resource);
  return [
    ...(await unattendedShards(tx, options, isHeld)),
    ...(await balances(tx)),
    ...(await unaskedSubjects(tx, options, isHeld)),
    ...(await unsentNotifications(tx, options, isHeld)),
    ...(await stuckMails(tx, options)),
  ];
}

async function unattendedShards(
  tx: ReadTx,
  { now, speed, shards, consumers, paused }: AlarmOptions,
  isHeld: (resource: string) => boolean,
): Promise<readonly Alarm[]> {
  const found: Alarm[] = [];
  for (const { name, reads } of consumers) {
    if (paused?.stage(name) !== undefined) continue;
    const free = Array.from({ length: shards }, (_, shard) => shard).filter((shard) => !isHeld(`${name}/${shard}`));
    const late: number[] = [];
    let waiting = 0;
    let oldestAt = now;
    for (const shard of free) {
      const place = { consumer: name, topic: reads, shard };
      const there = await tx.conservation.waiting(place, now, LOOK_AHEAD_MAX);
      if (there.oldestAt === undefined || now - there.oldestAt < UNATTENDED_MS * speed) continue;
      late.push(shard);
      waiting += there.waiting;
      oldestAt = Math.min(oldestAt, there.oldestAt);
    }
    if (late.length === 0) continue;
    const where = late.length === shards ? `stage ${name}` : late.map((shard) => `${name}/${shard}`).join(', ');
    found.push({
      kind: 'nobody-works',
      severity: 'bad',
      what: `nobody works on ${where}: ${waiting} events wait, the oldest for ${minutes((now - oldestAt) / speed)}`,
      remedy: `start a process that runs it: tripwatch up --stages ${name}`,
      count: waiting,
    });
  }
  return found;
}

async function balances(tx: ReadTx): Promise<readonly Alarm[]> {
  const all = await tx.conservation.balances();
  const late = all.filter((one) => one.overdue > 0);
  const wrong = all.filter((one) => one.accepted !== one.done + one.failed + one.inProgress);
  return [
    ...late.map(
      ({ tenant, overdue }): Alarm => ({
        kind: 'overdue',
        severity: 'bad',
        what: `${overdue} events of ${tenant} should have been tried again long ago`,
        remedy: 'their stage is stuck or far too slow: see docs/operating/stuck-or-slow.md',
        count: overdue,
      }),
    ),
    ...wrong.map(
      ({ tenant, accepted, done, failed, inProgress }): Alarm => ({
        kind: 'books-wrong',
        severity: 'bad',
        what: `${tenant}: ${accepted} events accepted, but ${done} done + ${failed} failed + ${inProgress} in progress`,
        remedy: 'a fault of ours: please report this line',
        count: Math.abs(accepted - done - failed - inProgress),
      }),
    ),
  ];
}

async function unaskedSubjects(
  tx: ReadTx,
  { accounts, paused, attended }: AlarmOptions,
  isHeld: (resource: string) => boolean,
): Promise<readonly Alarm[]> {
  if (accounts === undefined || !attended) return [];
  const found: Alarm[] = [];
  for (const { account, active } of await tx.conservation.subjects()) {
    if (!accounts.includes(account))
      found.push({
        kind: 'account-unknown',
        severity: 'note',
        what: `${active} subjects belong to the provider account ${account}, which is not configured here`,
        remedy: 'add the account again, or leave them: they end with their journeys',
        count: active,
      });
    else if (!isHeld(`account/${account}`) && paused?.account(account) === undefined)
      found.push({
        kind: 'nobody-asks',
        severity: 'bad',
        what: `nobody asks the provider account ${account} about its ${active} subjects`,
        remedy: 'start a process that runs the stage: tripwatch up --stages track',
        count: active,
      });
  }
  return found;
}

async function unsentNotifications(
  tx: ReadTx,
  { now, speed, attended }: AlarmOptions,
  isHeld: (resource: string) => boolean,
): Promise<readonly Alarm[]> {
  const late = (await tx.conservation.notifications(now - UNATTENDED_MS * speed)).filter((one) => one.overdue > 0);
  const count = late.reduce((sum, one) => sum + one.overdue, 0);
  if (count === 0 || !attended) return [];
  const nobody = !isHeld('sender');
  return [
    {
      kind: nobody ? 'nobody-sends' : 'deliveries-late',
      severity: nobody ? 'bad' : 'note',
      what: nobody
        ? `nobody sends webhooks: ${count} deliveries are due`
        : `${count} webhook deliveries are late: their receivers are slow or ask to wait`,
      remedy: nobody
        ? 'start a process that runs the stage: tripwatch up --stages notify'
        : 'tripwatch endpoint list shows the receivers',
      count,
    },
  ];
}

/** What says in the end what became of a mail. */
const DECIDING: readonly Topic[] = ['mail.seen', 'mail.collected', 'observation.recorded'];

async function stuckMails(tx: ReadTx, { now, speed, consumers }: AlarmOptions): Promise<readonly Alarm[]> {
  const readers = consumers
    .filter(({ reads }) => DECIDING.includes(reads))
    .map(({ name, reads }) => ({ consumer: name, topic: reads }));
  const stuck = await tx.conservation.stuckMails(readers, now - UNATTENDED_MS * speed, MAILS_NAMED_MAX);
  if (stuck.length === 0) return [];
  return [
    {
      kind: 'mails-stuck',
      severity: 'bad',
      what: `mails are undecided although every stage is done with them: ${stuck.map((one) => one.mail).join(', ')}`,
      remedy: 'tripwatch explain MAIL tells what became of each; import the mail again, and report this',
      count: stuck.length,
    },
  ];
}

function minutes(ms: number): string {
  return `${Math.round(ms / 60_000)} min`;
}
