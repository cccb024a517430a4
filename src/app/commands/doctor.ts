import { existsSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import type { Command } from 'commander';
import { readOwner, tryOwn } from '../../adapters/owner/owner-lock.ts';
import { statusView } from '../../api/views/status.ts';
import { LEASE_MS } from '../../domain/limits.ts';
import { isoInstant } from '../../ports/clock.ts';
import { STAGES } from '../../stages/stages.ts';
import { action } from '../command.ts';
import { printableConfig, readSecret } from '../config.ts';
import { type Core, OPERATOR } from '../core.ts';
import { age, byteSize, printable } from '../terminal/style.ts';
import { version } from '../version.ts';
import { withCore } from '../with-core.ts';
import { conservationFindings, pauseFindings } from './doctor-conservation.ts';
import { mailboxFindings } from './doctor-mailboxes.ts';

export interface Finding {
  readonly state: 'ok' | 'note' | 'bad';
  readonly what: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** Less free space than this is said aloud: intake stops when the disk is full. */
const FREE_BYTES_MIN = 500e6;
/** An event that waits longer than this while a service runs is worth a look, ms. */
const WAIT_MS_MAX = 60_000;

/** `tripwatch doctor`: is everything as it should be, and if not, what to do. Exit code 1 when something is wrong. */
export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description(
      'check the installation: store, disk, queues, conservation of mails and events, pauses, mailboxes, providers, secrets',
    )
    .option('--config-effective', 'print the configuration as it works')
    .action(
      action(async (context, options: { configEffective?: boolean }) => {
        await withCore(context, 'existing', async (core) => {
          if (options.configEffective === true) {
            process.stdout.write(`${JSON.stringify(printableConfig(core.config), null, 2)}\n`);
            return;
          }
          const findings = await examine(core);
          context.result({ ok: !findings.some((one) => one.state === 'bad'), findings });
          const { style } = context;
          for (const one of findings) {
            const mark = { ok: style.green('ok  '), note: style.yellow('note'), bad: style.red('BAD ') }[one.state];
            context.say(`${mark}  ${one.what}`);
            if (one.remedy !== undefined) context.say(`      ${style.dim(`→ ${one.remedy}`)}`);
          }
          if (findings.some((one) => one.state === 'bad')) process.exitCode = 1;
        });
      }),
    );
}

async function examine(core: Core): Promise<readonly Finding[]> {
  const { store, clock, config, paths } = core;
  const findings: Finding[] = [];
  const now = clock.now();
  const { workers } = await store.read((tx) => tx.leases.survey());
  const alive = core.shared ? workers.filter((one) => one.seenAgoMs <= LEASE_MS) : [];
  const running = core.shared ? alive.some((one) => one.groups.length > 0) : isRunning(core);
  findings.push({
    state: 'ok',
    what: `Tripwatch ${version}, Node ${process.versions.node}, SQLite ${process.versions.sqlite ?? ''}, time zones ${process.versions.tz}`,
  });
  findings.push({
    state: running ? 'ok' : 'note',
    what: core.shared
      ? `${alive.length} processes at work`
      : running
        ? 'a service is running on this folder'
        : 'no service is running on this folder',
    ...(running ? {} : { remedy: 'tripwatch up' }),
  });
  findings.push(
    ...alive.map((one) => ({ state: 'ok' as const, what: `  ${one.id}: ${doing(one.groups)} (${one.label})` })),
  );
  if (core.shared) findings.push(...unworked(alive));
  findings.push({
    state: 'ok',
    what: core.shared
      ? `state, log and mails in PostgreSQL (schema ${config.store.schema}), ${store.shards} shards`
      : `data in ${paths.folder}: ${byteSize(statSync(paths.database).size)} in the store, write-ahead log ${byteSize(sizeOf(`${paths.database}-wal`))}`,
  });

  const disk = await statfs(paths.folder);
  const free = disk.bavail * disk.bsize;
  findings.push(
    free < FREE_BYTES_MIN
      ? {
          state: 'bad',
          what: `only ${byteSize(free)} free on the disk`,
          remedy: 'free some space; mails are refused, not lost, when it is full',
        }
      : { state: 'ok', what: `${byteSize(free)} free on the disk` },
  );

  const view = await store.read((tx) =>
    statusView(tx, OPERATOR, {
      version,
      startedAt: isoInstant(now),
      now: isoInstant(now),
      clockSpeed: clock.speed,
      ready: running,
      stages: [],
      providers: [],
    }),
  );
  const { mails } = view;
  findings.push(
    mails.conserved
      ? {
          state: 'ok',
          what: `${mails.accepted} mails accepted = ${mails.done} done + ${mails.failed} failed + ${mails.inProgress} in progress`,
        }
      : {
          state: 'bad',
          what: `${mails.accepted} mails accepted, but ${mails.done} done + ${mails.failed} failed + ${mails.inProgress} in progress`,
          remedy: 'please report this with the output of `tripwatch receipts --json`',
        },
  );
  if (mails.failed > 0)
    findings.push({
      state: 'note',
      what: `${mails.failed} mails could not be read`,
      remedy: 'tripwatch receipts --disposition failed',
    });
  if (mails.inProgress > 0 && !running)
    findings.push({
      state: 'note',
      what: `${mails.inProgress} mails wait for a running service`,
      remedy: 'tripwatch up',
    });
  findings.push(...(await conservationFindings(core, running, now)));
  const pauses = await store.read((tx) => tx.control.pauses());
  findings.push(...pauseFindings(pauses));
  findings.push(await waiting(core, running && pauses.length === 0, now));
  if (config.broker.url !== undefined) findings.push(await relayFinding(core, running, now));
  findings.push(
    view.deadLettersOpen === 0
      ? { state: 'ok', what: 'no open dead letter' }
      : {
          state: 'bad',
          what: `${view.deadLettersOpen} open dead letters`,
          remedy: 'tripwatch dead-letters list, then replay or discard',
        },
  );
  if (view.endpoints.disabled > 0)
    findings.push({
      state: 'note',
      what: `${view.endpoints.disabled} webhook endpoints are disabled`,
      remedy: 'tripwatch endpoint list says why',
    });
  findings.push(...(await mailboxFindings(core, now)));
  findings.push(...(await providers(core, now)));
  const travellers = await store.read((tx) => tx.accounts.listTravellers(OPERATOR.tenant));
  findings.push(
    travellers.length === 0
      ? { state: 'note', what: 'no traveller yet', remedy: 'tripwatch traveller add NAME' }
      : { state: 'ok', what: `${travellers.length} traveller${travellers.length === 1 ? '' : 's'}` },
  );
  if (config.http.host !== '127.0.0.1' && config.http.publicUrl?.startsWith('https:') !== true) {
    findings.push({
      state: 'note',
      what: `page and API listen on ${config.http.host} without https`,
      remedy: 'put a TLS proxy in front and set http.publicUrl',
    });
  }
  return findings;
}

/** Events that a stage has not done, from the log itself: true whether or not a service runs. */
async function waiting(core: Core, running: boolean, now: number): Promise<Finding> {
  const counts = await core.store.read((tx) =>
    tx.log.backlog(STAGES.map(({ name, reads }) => ({ consumer: name, topic: reads }))),
  );
  const behind = counts.filter((one) => one.waiting > 0);
  if (behind.length === 0) return { state: 'ok', what: 'no event waits in any stage' };
  const oldest = Math.min(...behind.map((one) => one.oldestAt ?? now));
  const late = running && now - oldest > WAIT_MS_MAX;
  const words = behind.map((one) => `${one.waiting} for ${one.consumer}`).join(', ');
  return {
    state: late ? 'bad' : 'note',
    what: `events wait: ${words}; the oldest for ${age(now - oldest)}`,
    ...(late
      ? { remedy: 'look at the log of the service; `tripwatch explain EVENT` tells what one waits for' }
      : running
        ? {}
        : { remedy: 'a running service works them off; what is paused waits until it is resumed' }),
  };
}

/** Events that NATS does not have yet. Nothing is lost by that: stages read from the store then, later than by NATS. */
async function relayFinding(core: Core, running: boolean, now: number): Promise<Finding> {
  const { readFigures } = await import('../../adapters/broker/nats/relay.ts');
  const { waiting: behind, oldestAt = now } = await readFigures(core.store, 0, undefined);
  if (behind === 0) return { state: 'ok', what: 'NATS has every event of the log' };
  const late = running && now - oldestAt > WAIT_MS_MAX;
  return {
    state: late ? 'bad' : 'note',
    what: `${behind} events are not in NATS yet; the oldest for ${age(now - oldestAt)}`,
    ...(late ? { remedy: 'see docs/operating/broker-lost.md; until then stages read from PostgreSQL' } : {}),
  };
}

async function providers(core: Core, now: number): Promise<readonly Finding[]> {
  if (core.config.providers.length === 0) {
    return [
      {
        state: 'note',
        what: 'no provider account: reservations rest on mails alone',
        remedy: 'add one under "providers", see docs/operating/configuration.md',
      },
    ];
  }
  const findings: Finding[] = [];
  for (const account of core.config.providers) {
    for (const reference of [account.key, account.webhookSecret]) {
      if (reference === undefined) continue;
      try {
        readSecret(reference, process.env);
      } catch (error) {
        findings.push({ state: 'bad', what: `${account.account}: ${printable((error as Error).message)}` });
      }
    }
    const subjects = await core.store.read((tx) => tx.subjects.listActive(account.account));
    const failing = subjects.filter((one) => one.failingSince !== undefined);
    const oldest = Math.min(...subjects.map((one) => one.checkedAt ?? Number.POSITIVE_INFINITY));
    const checked = Number.isFinite(oldest) ? `, the stalest checked ${age(now - oldest)} ago` : '';
    findings.push(
      failing.length > 0
        ? {
            state: 'bad',
            what: `${account.account}: ${failing.length} of ${subjects.length} subjects could not be asked: ${printable(failing[0]?.failure ?? '')}`,
            remedy: 'check key, plan and budget of the account',
          }
        : { state: 'ok', what: `${account.account}: ${subjects.length} subjects${checked}` },
    );
  }
  return findings;
}

const doing = (groups: readonly string[]): string => (groups.length === 0 ? 'intake or API only' : groups.join(', '));

/** Stages that no living process runs: their events wait. */
function unworked(alive: readonly { readonly groups: readonly string[] }[]): readonly Finding[] {
  const missing = STAGES.filter(({ name }) => !alive.some((one) => one.groups.includes(name))).map(({ name }) => name);
  if (missing.length === 0) return [];
  return [
    {
      state: 'bad',
      what: `nobody works on ${missing.join(', ')}`,
      remedy: `start a process with --stages ${missing.join(',')} (or without --stages)`,
    },
  ];
}

/** Whether a living process works on the folder: asked of the lock itself, since a killed one leaves its note behind. */
function isRunning(core: Core): boolean {
  if (readOwner(core.paths.folder) === undefined) return false;
  const own = tryOwn(core.paths.folder, isoInstant(Date.now()));
  own?.release();
  return own === undefined;
}

function sizeOf(file: string): number {
  return existsSync(file) ? statSync(file).size : 0;
}
