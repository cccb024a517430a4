import { auditEntry } from '../../api/commands/audit.ts';
import { TripwatchError } from '../../domain/errors.ts';
import { isoInstant } from '../../ports/clock.ts';
import type { Traveller } from '../../ports/store/accounts.ts';
import type { Holdings } from '../../ports/store/privacy.ts';
import { STAGES } from '../../stages/stages.ts';
import { operatorHere } from '../commands/operator.ts';
import type { Core } from '../core.ts';
import { settle } from '../pipeline.ts';

/** What is under way may take so long to end, real ms. */
const WAIT_MS = 60_000;
const LOOK_MS = 250;
/** An answer that came in at the last moment may have left something: it is erased once more. */
const ROUNDS_MAX = 3;

/** What was there, what is left, and where it is on record. */
export interface EraseProof {
  readonly traveller: string;
  readonly at: string;
  readonly before: Holdings & { readonly rawMails: number };
  readonly after: Holdings & { readonly rawMails: number };
  /** Id of the entry of the audit trail that keeps these figures. */
  readonly audit: string;
}

/**
 * Erases everything about a traveller. First nothing more comes in and credentials go; then what is under way ends; then
 * all rows and raw mails go; then everything is counted again. Stopped at any moment, it can be begun again.
 * Errors: transient `erase-unfinished` where work of theirs does not end; defect `erase-left` where something is left.
 */
export async function eraseTraveller(core: Core, traveller: Traveller, signal: AbortSignal): Promise<EraseProof> {
  const { store, blobs, clock } = core;
  const { id, tenant } = traveller;
  const caller = operatorHere();
  const raws = new Set(await store.read((tx) => tx.privacy.rawOf(tenant, id)));
  const before = { ...(await store.read((tx) => tx.privacy.holdings(tenant, id))), rawMails: raws.size };
  const begun = auditEntry(core.commands, caller, { action: 'privacy.erase-begun', target: id, details: {} });
  await store.transact(async (tx) => {
    await tx.privacy.shut(tenant, id, clock.now());
    await tx.audit.add(begun);
  });

  let after: Holdings = {};
  for (let round = 0; round < ROUNDS_MAX; round++) {
    await finished(core, traveller, signal);
    // Mails that came in at the last moment have their bytes too.
    for (const raw of await store.read((tx) => tx.privacy.rawOf(tenant, id))) raws.add(raw);
    await store.transact((tx) => tx.privacy.erase(tenant, id));
    after = await store.read((tx) => tx.privacy.holdings(tenant, id));
    if (total(after) === 0) break;
  }
  let rawLeft = 0;
  for (const raw of raws) {
    for (const owner of [tenant, 'shared'] as const) {
      // The same bytes may be another traveller's mail too.
      if (await store.read((tx) => tx.privacy.needed(raw, owner))) continue;
      await blobs.remove(raw, owner, 0);
      if (await isThere(core, raw, tenant)) rawLeft++;
    }
  }
  const proof = { before, after: { ...after, rawMails: rawLeft } };
  const entry = auditEntry(core.commands, caller, { action: 'privacy.erase', target: id, details: proof });
  await store.transact((tx) => tx.audit.add(entry));
  if (total(proof.after) > 0) {
    const left = Object.entries(proof.after)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${count} in ${name}`);
    throw new TripwatchError(
      'defect',
      'erase-left',
      `Something of ${id} is left: ${left.join(', ')}. Run the command again; if it stays so, please report it.`,
    );
  }
  return { traveller: id, at: isoInstant(entry.at), ...proof, audit: entry.id };
}

const total = (counts: Holdings): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

async function isThere({ blobs }: Core, raw: Parameters<Core['blobs']['get']>[0], tenant: Traveller['tenant']) {
  return blobs.get(raw, tenant).then(
    () => true,
    (error: unknown) => !(error instanceof TripwatchError && error.code === 'blob-missing'),
  );
}

/** Until nothing of the traveller is under way: this process works it off, unless another is at work. */
async function finished(core: Core, { id, tenant }: Traveller, signal: AbortSignal): Promise<void> {
  const open = () => core.store.read((tx) => tx.privacy.unfinished(tenant, id, STAGES));
  const until = Date.now() + WAIT_MS;
  if ((await open()) > 0) await settle(core, AbortSignal.any([signal, AbortSignal.timeout(WAIT_MS)]));
  for (let left = await open(); left > 0; left = await open()) {
    if (Date.now() > until)
      throw new TripwatchError(
        'transient',
        'erase-unfinished',
        `${left} events of this traveller are still under way. Nothing more comes in, and credentials are gone. Resume what is paused (\`tripwatch paused\`), and run the command again.`,
      );
    await core.clock.sleep(LOOK_MS * core.clock.speed, signal);
  }
}
