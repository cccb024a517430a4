/**
 * How many questions does the tracker's way of asking over HTTP get through a core, against undici alone? The AeroDataBox
 * connector (sign, send, read, hash, compare) asks another process for answers of the sandbox's fake that do not change;
 * `undici` sends the same requests and reads the same bytes. Both in turns, by the processor time of this process.
 * Run: `node bench/http-asking.ts [SECONDS] [ROUNDS]`; prints JSON.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';
import { createClock } from '../src/adapters/clock/system.ts';
import { createAeroDataBoxConnector } from '../src/adapters/provider/aerodatabox/connector.ts';
import { IN_FLIGHT_MAX } from '../src/domain/limits.ts';
import type { SubjectSpec } from '../src/ports/provider.ts';
import { aeroDataBox } from '../src/sandbox/providers/aerodatabox.ts';
import { startFake } from '../src/sandbox/providers/fake.ts';
import { DEFAULT_START_AT, makeDay } from '../src/sandbox/scenario/day.ts';

const KEY = 'bench';
const FLIGHTS = 200;

export interface HttpAskingFigures {
  /** Answers for each second of this process's processor. */
  readonly asking: number;
  readonly undici: number;
  /** The median of `shares`. */
  readonly share: number;
  /** asking / undici, of each round by itself: what else the machine does weighs on both of a round alike. */
  readonly shares: readonly number[];
  /** Of the connector's answers, those that were found equal before they were parsed. */
  readonly unchanged: number;
  readonly answers: number;
}

export async function benchHttpAsking(seconds: number, rounds: number): Promise<HttpAskingFigures> {
  const server = fork(fileURLToPath(import.meta.url), ['serve'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const [url] = (await once(server, 'message')) as [string];
  const { subjects, paths } = questions();
  const connector = createAeroDataBoxConnector({ account: 'bench', key: KEY, clock: createClock(), url });
  const pool = new Pool(url, { connections: IN_FLIGHT_MAX, pipelining: 1 });
  const never = new AbortController().signal;
  try {
    const tokens = await Promise.all(
      subjects.map(async (subject) => {
        const found = await connector.readOne(subject, never);
        if (found.kind !== 'found' || found.token === undefined) throw new Error(`${subject.label}: ${found.kind}`);
        return found.token;
      }),
    );
    let [answers, unchanged] = [0, 0];
    const ask = async (index: number): Promise<void> => {
      const result = await connector.readIfChanged!(subjects[index]!, tokens[index]!, never);
      answers++;
      if (result.kind === 'unchanged') unchanged++;
    };
    const plain = async (index: number): Promise<void> => {
      const headers = { accept: 'application/json', 'x-api-market-key': KEY };
      const response = await pool.request({ method: 'GET', path: paths[index]!, headers });
      await response.body.arrayBuffer();
    };
    await busy(0.3, ask);
    await busy(0.3, plain);
    [answers, unchanged] = [0, 0];
    const rates = { asking: [] as number[], undici: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      // Neither is always the first: the second one finds the machine warmer.
      if (round % 2 === 0) rates.asking.push(await busy(seconds, ask));
      rates.undici.push(await busy(seconds, plain));
      if (round % 2 === 1) rates.asking.push(await busy(seconds, ask));
    }
    const [asking, undici] = [median(rates.asking), median(rates.undici)];
    const shares = rates.asking.map((rate, round) => Number((rate / rates.undici[round]!).toFixed(3)));
    return {
      asking: Math.round(asking),
      undici: Math.round(undici),
      share: median(shares),
      shares,
      unchanged: unchanged / answers,
      answers,
    };
  } finally {
    await connector.close?.();
    await pool.close();
    server.kill();
  }
}

/** Keeps all connections busy for so long. Returns answers for each second of processor time. */
async function busy(seconds: number, ask: (index: number) => Promise<void>): Promise<number> {
  const until = performance.now() + seconds * 1000;
  const before = process.cpuUsage();
  let [next, done] = [0, 0];
  const worker = async (): Promise<void> => {
    while (performance.now() < until) {
      await ask(next++ % FLIGHTS);
      done++;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT_MAX }, worker));
  const { user, system } = process.cpuUsage(before);
  return done / ((user + system) / 1e6);
}

function day() {
  return makeDay({ seed: 1, travellers: FLIGHTS, flights: FLIGHTS, hours: 24, startAt: DEFAULT_START_AT });
}

function questions(): { readonly subjects: readonly SubjectSpec[]; readonly paths: readonly string[] } {
  const subjects = day()
    .flights.slice(0, FLIGHTS)
    .map(({ id, carrier, number, day, from, to }): SubjectSpec => {
      return { id, label: id, query: { carrier, number, day, from, to }, fromAt: 0, startAt: 0, endAt: 0 };
    });
  const paths = subjects.map(
    ({ query }) =>
      `/flights/Number/${query.carrier}${query.number}/${query.day}?dateLocalRole=Departure&withAircraftImage=false&withLocation=false`,
  );
  return { subjects, paths };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** The sandbox's first answer to each question, again and again: its fake adds what nobody asked for by chance. */
async function serve(): Promise<void> {
  // Time stands still: nothing changes.
  const clock = { ...createClock(), now: () => DEFAULT_START_AT };
  const options = { scenario: day(), clock, port: 0, callsPerMinuteMax: Number.MAX_SAFE_INTEGER };
  const fake = await startFake(aeroDataBox(options.scenario, KEY), options);
  const first = new Map<string, Promise<Buffer>>();
  const answerTo = async (path: string): Promise<Buffer> => {
    const answer = await fetch(new URL(path, fake.url), { headers: { 'x-api-market-key': KEY } });
    return Buffer.from(await answer.arrayBuffer());
  };
  const server = createServer(async ({ url = '' }, response) => {
    const answer = first.get(url) ?? answerTo(url);
    first.set(url, answer);
    response.writeHead(200, { 'content-type': 'application/json' }).end(await answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  process.on('disconnect', () => process.exit());
  process.send!(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === 'serve') await serve();
  else {
    const figures = await benchHttpAsking(Number(process.argv[2] ?? 3), Number(process.argv[3] ?? 5));
    console.log(JSON.stringify(figures, null, 2));
  }
}
