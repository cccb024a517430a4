import type { ProviderState } from '../../contracts/provider-state.ts';
import type { ProviderConnector } from '../../ports/provider.ts';

/** More than this is a backlog that the rounds find, too. */
const NAMED_MAX = 20_000;

/**
 * The provider's list of changes (a queue of a GDS): how far it was read, and what it named and was not asked about yet.
 * Both are stored together before the list is read on, because what was told may never be told again.
 */
export class ChangeList {
  readonly #connector: ProviderConnector;
  readonly #wake: (specId: string) => boolean;
  #cursor: string | undefined;
  readonly #named = new Set<string>();

  /** `wake`: asks about it now; false: nobody follows it. */
  constructor(connector: ProviderConnector, wake: (specId: string) => boolean) {
    this.#connector = connector;
    this.#wake = wake;
  }

  get snapshot(): ProviderState['list'] {
    return this.#cursor === undefined ? undefined : { cursor: this.#cursor, named: [...this.#named] };
  }

  /** Goes on where another has stopped. */
  restore(list: ProviderState['list']): void {
    if (list === undefined) return;
    this.#cursor = list.cursor;
    for (const id of list.named) this.#named.add(id);
  }

  /** What was named before a restart and not asked about since. */
  wakeAgain(): void {
    for (const id of [...this.#named]) if (!this.#wake(id)) this.#named.delete(id);
  }

  /**
   * Looks at it once. `store`: keeps `snapshot`. True: there is more. Errors: those of the connector and of `store`; then
   * the list is read from the same place again.
   */
  async look(signal: AbortSignal, store: () => Promise<void>): Promise<boolean> {
    const before = this.#cursor;
    const { cursor, wakes, more } = await this.#connector.listChanged!(before, signal);
    const added = wakes.filter((id) => !this.#named.has(id)).slice(0, NAMED_MAX - this.#named.size);
    for (const id of added) this.#named.add(id);
    this.#cursor = cursor;
    if (cursor !== before || added.length > 0)
      await store().catch((error: unknown) => {
        this.#cursor = before;
        throw error;
      });
    // Also what was named before: it may have been named again because it has changed again.
    for (const id of new Set(wakes)) if (!this.#wake(id)) this.#named.delete(id);
    return more;
  }

  /** It was asked about. */
  asked(specId: string): void {
    this.#named.delete(specId);
  }
}
