import type { TenantId } from '../../domain/ids.ts';

/** What can be paused, and what that means. */
export const PAUSE_KINDS = {
  stage: 'the stage takes up nothing new, in any process',
  provider: 'the account asks its provider nothing',
  mailbox: 'no mail of it is taken in or read',
  tenant: 'no event of it is worked on',
} as const;
export type PauseKind = keyof typeof PAUSE_KINDS;

/** Work that an operator has stopped. It waits until it is resumed; nothing of it is given up meanwhile. */
export interface Pause {
  readonly kind: PauseKind;
  /** Stage name, provider account, mailbox id, tenant id. */
  readonly id: string;
  /** Whose it is; undefined: the installation's (stages and provider accounts). */
  readonly tenant: TenantId | undefined;
  readonly reason: string;
  /** Token id or `cli…`. */
  readonly by: string;
  /** Epoch ms. */
  readonly at: number;
}

/** Few rows: processes read all of them every second. */
export interface ControlRepo {
  /** False: it is paused already, and that pause stands with its own reason. */
  pause(pause: Pause): Promise<boolean>;
  /** The pause that ended; undefined: it was not paused. */
  resume(what: Pick<Pause, 'kind' | 'id' | 'tenant'>): Promise<Pause | undefined>;
  /** Oldest first. Operator-wide. */
  pauses(): Promise<readonly Pause[]>;
  /** Operator-wide. */
  tenants(): Promise<readonly TenantId[]>;
}
