import type { Topic } from '../../../contracts/topics.ts';
import type { ReadTx } from '../../../ports/store.ts';
import { openLog } from './log.ts';
import type { Db } from './schema.ts';

/** The repositories on one connection. `touch` is told of every topic that got something to deliver. */
export function openRepos(db: Db, touch: (topic: Topic) => void): ReadTx {
  return {
    log: openLog(db, touch),
  } as ReadTx;
}
