import { closeSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { TripwatchError } from '../../domain/errors.ts';
import { isoInstant } from '../../ports/clock.ts';
import type { Traveller } from '../../ports/store/accounts.ts';
import type { Core } from '../core.ts';

/** What was written, by kind of thing. */
export type Exported = Readonly<Record<string, number>>;

/**
 * Writes everything about a traveller into one JSON file, for its owner alone: all rows without secrets, and each raw mail
 * that is kept (base64). Errors: permanent `export-file` where the file exists or cannot be made.
 */
export async function exportTraveller(core: Core, traveller: Traveller, path: string): Promise<Exported> {
  const { store, blobs, clock } = core;
  const { id, tenant } = traveller;
  const file = make(path);
  const counts: Record<string, number> = {};
  const write = (text: string): void => {
    writeSync(file, text);
  };
  try {
    const [tables, raws] = await store.read(async (tx) => [
      await tx.privacy.everything(tenant, id),
      await tx.privacy.rawOf(tenant, id),
    ]);
    write(`{\n"format": "tripwatch-export/1",\n"exportedAt": ${JSON.stringify(isoInstant(clock.now()))}`);
    for (const [table, rows] of Object.entries(tables)) {
      counts[table] = rows.length;
      write(`,\n${JSON.stringify(table)}: [`);
      rows.forEach((row, index) => {
        write(`${index === 0 ? '\n' : ',\n'}${JSON.stringify(row)}`);
      });
      write(']');
    }
    write(',\n"rawMails": [');
    let first = true;
    for (const raw of raws) {
      const bytes = Buffer.from(await blobs.get(raw, tenant));
      write(`${first ? '\n' : ',\n'}${JSON.stringify({ raw, base64: bytes.toString('base64') })}`);
      first = false;
    }
    counts.rawMails = raws.length;
    write(']\n}\n');
    fsyncSync(file);
    closeSync(file);
    return counts;
  } catch (error) {
    closeSync(file);
    // Half an export looks like a whole one.
    unlinkSync(path);
    throw error;
  }
}

function make(path: string): number {
  try {
    return openSync(path, 'wx', 0o600);
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw new TripwatchError(
      'permanent',
      'export-file',
      exists
        ? `${path} exists already. Name a new file: an export overwrites nothing.`
        : `${path} cannot be written: ${(cause as Error).message}. Name a file in a folder that is yours.`,
      { cause },
    );
  }
}
