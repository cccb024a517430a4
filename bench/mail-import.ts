/**
 * How many mails a second go from an mbox through the whole pipeline to state, with how much memory, and is the result
 * the same when the file is imported again, and again into an empty installation?
 *
 *   node bench/mail-import.ts [--mails 10000] [--seed 1] [--folder TEMP]
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openImportEnv } from '../src/app/commands/import-env.ts';
import { importMailbox, runImport } from '../src/app/commands/import-run.ts';
import { loadConfig } from '../src/app/config.ts';
import { type Core, openCore } from '../src/app/core.ts';
import { prepareFolder } from '../src/app/paths.ts';
import { DEFAULT_TENANT } from '../src/domain/ids.ts';
import type { Disposition } from '../src/ports/store/mails.ts';

export interface ImportBenchResult {
  readonly mails: number;
  readonly megabytes: number;
  readonly seconds: number;
  readonly mailsPerSecond: number;
  /** Of all threads, user and system: what counts when others use the machine too. */
  readonly cpuSeconds: number;
  readonly rssMiBMax: number;
  readonly dispositions: Readonly<Partial<Record<Disposition, number>>>;
  readonly reservations: number;
  /** SHA-256 over what became of every mail and the values of every reservation. */
  readonly state: string;
  /** The same after importing the file a second time. */
  readonly stateAgain: string;
  readonly secondsAgain: number;
}

/** One run in an empty installation below `folder`, on an mbox that is there. */
export async function benchImport(folder: string, mbox: string): Promise<ImportBenchResult> {
  const config = loadConfig({ data: folder, env: {}, override: { log: { level: 'error' } } });
  const core = await openCore(config, prepareFolder(folder));
  let rssMax = 0;
  const sampler = setInterval(() => {
    rssMax = Math.max(rssMax, process.memoryUsage.rss());
  }, 20);
  try {
    const cpuBefore = process.cpuUsage();
    const first = await importOnce(core, mbox);
    const cpu = process.cpuUsage(cpuBefore);
    const state = await stateHash(core);
    const again = await importOnce(core, mbox);
    const stateAgain = await stateHash(core);
    const { dispositions } = first.summary;
    return {
      mails: first.summary.mails,
      megabytes: Math.round(first.summary.bytes / 1e5) / 10,
      seconds: first.seconds,
      mailsPerSecond: Math.round(first.summary.mails / first.seconds),
      cpuSeconds: Math.round((cpu.user + cpu.system) / 1e4) / 100,
      rssMiBMax: Math.round(rssMax / 1024 / 1024),
      dispositions,
      reservations: (await core.store.read((tx) => tx.reservations.list(DEFAULT_TENANT))).length,
      state,
      stateAgain,
      secondsAgain: again.seconds,
    };
  } finally {
    clearInterval(sampler);
    await core.close();
  }
}

async function importOnce(core: Core, mbox: string) {
  // A fixed id, so that ids that derive from it are the same in every run.
  const traveller = {
    id: 'trv_bench',
    tenant: DEFAULT_TENANT,
    name: 'Ada',
    zone: 'UTC',
    locale: 'en',
    createdAt: 1,
  } as const;
  await core.store.transact((tx) => tx.accounts.addTraveller(traveller));
  const mailbox = await importMailbox(core, traveller);
  const env = await openImportEnv(core);
  const startedAt = performance.now();
  try {
    const summary = await runImport(env, {
      paths: [mbox],
      mailbox,
      maxBytes: core.config.smtp.maxBytes,
      signal: new AbortController().signal,
      onProgress: () => {},
    });
    return { summary, seconds: (performance.now() - startedAt) / 1000 };
  } finally {
    await env.close();
  }
}

/** A reservation's own id holds the time it was made, so here it is named by what it rests on and what it says. */
async function stateHash(core: Core): Promise<string> {
  const reservations = await core.store.read((tx) => tx.reservations.list(DEFAULT_TENANT));
  const named = new Map(
    reservations.map(({ id, observations, digest }) => [id, `${observations.join(',')} ${digest}`]),
  );
  const lines = [...named.values()];
  for (let before: string | undefined; ; ) {
    const cursor = before === undefined ? {} : { before };
    const page = await core.store.read((tx) => tx.mails.list(DEFAULT_TENANT, { limit: 500, ...cursor }));
    for (const mail of page.receipts) {
      // A link may lead to a reservation that was joined into another later; which one depends on the order of mails.
      const ids = await core.store.read((tx) =>
        Promise.all(mail.reservations.map((id) => tx.reservations.get(DEFAULT_TENANT, id))),
      );
      const found = [...new Set(ids.map((one) => named.get(one?.id ?? 'rsv_none')))].sort();
      lines.push(`${mail.id} ${mail.disposition} ${mail.reasonCode} ${found.join(' ')}`);
    }
    before = page.nextBefore;
    if (before === undefined) break;
  }
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex').slice(0, 16);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      mails: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      folder: { type: 'string' },
    },
  });
  const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'tripwatch-bench-'));
  mkdirSync(folder, { recursive: true });
  const mbox = join(folder, 'mails.mbox');
  try {
    const writer = fileURLToPath(new URL('mail-import/write-mbox.ts', import.meta.url));
    const made: { kinds: unknown } = JSON.parse(
      execFileSync(process.execPath, [writer, mbox, values.seed, values.mails], { encoding: 'utf8' }),
    );
    const result = await benchImport(join(folder, 'data'), mbox);
    const machine = `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`;
    console.log(
      JSON.stringify(
        { bench: 'mail-import', machine, seed: Number(values.seed), kinds: made.kinds, ...result },
        null,
        2,
      ),
    );
    if (result.state !== result.stateAgain) throw new Error('Importing the file again changed the result.');
  } finally {
    if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
  }
}
