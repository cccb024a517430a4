/**
 * A provider's answer shows a change: how long from the end of that answer until the change is out on the SSE stream, and
 * at a webhook sink? The provider is a server here that answers in AeroDataBox's form and moves a gate with every poll.
 *
 *   npm run bench -- change-latency [--flights 40] [--changes 400]
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { spread, startServiceProcess } from './service/process.ts';

export interface ChangeLatency {
  readonly changes: number;
  /** ms */
  readonly fetchedToSse: ReturnType<typeof spread>;
  readonly fetchedToWebhook: ReturnType<typeof spread>;
}

/** The clock runs faster, so that polls come every few seconds; latencies are real ms all the same. */
const SPEED = 60;
const START = '2027-03-01T06:00:00Z';

export async function changeLatency(options: {
  readonly flights: number;
  readonly changes: number;
}): Promise<ChangeLatency> {
  const fetchedAt = new Map<string, number>();
  const sse = new Map<string, number>();
  const hook = new Map<string, number>();
  const now = (): number => performance.timeOrigin + performance.now();
  let gate = 0;

  const provider = createServer((request, response) => {
    const number = /Number\/XQ(\d+)/i.exec(request.url ?? '')?.[1] ?? '0';
    gate++;
    const mark = `G${gate}`;
    response.setHeader('content-type', 'application/json');
    // The first answers come while the reservations are still being made: not what is asked here.
    response.end(JSON.stringify([flight(number, mark)]), () => {
      if (gate > 2 * options.flights) fetchedAt.set(mark, now());
    });
  });
  const sink = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      note(hook, Buffer.concat(chunks).toString());
      response.end();
    });
  });
  const note = (into: Map<string, number>, text: string): void => {
    for (const match of text.matchAll(/"to":"(G\d+)"/g)) if (!into.has(match[1]!)) into.set(match[1]!, now());
  };
  const counted = (out: Map<string, number>): number => [...out.keys()].filter((mark) => fetchedAt.has(mark)).length;
  const [providerPort, sinkPort] = [await listen(provider), await listen(sink)];
  const service = await startServiceProcess(
    {
      clock: { speed: SPEED, startAt: START, anchor: Date.now() },
      webhooks: { allowPrivate: true },
      providers: [
        {
          account: 'status',
          connector: 'aerodatabox',
          url: `http://127.0.0.1:${providerPort}`,
          key: 'env:BENCH_KEY',
          calls: [{ max: 1000, perSeconds: 1 }],
        },
      ],
    },
    { BENCH_KEY: 'bench' },
  );
  try {
    const traveller = await service.call<{ id: string }>('POST', '/v1/travellers', { name: 'Bench' });
    await service.call('POST', '/v1/endpoints', { url: `http://127.0.0.1:${sinkPort}/hook` });
    const stream = service.changes((event) => note(sse, JSON.stringify(event)));
    for (let i = 0; i < options.flights; i++) {
      await service.call('POST', '/v1/reservations', {
        traveller: traveller.id,
        kind: 'flight',
        reference: `BENCH${i}`,
        legs: [
          {
            facts: {
              'carrier.code': 'XQ',
              number: String(100 + i),
              'start.code': 'FRA',
              'end.code': 'JFK',
              'start.scheduled': '2027-03-01T11:00:00+01:00[Europe/Berlin]',
            },
          },
        ],
      });
    }
    for (let i = 0; i < 1200 && counted(hook) < options.changes; i++) await delay(100);
    stream.stop();
    const took = (out: Map<string, number>): number[] =>
      [...out].flatMap(([mark, at]) => (fetchedAt.has(mark) ? [at - fetchedAt.get(mark)!] : []));
    if (hook.size < options.changes)
      throw new Error(`only ${hook.size} of ${options.changes} changes came within two minutes`);
    return { changes: counted(hook), fetchedToSse: spread(took(sse)), fetchedToWebhook: spread(took(hook)) };
  } finally {
    await service.stop();
    await Promise.all([provider, sink].map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

function flight(number: string, gate: string): unknown {
  const time = (utc: string, local: string) => ({ utc, local });
  return {
    number: `XQ ${number}`,
    status: 'Expected',
    codeshareStatus: 'IsOperator',
    lastUpdatedUtc: '2027-03-01 06:00Z',
    airline: { name: 'Example Air', iata: 'XQ' },
    departure: {
      airport: { iata: 'FRA', name: 'Frankfurt', timeZone: 'Europe/Berlin' },
      scheduledTime: time('2027-03-01 10:00Z', '2027-03-01 11:00+01:00'),
      gate,
      quality: ['Basic', 'Live'],
    },
    arrival: {
      airport: { iata: 'JFK', name: 'New York', timeZone: 'America/New_York' },
      scheduledTime: time('2027-03-01 18:00Z', '2027-03-01 13:00-05:00'),
      quality: ['Basic', 'Live'],
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { flights: { type: 'string', default: '40' }, changes: { type: 'string', default: '400' } },
  });
  console.log(
    JSON.stringify(await changeLatency({ flights: Number(values.flights), changes: Number(values.changes) }), null, 2),
  );
}
