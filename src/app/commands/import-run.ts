import type { FileProblem } from '../../adapters/mailbox/files/file-mail.ts';
import { measureFiles, readMailFiles } from '../../adapters/mailbox/files/read.ts';
import { kindOf, TripwatchError } from '../../domain/errors.ts';
import { derivedId, type MailId, type ReservationId } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AcceptedMail, IncomingMail, Intake } from '../../ports/intake.ts';
import type { Mailbox, Traveller } from '../../ports/store/accounts.ts';
import type { Disposition } from '../../ports/store/mails.ts';
import type { Store } from '../../ports/store.ts';

/** What an import needs of a running pipeline. */
export interface ImportEnv {
  readonly store: Store;
  readonly intake: Intake;
  readonly clock: Clock;
  /** Resolves when every mail that was taken in has reached its end. */
  idle(signal: AbortSignal): Promise<void>;
  /** Later stages lag: nothing new should be taken in just now. */
  overloaded(): boolean | Promise<boolean>;
}

export interface ImportJob {
  readonly paths: readonly string[];
  readonly mailbox: Mailbox;
  /** Largest mail that is read as a whole, bytes. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  onProgress(progress: ImportProgress): void;
}

export interface ImportProgress {
  readonly phase: 'storing' | 'reading';
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly mails: number;
  /** In phase `reading`: mails of this traveller that are still on their way. */
  readonly waiting: number;
}

export interface ImportSummary {
  readonly mailbox: string;
  /** Files looked at, and those of them that hold mails. */
  readonly files: number;
  readonly filesWithMail: number;
  readonly bytes: number;
  /** Mails found in the files; those that came before, or twice, counted in `known`. */
  readonly mails: number;
  readonly new: number;
  readonly known: number;
  /** What became of them, each mail once. Of very many, the figures of all mails of the traveller (`everyMail`). */
  readonly dispositions: Readonly<Partial<Record<Disposition, number>>>;
  readonly everyMail: boolean;
  readonly reservations: number;
  /** Why mails failed or were skipped, the commonest first. */
  readonly reasons: readonly { readonly code: string; readonly reason: string; readonly mails: number }[];
  readonly problems: readonly { readonly source: string; readonly code: string; readonly message: string }[];
  readonly problemsTotal: number;
  readonly stopped: boolean;
}

/** Mails between file and store at one time: enough for one commit to serve many. */
const IN_FLIGHT_MAX = 64;
/** Their bytes, so that large mails do not add up. */
const IN_FLIGHT_BYTES_MAX = 32 * 1024 * 1024;
/** Ids remembered for the summary: about 20 MiB. */
const REMEMBERED_MAX = 200_000;
/** What the summary gives reasons for. */
const EXPLAINED: readonly Disposition[] = ['failed', 'skipped', 'quarantined'];
const PROBLEMS_SHOWN_MAX = 100;
const WAIT_MS = 50;

/** The mailbox that a traveller's imported mails belong to; always the same, so that a repeat is found to be one. */
export async function importMailbox(env: Pick<ImportEnv, 'store' | 'clock'>, traveller: Traveller): Promise<Mailbox> {
  const mailbox: Mailbox = {
    id: derivedId('mbx', traveller.tenant, traveller.id, 'import'),
    tenant: traveller.tenant,
    traveller: traveller.id,
    kind: 'import',
    label: 'Imported files',
    address: undefined,
    state: 'active',
    createdAt: env.clock.now(),
  };
  return env.store.transact(async (tx) => {
    const all = await tx.accounts.listMailboxes(traveller.tenant, traveller.id);
    const known = all.find((one) => one.id === mailbox.id);
    if (known === undefined) await tx.accounts.addMailbox(mailbox, undefined);
    return known ?? mailbox;
  });
}

/**
 * Hands every mail in the files to the intake and waits until the pipeline has dealt with them. May be interrupted and
 * repeated at any time: what is stored is known by its bytes. Errors: those of the intake, when they do not pass.
 */
export async function runImport(env: ImportEnv, job: ImportJob): Promise<ImportSummary> {
  const tally = new Tally();
  const total = await measureFiles(job.paths, job.signal).catch(unlessAborted(job.signal));
  const report = (phase: ImportProgress['phase'], bytesDone: number, waiting: number) =>
    job.onProgress({ phase, bytesDone, bytesTotal: total?.bytes ?? 0, mails: tally.mails, waiting });
  const flights = new Flights();
  try {
    for await (const item of readMailFiles(job.paths, { maxBytes: job.maxBytes, signal: job.signal })) {
      if (item.kind === 'problem') {
        tally.problem(item);
        continue;
      }
      tally.found(item.source);
      await flights.room(item.bytes.byteLength);
      while (await env.overloaded()) await env.clock.sleep(WAIT_MS * env.clock.speed, job.signal);
      const mail: IncomingMail = {
        mailbox: job.mailbox,
        bytes: item.bytes,
        via: 'import',
        ...(item.kind === 'too-large' ? { fullSize: item.size } : {}),
      };
      const accepted = acceptPatiently(env, mail, job.signal).then((result) => tally.accepted(result));
      flights.add(accepted, item.bytes.byteLength);
      report('storing', item.done, 0);
    }
    await flights.landed();
    report('storing', total?.bytes ?? 0, 0);
    await finish(env, job, report);
  } catch (error) {
    await flights.settled();
    if (!job.signal.aborted) throw error;
  }
  return summarise(env, job, tally, total ?? { files: 0, bytes: 0 });
}

