import type { z } from 'zod';
import type { Clock } from '../../ports/clock.ts';
import type { ProviderConnector } from '../../ports/provider.ts';

/** What a connector says of itself, so that an account of it can be configured, checked and made. */
export interface ConnectorEntry {
  /** `connector` in the configuration. */
  readonly name: string;
  /** Shown to people. */
  readonly label: string;
  /** It tells how flights run: all that do give a flight the same subject, and stand in for one another. */
  readonly flightStatus?: true;
  /** What `options` of an account may hold; absent: none. */
  readonly options?: z.ZodType;
  /** The secrets of an account: `key` and `webhookSecret` have fields of their own, others stand under `secrets`. */
  readonly secrets: Readonly<Record<string, 'needed' | 'optional'>>;
  /**
   * Whose word an account's answers are: two of one vendor never confirm each other. Absent: all accounts of the connector
   * are at one vendor.
   */
  vendorOf?(setup: Pick<ConnectorSetup, 'options' | 'folder'>): string;
  /** Errors: permanent `connector-invalid` where only the making shows that the options cannot be used. */
  create(setup: ConnectorSetup): ProviderConnector;
}

export interface ConnectorSetup {
  /** Our name of the account. */
  readonly account: string;
  /** What people read of it. */
  readonly label: string;
  readonly clock: Clock;
  readonly url?: string;
  /** Checked by the entry's schema. */
  readonly options: unknown;
  /** By name; what is needed is there. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Where relative file names begin. */
  readonly folder: string;
}
