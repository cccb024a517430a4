import type { ProviderState } from '../../contracts/provider-state.ts';

/** What was learned about the provider of an account: see src/contracts/provider-state.ts. One row an account. */
export interface ProviderStateRepo {
  /** Undefined: nothing is stored, or nothing that can be read (a later version's); the account starts anew. */
  get(account: string): Promise<ProviderState | undefined>;
  /** Replaces it. Write it under the lease of the account, so that one who has lost it overwrites nothing. */
  put(account: string, state: ProviderState, at: number): Promise<void>;
}
