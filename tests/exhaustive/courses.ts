/**
 * Plays a small concurrent world in every order: what would happen sooner or later (an answer, a commit) waits as a step,
 * and a course says which of the waiting steps happens next. Courses are walked depth first, each from the beginning.
 */
export interface Step {
  readonly name: string;
  /** Only when nothing else is left that could happen: long waits, as they are longer than everything else. */
  readonly late?: true;
  readonly happen: () => void;
}

export class World {
  readonly #steps: Step[] = [];

  add(step: Step): void {
    this.#steps.push(step);
  }

  /** Happens when its turn comes; what it returns, or throws, is what the caller gets. */
  later<T>(name: string, run: () => T | Promise<T>, late?: true): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const happen = (): void => {
      try {
        resolve(run());
      } catch (error) {
        reject(error);
      }
    };
    this.add({ name, happen, ...(late === undefined ? {} : { late }) });
    return promise;
  }

  /** Those of which one may happen next. Of several with one name the oldest: they are alike, so their order is, too. */
  next(): readonly Step[] {
    const soon = this.#steps.filter(({ late }) => late === undefined);
    const all = soon.length > 0 ? soon : this.#steps;
    return all.filter(({ name }, at) => all.findIndex((other) => other.name === name) === at);
  }

  /** What can no longer happen. */
  drop(name: string): void {
    const at = this.#steps.findIndex((step) => step.name === name);
    if (at >= 0) this.#steps.splice(at, 1);
  }

  take(step: Step): void {
    this.#steps.splice(this.#steps.indexOf(step), 1);
    step.happen();
  }
}

/** One course, played: the world, and what holds when nothing happens any more. `stateOf` tells states apart. */
export interface Play {
  readonly world: World;
  readonly check: () => void;
  readonly stateOf: () => string;
  readonly ended: () => Promise<void>;
}

/** Returns how many courses there are, and how many different states were seen on them. */
export async function everyCourse(begin: () => Play): Promise<{ readonly courses: number; readonly states: number }> {
  const states = new Set<string>();
  let courses = 0;
  for (let choices: readonly number[] | undefined = []; choices !== undefined; courses++) {
    const { world, check, stateOf, ended } = begin();
    const taken: number[] = [];
    const widths: number[] = [];
    const names: string[] = [];
    try {
      for (await settled(); world.next().length > 0; await settled()) {
        const next = world.next();
        states.add(`${stateOf()} ${next.map(({ name }) => name).sort()}`);
        const choice = choices[taken.length] ?? 0;
        taken.push(choice);
        widths.push(next.length);
        names.push(next[choice]!.name);
        world.take(next[choice]!);
        check();
      }
      await ended();
    } catch (error) {
      throw new Error(`${names.join(' → ')}: ${String(error)}`, { cause: error });
    }
    choices = following(taken, widths);
  }
  return { courses, states: states.size };
}

/** The next course in order; undefined: that was the last. */
function following(taken: readonly number[], widths: readonly number[]): readonly number[] | undefined {
  for (let at = taken.length - 1; at >= 0; at--)
    if (taken[at]! + 1 < widths[at]!) return [...taken.slice(0, at), taken[at]! + 1];
  return undefined;
}

/** All that follows from what happened has happened. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
