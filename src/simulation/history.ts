import type { RuntimeEvent } from '../runtime/events.ts';
import type { LedgerLook } from './ledger.ts';

/** A mail whose sender was told "accepted". */
export interface AcceptedByUs {
  readonly mailId: string;
  readonly at: number;
}

/** One call at the provider, as it began. */
export interface ProviderCall {
  readonly at: number;
  /** Which life of the process asked. */
  readonly life: number;
  readonly about: string;
  /** The latest instant that this life had been told to wait for when it asked; undefined: none. */
  readonly toldToWaitTo: number | undefined;
  /** The same, as told to any life: what a restart forgets. */
  readonly anyoneToldTo: number | undefined;
}

/** One POST as the receiver saw it. */
export interface ReceivedPost {
  readonly at: number;
  readonly life: number;
  /** Since when that process has not stood still. */
  readonly awakeSince: number;
  readonly url: string;
  readonly id: string;
  readonly body: string;
  /** The receiver did its work, whatever the sender then heard. */
  readonly taken: boolean;
}

/** A transaction under a lease that was committed, in the order of commits. */
export interface FencedWrite {
  readonly at: number;
  readonly life: number;
  readonly resource: string;
  readonly token: number;
}

/** A lease as the store gave it out. */
export interface LeaseTaken extends FencedWrite {
  readonly owner: string;
  /** Whose it was, and until when, by the store's time. */
  readonly before: LeaseTime | undefined;
}

export interface LeaseTime {
  readonly owner: string;
  readonly until: number;
}

/** What the runtime of a process said. */
export interface SeenByRuntime {
  readonly life: number;
  readonly at: number;
  /** Since when that process has not stood still. */
  readonly awakeSince: number;
  readonly event: RuntimeEvent;
}

/** A look into the store during the run. */
export interface Look {
  readonly at: number;
  /** What may only grow. */
  readonly counts: Readonly<Record<string, number>>;
  /** Not done, and in nobody's care. */
  readonly lost: readonly { readonly consumer: string; readonly id: string }[];
  /** What is asked about, and of when its newest answer is said to be. */
  readonly checked: readonly { readonly about: string; readonly checkedAt: number }[];
}

/** The provider's answer about something, as it came. */
export interface ProviderAnswer {
  readonly at: number;
  readonly askedAt: number;
  readonly about: string;
  /** Which state of the flight it tells: how many steps of its story lie behind. */
  readonly state: number;
}

/** An effect that was committed, in the order of commits. */
export interface CommittedEffect {
  readonly at: number;
  readonly life: number;
  readonly consumer: string;
  readonly eventId: string;
  /** When the event was handed to this life. */
  readonly deliveredAt: number | undefined;
}

/** A sign-in at the mail server that was refused. */
export interface RefusedSignIn {
  readonly at: number;
  readonly life: number;
  readonly mailbox: string;
}

/** A push of a mail provider, or of a stranger, and what it was taken for. */
export interface PushTaken {
  readonly at: number;
  readonly life: number;
  readonly forged: boolean;
  readonly verdict: string;
}

/** A push of the flight-status provider, or of a stranger, on its way to a process. */
export interface ProviderPush {
  readonly id: string;
  readonly forged: boolean;
  /** It reached the process, and was answered, at. */
  readonly from: number;
  at?: number;
  readonly life: number;
  /** Undefined: never answered. */
  verdict?: string;
  /** What was followed then: the subject, and how it is asked about; and what still was so long as an answer may take later. */
  readonly about: readonly { readonly subject: string; readonly flight: string }[];
  still?: ProviderPush['about'];
}

/** What the outside world and the runtime saw, for the checkers. */
export interface History {
  readonly accepted: AcceptedByUs[];
  readonly calls: ProviderCall[];
  readonly answers: ProviderAnswer[];
  readonly posts: ReceivedPost[];
  readonly fenced: FencedWrite[];
  readonly taken: LeaseTaken[];
  /** As it is now, by resource. */
  readonly leases: Map<string, LeaseTime>;
  readonly effects: CommittedEffect[];
  readonly looks: Look[];
  readonly runtime: SeenByRuntime[];
  readonly refusedSignIns: RefusedSignIn[];
  /** A process began, died, stopped or stood still: until work has found its holder again, all takes longer. */
  readonly disturbed: { readonly from: number; readonly to: number }[];
  readonly pushes: PushTaken[];
  readonly providerPushes: ProviderPush[];
  /** Questions that the provider did not answer well, until it would have. */
  readonly troubles: { readonly from: number; readonly to: number }[];
  /** Connected mailboxes, as server and ledger have them at every look and at the end. */
  readonly ledgers: LedgerLook[];
  /** What the run itself found wrong: no end in bounded time, a crash, a rejected promise nobody caught. */
  readonly faults: { readonly invariant: string; readonly message: string }[];
  crashes: number;
  restarts: number;
  pauses: number;
  powerLosses: number;
  /** Calls to the outside at which a process could have died. */
  points: number;
  healedAt: number;
  quietAt: number | undefined;
}

export function emptyHistory(): History {
  return {
    accepted: [],
    calls: [],
    answers: [],
    posts: [],
    fenced: [],
    taken: [],
    leases: new Map(),
    effects: [],
    looks: [],
    runtime: [],
    refusedSignIns: [],
    disturbed: [],
    pushes: [],
    providerPushes: [],
    troubles: [],
    ledgers: [],
    faults: [],
    crashes: 0,
    restarts: 0,
    pauses: 0,
    powerLosses: 0,
    points: 0,
    healedAt: Number.POSITIVE_INFINITY,
    quietAt: undefined,
  };
}
