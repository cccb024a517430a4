/**
 * Visits every state that a small machine can reach by its steps, breadth first, and checks each. States are told apart
 * by `keyOf`; the way to a state that fails is in the message. `depthMax` bounds machines without end.
 */
export interface Machine<S> {
  readonly first: S;
  readonly steps: Readonly<Record<string, (state: S) => S | undefined>>;
  readonly keyOf: (state: S) => string;
  /** Throws where the state, or the step that led to it, breaks a rule. */
  readonly check: (state: S, before: S | undefined, step: string) => void;
  readonly depthMax: number;
}

export interface Explored<S> {
  readonly states: readonly S[];
  readonly transitions: number;
  /** Nothing new was found in the last round: these are all states there are. */
  readonly isWhole: boolean;
}

export function explore<S>(machine: Machine<S>): Explored<S> {
  const seen = new Map<string, string>([[machine.keyOf(machine.first), 'start']]);
  const states: S[] = [machine.first];
  let border: readonly S[] = [machine.first];
  let transitions = 0;
  machine.check(machine.first, undefined, 'start');
  for (let depth = 0; depth < machine.depthMax && border.length > 0; depth++) {
    const next: S[] = [];
    for (const state of border) {
      const path = seen.get(machine.keyOf(state))!;
      for (const [name, step] of Object.entries(machine.steps)) {
        const after = step(state);
        if (after === undefined) continue;
        transitions++;
        try {
          machine.check(after, state, name);
        } catch (error) {
          throw new Error(`after ${path} → ${name}: ${String(error)}`, { cause: error });
        }
        const key = machine.keyOf(after);
        if (seen.has(key)) continue;
        seen.set(key, `${path} → ${name}`);
        states.push(after);
        next.push(after);
      }
    }
    border = next;
  }
  return { states, transitions, isWhole: border.length === 0 };
}
