import { join } from 'node:path';
import { openFsBlobs } from '../../src/adapters/blobs/fs/blobs.ts';
import { silentLogger } from '../../src/adapters/logger/pino.ts';
import { createSmtpListener } from '../../src/adapters/mailbox/smtp/listener.ts';
import { openSqliteStore } from '../../src/adapters/store/sqlite/store.ts';
import { createIntake } from '../../src/stages/watch/intake.ts';
import { addMailbox, clock, DOMAIN } from './mail-in.testing.ts';

/** A process to kill: an SMTP listener on a real file. Says its port on a line. */
const folder = process.argv[2] as string;
const store = openSqliteStore({ file: join(folder, 'tripwatch.db'), clock, logger: silentLogger });
await addMailbox(store, 'anna');
const intake = createIntake({ store, blobs: openFsBlobs(join(folder, 'mails')), clock, logger: silentLogger });
const listener = createSmtpListener({
  config: { host: '127.0.0.1', port: 0, domain: DOMAIN, maxBytes: 1_000_000 },
  accept: intake.accept,
  findMailbox: (hash) => store.read((tx) => tx.accounts.findMailboxByAddress(hash)),
  clock,
  logger: silentLogger,
});
process.stdout.write(`${(await listener.listen()).port}\n`);
