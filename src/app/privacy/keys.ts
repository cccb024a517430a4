import { addKey, type Keyring, openKeyring, removeKey } from '../../adapters/secrets/keyring.ts';
import { sealedWith, secretsWith } from '../../adapters/secrets/secrets.ts';
import { reseal, sealedRows } from '../../adapters/store/sql/sealed-rows.ts';
import { auditEntry } from '../../api/commands/audit.ts';
import { TripwatchError } from '../../domain/errors.ts';
import { operatorHere } from '../commands/operator.ts';
import { type Core, KEY_FACT } from '../core.ts';

/** What each key is still needed for. */
export interface KeyUse {
  readonly id: string;
  readonly current: boolean;
  /** Whether it can be opened here. */
  readonly held: boolean;
  readonly secrets: number;
  readonly mails: number;
}

/** Every key that is held or needed, the current one first. Reads the beginning of every stored mail. */
export async function keyUses(core: Core, ring: Keyring = core.keyring): Promise<readonly KeyUse[]> {
  const uses = new Map(ring.ids.map((id) => [id, { secrets: 0, mails: 0 }]));
  const of = (id: string) => {
    const use = uses.get(id) ?? { secrets: 0, mails: 0 };
    uses.set(id, use);
    return use;
  };
  for (const row of await core.store.read(({ db }) => sealedRows(db)))
    for (const sealed of row.sealed) of(sealedWith(sealed) ?? 'unknown').secrets++;
  for await (const { keyId } of core.blobs.list()) if (keyId !== undefined) of(keyId).mails++;
  return [...uses].map(([id, use]) => ({ id, current: id === ring.current.id, held: ring.ids.includes(id), ...use }));
}

export interface Rotated {
  readonly key: string;
  /** False: a rotation that was stopped, or a key that was put in front by hand, was taken up. */
  readonly made: boolean;
  /** Rows sealed anew. */
  readonly resealed: number;
}

/**
 * Takes a new key into use: new mails are encrypted with it, every stored secret is sealed with it anew, and old mails stay
 * readable by the old key until they go. Stopped in between, it goes on when it is called again. With keys that are kept
 * elsewhere, the new one must have been put in front of the old ones. Errors: permanent `keys-elsewhere`.
 */
export async function rotateKeys(core: Core): Promise<Rotated> {
  const { store, paths, config } = core;
  let ring = core.keyring;
  const pending = (await notYet(core, ring)).length > 0 || (await writtenDown(core)) !== ring.current.id;
  const made = !pending;
  if (made) {
    if (config.secrets.key !== undefined)
      throw new TripwatchError(
        'permanent',
        'keys-elsewhere',
        'The key of this installation is kept outside (secrets.key). Put a new one in front of it there, 64 hex digits, a line each, for every process; then run this again.',
      );
    addKey(paths.key);
    ring = openKeyring(paths.key);
  }
  const secrets = secretsWith(ring);
  let resealed = 0;
  for (const row of await notYet(core, ring)) {
    const sealed = row.sealed.map((text) => secrets.seal(secrets.open(text, row.context), row.context));
    // Changed meanwhile by somebody with the old key: the next call finds it again.
    if (await store.transact(({ db }) => reseal(db, row, sealed))) resealed++;
  }
  const entry = auditEntry(core.commands, operatorHere(), {
    action: 'keys.rotate',
    target: ring.current.id,
    details: { resealed },
  });
  await store.transact(async (tx) => {
    await tx.db.updateTable('meta').set({ value: ring.current.id }).where('name', '=', KEY_FACT).execute();
    await tx.audit.add(entry);
  });
  return { key: ring.current.id, made, resealed };
}

/** Takes an old key out of the file. Errors: permanent `key-needed` while anything is sealed with it, `keys-elsewhere`. */
export async function forgetKey(core: Core, id: string): Promise<void> {
  if (core.config.secrets.key !== undefined)
    throw new TripwatchError(
      'permanent',
      'keys-elsewhere',
      'The keys of this installation are kept outside (secrets.key). `tripwatch keys status` says which of them nothing needs; take those out there.',
    );
  const use = (await keyUses(core)).find((one) => one.id === id);
  if (use === undefined || !use.held)
    throw new TripwatchError(
      'permanent',
      'not-found',
      `There is no key ${id} here. \`tripwatch keys status\` shows them.`,
    );
  if (use.current || use.secrets + use.mails > 0)
    throw new TripwatchError(
      'permanent',
      'key-needed',
      use.current
        ? `Key ${id} is the current one. \`tripwatch keys rotate\` takes a new one into use.`
        : `Key ${id} still opens ${use.secrets} secrets and ${use.mails} mails. Secrets move with \`tripwatch keys rotate\`; mails go after ${core.config.mails.keepDays} days (mails.keepDays).`,
    );
  removeKey(core.paths.key, id);
  const entry = auditEntry(core.commands, operatorHere(), { action: 'keys.forget', target: id, details: {} });
  await core.store.transact((tx) => tx.audit.add(entry));
}

async function notYet(core: Core, ring: Keyring) {
  const rows = await core.store.read(({ db }) => sealedRows(db));
  return rows.filter((row) => row.sealed.some((text) => sealedWith(text) !== ring.current.id));
}

async function writtenDown({ store }: Core): Promise<string | undefined> {
  return (
    await store.read(({ db }) => db.selectFrom('meta').select('value').where('name', '=', KEY_FACT).executeTakeFirst())
  )?.value;
}
