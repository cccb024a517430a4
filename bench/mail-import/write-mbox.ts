import { writeMbox } from './mails.ts';

/** In a process of its own, so that its memory is not counted: `node write-mbox.ts FILE SEED COUNT`. */
const [file, seed, count] = process.argv.slice(2);
process.stdout.write(JSON.stringify(await writeMbox(file as string, Number(seed), Number(count))));
