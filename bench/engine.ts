/**
 * How many subjects can one process keep asking about, how punctually, and at what cost? The engine of the tracker with a
 * provider that answers at once: 150 million subjects, each asked every 300 s, are 500,000 questions a second.
 * `node bench/engine.ts [SUBJECTS] [--seconds 600] [--interval 300] [--order due|random] [--restart]` prints JSON.
 * `--interval 30` is ten times the rate. 150 million need about 4 GiB, with `--restart` about 8 GiB and 2.4 GB of disk.
 */
import { parseArgs } from 'node:util';
import { runEngine } from './engine/run.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '60' },
    interval: { type: 'string', default: '300' },
    order: { type: 'string', default: 'due' },
    restart: { type: 'boolean', default: false },
  },
});
const figures = await runEngine({
  subjects: Number(positionals[0] ?? 150_000_000),
  intervalSeconds: Number(values.interval),
  seconds: Number(values.seconds),
  order: values.order === 'random' ? 'random' : 'due',
  restart: values.restart,
});
console.log(JSON.stringify(figures, null, 2));
