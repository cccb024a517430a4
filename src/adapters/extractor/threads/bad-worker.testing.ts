/** A thread for tests of the pool: the document's first byte says how it misbehaves. */
import { parentPort } from 'node:worker_threads';
import type { Job } from './messages.ts';

parentPort?.on('message', (job: Job) => {
  const what = String.fromCharCode(job.input.bytes[0] ?? 0);
  if (what === 'h') for (;;);
  if (what === 'm') {
    const hoard: unknown[] = [];
    for (;;) hoard.push(new Array(10_000).fill({ a: hoard.length }));
  }
  if (what === 'x') process.exit(3);
  if (what === 't') throw new Error('thrown in the thread');
  parentPort?.postMessage({ id: job.id, result: { claims: [], warnings: [{ code: 'ok', message: what }] } });
});
