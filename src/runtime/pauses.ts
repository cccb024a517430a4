import type { AnyEvent } from '../contracts/event.ts';
import { PAUSES_LOOK_MS } from '../domain/limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Pause } from '../ports/store/control.ts';
import type { Store } from '../ports/store.ts';

/** What operators have paused, as this process knows it. Answers at once. */
export interface Paused {
  /** The stage takes up nothing. */
  stage(name: string): Pause | undefined;
  /** The provider account is asked nothing. */
  account(name: string): Pause | undefined;
  /** The event is put off: its tenant is paused, or the mailbox that its mail came to. */
  of(event: AnyEvent): Pause | undefined;
  /** No mail of it is taken in or read: it is paused, or its tenant. */
  mailbox(tenant: string, id: string): Pause | undefined;
  /** Called after each change. Returns its own undoing. */
  onChange(listener: () => void): () => void;
}

export interface PausesOptions {
  readonly store: Pick<Store, 'read'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Reads the pauses every second: a table of few rows, so each process knows of a change within that time. While the store
 * cannot be read, what was known last stands.
 */
export class Pauses implements Paused {
  readonly #options: PausesOptions;
  readonly #listeners = new Set<() => void>();
  readonly #stopping = new AbortController();
  #pauses: ReadonlyMap<string, Pause> = new Map();
  /** As text: to see whether anything changed. */
  #known = '[]';
  #loop: Promise<void> | undefined;

  constructor(options: PausesOptions) {
    this.#options = options;
  }

  /** Reads what stands, and goes on reading. Errors: those of the store. */
  async start(): Promise<void> {
    await this.look();
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  stage(name: string): Pause | undefined {
    return this.#pauses.get(`stage ${name}`);
  }

  account(name: string): Pause | undefined {
    return this.#pauses.get(`provider ${name}`);
  }

  of(event: AnyEvent): Pause | undefined {
    if (this.#pauses.size === 0) return undefined;
    const tenant = tenantOf(event);
    if (tenant === undefined) return undefined;
    const mailbox = mailboxOf(event);
    return mailbox === undefined ? this.#pauses.get(`tenant ${tenant}`) : this.mailbox(tenant, mailbox);
  }

  mailbox(tenant: string, id: string): Pause | undefined {
    if (this.#pauses.size === 0) return undefined;
    return this.#pauses.get(`tenant ${tenant}`) ?? this.#pauses.get(`mailbox ${tenant} ${id}`);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Reads now: for the process that has just changed something. Errors: those of the store. */
  async look(): Promise<void> {
    const pauses = await this.#options.store.read((tx) => tx.control.pauses());
    const known = JSON.stringify(pauses);
    if (known === this.#known) return;
    this.#known = known;
    this.#pauses = new Map(pauses.map((pause) => [keyOf(pause), pause]));
    for (const listener of this.#listeners) listener();
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await clock.sleep(PAUSES_LOOK_MS * clock.speed, signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.look().catch((error: unknown) =>
        logger.warn({ error: String(error) }, 'the pauses could not be read; what was known stands'),
      );
    }
  }
}

function keyOf({ kind, id, tenant }: Pause): string {
  return kind === 'mailbox' ? `mailbox ${tenant} ${id}` : `${kind} ${id}`;
}

/** Answers about subjects are shared: they travel under the operator's tenant but belong to those who follow. */
function tenantOf(event: AnyEvent): string | undefined {
  return event.topic === 'subject.observed' ? event.data?.only?.tenant : event.tenantid;
}

/** Of a mail on its way. The event may be of any shape: it has not been checked yet. */
function mailboxOf(event: AnyEvent): string | undefined {
  if (event.topic !== 'mail.seen' && event.topic !== 'mail.collected') return undefined;
  return event.data?.mailboxId;
}
