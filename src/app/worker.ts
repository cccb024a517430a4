import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Ownership, tryOwn } from '../adapters/owner/owner-lock.ts';
import { TripwatchError } from '../domain/errors.ts';
import { isoInstant } from '../ports/clock.ts';
import type { WorkerIdentity } from '../runtime/keeper.ts';
import type { Core } from './core.ts';
import { version } from './version.ts';

/** Who this process is among those at work, and the right to be that. */
export interface Place {
  readonly worker: WorkerIdentity;
  release(): void;
}

/**
 * Takes a place at work. On SQLite there is one, that of the data folder's owner: undefined while another process has it.
 * On PostgreSQL there are any number: each data folder is one, with a name of its own that a process started again on it
 * keeps, so that it takes its work back at once; who finds the folder taken, or only helps out, gets a name for once.
 */
export function takePlace(core: Core, use: 'service' | 'helper' = 'service'): Place | undefined {
  const label = `${hostname()}, process ${process.pid}, Tripwatch ${version}`;
  const owner = use === 'service' || !core.shared ? tryOwn(core.paths.folder, isoInstant(Date.now())) : undefined;
  if (!core.shared) return owner && { worker: { id: 'alone', label, alone: true }, release: () => owner.release() };
  const named = core.config.worker.name;
  if (use === 'service' && named !== undefined) return placeOf(named, label, owner);
  const id = owner === undefined ? randomName() : folderName(core.paths.folder);
  return placeOf(id, label, owner);
}

function placeOf(id: string, label: string, owner: Ownership | undefined): Place {
  return { worker: { id, label, alone: false }, release: () => owner?.release() };
}

const randomName = (): string => `${hostname().slice(0, 30)}-${randomBytes(5).toString('hex')}`;

/** Made once, kept in the folder. */
function folderName(folder: string): string {
  const file = join(folder, 'worker-name');
  try {
    if (!existsSync(file)) writeFileSync(file, `${randomName()}\n`, { mode: 0o600, flag: 'wx' });
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new TripwatchError(
      'permanent',
      'data-folder-unusable',
      `The name of this worker cannot be kept in ${file}: ${(cause as Error).message}. Make the folder writable, or set worker.name.`,
      { cause },
    );
  }
}
