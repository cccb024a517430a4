/**
 * Does a whole sandbox day verify: nothing missing, wrong, doubled or late, and no more provider calls than coalescing
 * allows? Service and sandbox run in two processes; `--kills N` ends the service with SIGKILL at N random moments.
 *
 *   npm run bench -- sandbox-day [--travellers 2000 --flights 300 --hours 24 --speed 60 --seed 1 --kills 0 --data DIR --json]
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { rng } from '../src/sandbox/random.ts';
import {
  playSandbox,
  SANDBOX_ENV,
  startSandboxProviders,
  type Verdict,
  verifySandbox,
} from '../src/sandbox/sandbox.ts';
import { digestOf } from '../src/sandbox/scenario/day.ts';
import { verdictLines } from '../src/sandbox/verify.ts';

export interface DayBenchOptions {
  readonly seed: number;
  readonly travellers: number;
  readonly flights: number;
  readonly hours: number;
  readonly speed: number;
  readonly kills: number;
  /** Real seconds between the start of the service and the first minute of the day. */
  readonly leadSeconds: number;
  readonly data?: string;
  readonly tell?: (line: string) => void;
}

export interface DayBenchResult {
  readonly verdict: Verdict;
  /** Digest of the day: the same for the same options. */
  readonly day: string;
  readonly kills: number;
  readonly realSeconds: number;
  /** Highest resident memory of the service, MiB, and its processor seconds; of the last process when there were kills. */
  readonly rssMibMax: number | undefined;
  readonly cpuSeconds: number | undefined;
}

const cli = fileURLToPath(new URL('../bin/tripwatch.js', import.meta.url));

export async function sandboxDay(options: DayBenchOptions): Promise<DayBenchResult> {
  const dataDir = options.data ?? mkdtempSync(join(tmpdir(), 'tripwatch-day-'));
  const tell = options.tell ?? ((): void => undefined);
  const [http, smtp] = [await freePort(), await freePort()];
  const began = performance.now();
  const providers = await startSandboxProviders({
    dataDir,
    day: { seed: options.seed, travellers: options.travellers, flights: options.flights, hours: options.hours },
    speed: options.speed,
    beginsInMs: options.leadSeconds * 1000,
    pushUrl: `http://127.0.0.1:${http}/push/duffel`,
  });
  const config = join(dataDir, 'bench.config.json');
  writeFileSync(
    config,
    JSON.stringify({
      http: { port: http },
      smtp: { port: smtp },
      clock: providers.clockConfig,
      mails: providers.mailsConfig,
      providers: providers.accounts,
      webhooks: { allowPrivate: true },
    }),
  );
  const env = { ...process.env, ...SANDBOX_ENV };
  const place = ['--data', dataDir, '--config', config, '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, [cli, 'token', 'add', 'bench', ...place], { env });
  const { secret } = JSON.parse(stdout) as { secret: string };
  const tripwatch = { url: `http://127.0.0.1:${http}`, token: secret, smtp: { host: '127.0.0.1', port: smtp } };

  let service: ChildProcess | undefined;
  let usage: Usage = {};
  const ended = new AbortController();
  const start = async (): Promise<void> => {
    service = spawn(process.execPath, [cli, 'up', '--log', 'error', ...place], {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await ready(tripwatch.url);
  };
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    const child = service;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    usage = await usageOf(child.pid!);
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  };
  try {
    await start();
    const killing = killAtRandom();
    await Promise.race([playSandbox({ providers, tripwatch, signal: ended.signal, tell }), killing]);
    const verdict = await verifySandbox({ folder: providers.folder, tripwatch, signal: AbortSignal.timeout(120_000) });
    await stop('SIGTERM');
    return {
      verdict,
      day: digestOf(providers.folder.scenario),
      kills: options.kills,
      realSeconds: (performance.now() - began) / 1000,
      rssMibMax: usage.rssMib,
      cpuSeconds: usage.cpuSeconds,
    };
  } finally {
    ended.abort();
    await stop('SIGKILL');
    await providers.stop();
    if (options.data === undefined) rmSync(dataDir, { recursive: true, force: true });
  }

  /** Never resolves; rejects when a restart fails. */
  async function killAtRandom(): Promise<never> {
    const { startAt, hours } = providers.folder.scenario.options;
    const draw = rng(options.seed, 'kills');
    const downtime = providers.folder.open('downtime');
    // The last tenth of the day is left, so that what a kill delays can still come.
    const moments = Array.from({ length: options.kills }, () => startAt + draw.number() * hours * 3_600_000 * 0.9);
    for (const at of moments.sort((a, b) => a - b)) {
      const wait = at - providers.folder.clock.now();
      if (wait > 0) await providers.folder.clock.sleep(wait, ended.signal).catch(() => undefined);
      if (ended.signal.aborted) break;
      const from = providers.folder.clock.now();
      await stop('SIGKILL');
      await start();
      downtime.add({ from, to: providers.folder.clock.now() });
      tell(`killed and started again at ${Temporal.Instant.fromEpochMilliseconds(Math.trunc(at))}`);
    }
    return new Promise<never>(() => undefined);
  }
}

interface Usage {
  readonly rssMib?: number;
  readonly cpuSeconds?: number;
}

/** From /proc, where there is one. */
async function usageOf(pid: number): Promise<Usage> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const stat = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ');
    return {
      rssMib: Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024),
      cpuSeconds: (Number(stat[11]) + Number(stat[12])) / 100,
    };
  } catch {
    return {};
  }
}

async function ready(url: string): Promise<void> {
  const until = performance.now() + 30_000;
  for (;;) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    if (performance.now() > until) throw new Error(`The service at ${url} is not ready after 30 s.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      travellers: { type: 'string', default: '2000' },
      flights: { type: 'string', default: '300' },
      hours: { type: 'string', default: '24' },
      speed: { type: 'string', default: '60' },
      kills: { type: 'string', default: '0' },
      lead: { type: 'string' },
      data: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const travellers = Number(values.travellers);
  const result = await sandboxDay({
    seed: Number(values.seed),
    travellers,
    flights: Number(values.flights),
    hours: Number(values.hours),
    speed: Number(values.speed),
    kills: Number(values.kills),
    // Enrolling takes two requests a traveller.
    leadSeconds: Number(values.lead ?? 5 + travellers / 100),
    ...(values.data === undefined ? {} : { data: values.data }),
    ...(values.json ? {} : { tell: (line: string) => console.log(line) }),
  });
  if (values.json) console.log(JSON.stringify(result, undefined, 2));
  else {
    for (const line of verdictLines(result.verdict)) console.log(line);
    console.log(
      `day ${result.day.slice(0, 16)}, ${values.speed} times as fast, ${result.kills} kills, ${result.realSeconds.toFixed(0)} s real, service up to ${result.rssMibMax ?? '?'} MiB and ${result.cpuSeconds ?? '?'} CPU s, ${availableParallelism()} cores`,
    );
  }
  process.exit(result.verdict.ok ? 0 : 1);
}