async function finish(
  env: ImportEnv,
  job: ImportJob,
  report: (phase: 'reading', bytesDone: number, waiting: number) => void,
): Promise<void> {
  const { tenant, traveller } = job.mailbox;
  const done = new AbortController();
  const watch = async () => {
    while (!done.signal.aborted) {
      const counts = await env.store.read((tx) => tx.mails.count(tenant, traveller));
      report('reading', 0, counts.seen + counts.collected);
      await env.clock.sleep(10 * WAIT_MS * env.clock.speed, done.signal).catch(() => undefined);
    }
  };
  const watching = watch();
  try {
    await env.idle(job.signal);
  } finally {
    done.abort();
    await watching;
  }
}

/** "Later" is waited for as long as it takes; other passing errors a few times. */
async function acceptPatiently(env: ImportEnv, mail: IncomingMail, signal: AbortSignal): Promise<AcceptedMail> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await env.intake.accept(mail);
    } catch (error) {
      const kind = kindOf(error);
      if (kind === 'rate-limited') attempt = 0;
      else if (kind !== 'transient' || attempt >= 5) throw error;
      await env.clock.sleep(WAIT_MS * 4 ** Math.min(attempt, 4) * env.clock.speed, signal);
    }
  }
}

/** Bounded work under way. The first failure is thrown by the next call. */
class Flights {
  readonly #under = new Set<Promise<void>>();
  #bytes = 0;
  #failure: { readonly error: unknown } | undefined;

  add(work: Promise<void>, bytes: number): void {
    this.#bytes += bytes;
    const flight = work
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#bytes -= bytes;
        this.#under.delete(flight);
      });
    this.#under.add(flight);
  }

  async room(bytes: number): Promise<void> {
    const full = () =>
      this.#under.size >= IN_FLIGHT_MAX || (this.#under.size > 0 && this.#bytes + bytes > IN_FLIGHT_BYTES_MAX);
    while (full()) await Promise.race(this.#under);
    this.#throwFailure();
  }

  async landed(): Promise<void> {
    await this.settled();
    this.#throwFailure();
  }

  async settled(): Promise<void> {
    await Promise.all(this.#under);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

class Tally {
  mails = 0;
  fresh = 0;
  files = 0;
  problemsTotal = 0;
  overflow = false;
  #source: string | undefined;
  readonly ids = new Set<MailId>();
  readonly problems: FileProblem[] = [];

  /** The mails of one file come one after the other. */
  found(source: string): void {
    if (source !== this.#source) this.files++;
    this.#source = source;
  }

  accepted(result: AcceptedMail): void {
    this.mails++;
    if (result.new) this.fresh++;
    if (this.ids.size < REMEMBERED_MAX) this.ids.add(result.mailId);
    else this.overflow = true;
  }

  problem(item: FileProblem): void {
    this.problemsTotal++;
    if (this.problems.length < PROBLEMS_SHOWN_MAX) this.problems.push(item);
  }
}

async function summarise(
  env: ImportEnv,
  job: ImportJob,
  tally: Tally,
  total: { readonly files: number; readonly bytes: number },
): Promise<ImportSummary> {
  const { tenant, traveller } = job.mailbox;
  const dispositions: Partial<Record<Disposition, number>> = {};
  const reasons = new Map<string, { code: string; reason: string; mails: number }>();
  const reservations = new Set<ReservationId>();
  const ids = [...tally.ids];
  for (let at = 0; at < ids.length; at += 500) {
    await env.store.read(async (tx) => {
      for (const id of ids.slice(at, at + 500)) {
        const receipt = await tx.mails.get(tenant, id);
        if (receipt === undefined) continue;
        dispositions[receipt.disposition] = (dispositions[receipt.disposition] ?? 0) + 1;
        for (const reservation of receipt.reservations) reservations.add(reservation);
        if (!EXPLAINED.includes(receipt.disposition)) continue;
        const known = reasons.get(receipt.reasonCode);
        if (known === undefined)
          reasons.set(receipt.reasonCode, { code: receipt.reasonCode, reason: receipt.reason, mails: 1 });
        else known.mails++;
      }
    });
  }
  const counts = tally.overflow ? await env.store.read((tx) => tx.mails.count(tenant, traveller)) : dispositions;
  return {
    mailbox: job.mailbox.id,
    files: total.files,
    filesWithMail: tally.files,
    bytes: total.bytes,
    mails: tally.mails,
    new: tally.fresh,
    known: tally.mails - tally.fresh,
    dispositions: Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0)),
    everyMail: tally.overflow,
    reservations: reservations.size,
    reasons: [...reasons.values()].sort((a, b) => b.mails - a.mails),
    problems: tally.problems.map(({ source, code, message }) => ({ source, code, message })),
    problemsTotal: tally.problemsTotal,
    stopped: job.signal.aborted,
  };
}

function unlessAborted(signal: AbortSignal): (error: unknown) => undefined {
  return (error) => {
    if (!signal.aborted) throw new TripwatchError('permanent', 'import-paths', String(error), { cause: error });
  };
}
