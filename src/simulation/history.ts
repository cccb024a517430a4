import type { RuntimeEvent } from '../runtime/events.ts';

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
  readonly url: string;
  readonly id: string;
  readonly body: string;
  /** The receiver did its work, whatever the sender then heard. */
  readonly taken: boolean;
}

/** What the outside world and the runtime saw, for the checkers. */
export interface History {
  readonly accepted: AcceptedByUs[];
  readonly calls: ProviderCall[];
  readonly posts: ReceivedPost[];
  readonly runtime: { readonly life: number; readonly at: number; readonly event: RuntimeEvent }[];
  /** What the run itself found wrong: no end in bounded time, a crash, a rejected promise nobody caught. */
  readonly faults: { readonly invariant: string; readonly message: string }[];
  crashes: number;
  restarts: number;
  healedAt: number;
  quietAt: number | undefined;
}

export function emptyHistory(): History {
  return {
    accepted: [],
    calls: [],
    posts: [],
    runtime: [],
    faults: [],
    crashes: 0,
    restarts: 0,
    healedAt: Number.POSITIVE_INFINITY,
    quietAt: undefined,
  };
}
