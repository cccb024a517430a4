/**
 * Notices that providers pushed, each once for all processes. Only that it came is kept: what it says is not believed,
 * and whom it wakes is stored with the subjects, in the same transaction.
 */
export interface NoticeRepo {
  /**
   * Takes note of one; false: it was there before. `id`: within the account, no longer than a digest. Two who take the
   * same one at once wait for each other. `at`: epoch ms by our clock.
   */
  take(account: string, id: string, signed: boolean, at: number): Promise<boolean>;
  /** When the newest came that the provider had signed; undefined: none is known. */
  lastSignedAt(account: string): Promise<number | undefined>;
  /** Lets those from before an instant go: no provider repeats them any more. */
  forget(account: string, before: number): Promise<void>;
}
