import type { Topic } from '../../../contracts/topics.ts';
import type { EffectMark, EffectResult, ReadTx, Store, TransactOptions, Tx } from '../../../ports/store.ts';
import type { RecentRows } from './recent.ts';
import type { Db } from './schema.ts';

/** What adapters in the same database (the broker) get besides the repositories. */
export interface SqlTx extends Tx {
  readonly db: Db;
  /** Tells the listeners of `onAppended`, after the commit, that there is something to deliver. */
  touch(topic: Topic, shard: number): void;
}
export interface SqlReadTx extends ReadTx {
  readonly db: Db;
}

/** Which shards of which topics have something new. */
export type Appended = ReadonlyMap<Topic, ReadonlySet<number>>;
/** `ours`: by this process, so that what was appended is in `recent`. */
export type AppendedListener = (appended: Appended, ours: boolean) => void;

/** A store in SQL: the same tables and statements on SQLite and PostgreSQL. */
export interface SqlStore extends Store {
  transact<T>(work: (tx: SqlTx) => Promise<T>, options?: TransactOptions): Promise<T>;
  effect<T>(mark: EffectMark, work: (tx: SqlTx) => Promise<T>, options?: TransactOptions): Promise<EffectResult<T>>;
  read<T>(work: (tx: SqlReadTx) => Promise<T>): Promise<T>;
  /** Shards of the log; fixed when the installation is made. */
  readonly shards: number;
  /** What this process appended of late. */
  readonly recent: RecentRows;
  /**
   * Called after each commit of this process that appended or touched, before the works' promises resolve, and as soon
   * as is known for those of other processes. A notice may be lost: see `changedElsewhere`. Returns its own undoing.
   */
  onAppended(listener: AppendedListener): () => void;
  /** Whether another process may have appended or touched since the last call: a cheap question for a slow poll. */
  changedElsewhere(): Promise<boolean>;
}

/** `effect` by `transact`: for a store whose works have their claims one by one, and for wrappers of one. */
export function effectBy(transact: SqlStore['transact']): SqlStore['effect'] {
  return <T>(
    { consumer, eventId, now, failed }: EffectMark,
    work: (tx: SqlTx) => Promise<T>,
    options?: TransactOptions,
  ): Promise<EffectResult<T>> =>
    transact<EffectResult<T>>(async (tx) => {
      if (!(await tx.log.claim(consumer, eventId, now, failed))) return { repeat: true };
      return { repeat: false, value: await work(tx) };
    }, options);
}
