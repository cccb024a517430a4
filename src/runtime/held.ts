import type { Lease } from '../ports/store/leases.ts';
import type { Store } from '../ports/store.ts';
import type { WorkGroup } from './keeper.ts';

/** Something that works by itself: a tracker of an account, the webhook sender. */
export interface Part {
  start(): void | Promise<void>;
  stop(): Promise<void>;
}

/** Parts that work in one process at a time: each while this process holds the lease of its resource, and writes under it. */
export interface HeldParts<P extends Part> {
  readonly group: WorkGroup;
  /** What works here now, by resource. */
  readonly here: ReadonlyMap<string, P>;
}

/**
 * `make` gets the store as the part may use it: every write carries the lease, and is refused once another has it; and
 * whether the lease is ours without doubt (see `WorkGroup.take`), for what no fence stops.
 */
export function heldParts<P extends Part>(
  name: string,
  resources: readonly string[],
  store: Store,
  make: (resource: string, store: Store, isOurs: () => boolean) => P,
): HeldParts<P> {
  const here = new Map<string, P>();
  const leave = async (resource: string): Promise<void> => {
    const ending = here.get(resource);
    here.delete(resource);
    await ending?.stop();
  };
  return {
    here,
    group: {
      name,
      resources,
      take: async (resource, lease, isOurs) => {
        // One that is still here was held under an older token.
        await leave(resource);
        const part = make(resource, fencedStore(store, lease), isOurs);
        here.set(resource, part);
        await part.start();
      },
      leave,
    },
  };
}

function fencedStore(store: Store, fence: Lease): Store {
  return {
    transact: (work, options) => store.transact(work, { fence, ...options }),
    effect: (mark, work, options) => store.effect(mark, work, { fence, ...options }),
    read: (work) => store.read(work),
    close: async () => {},
  };
}
