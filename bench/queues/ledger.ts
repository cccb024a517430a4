/** Which jobs were handled, and how often: the proof that the figures stand for work done once. */
export class Ledger {
  readonly #times: Uint8Array[];
  #handled = 0;

  constructor(subscribers: number, jobsMax: number) {
    this.#times = Array.from({ length: subscribers }, () => new Uint8Array(jobsMax));
  }

  /** Of all subscribers together, repeats included. */
  get handled(): number {
    return this.#handled;
  }

  readonly record = (n: number, subscriber: number): void => {
    const times = this.#times[subscriber];
    if (times === undefined || !(n >= 0 && n < times.length)) throw new Error(`job ${n} of ${subscriber} is not ours`);
    if (times[n]! < 255) times[n]!++;
    this.#handled++;
  };

  /** `published`: jobs 0 to that number. */
  proof(published: number): Proof {
    let missing = 0;
    let repeated = 0;
    let sum = 0;
    for (const times of this.#times) {
      for (let n = 0; n < published; n++) {
        if (times[n] === 0) missing++;
        else sum += n;
        if (times[n]! > 1) repeated += times[n]! - 1;
      }
      for (let n = published; n < times.length; n++) if (times[n]! > 0) throw new Error(`job ${n} was never published`);
    }
    const expected = (this.#times.length * published * (published - 1)) / 2;
    return { jobs: published * this.#times.length, missing, repeated, sumRight: sum === expected };
  }
}

export interface Proof {
  /** Times subscribers. */
  readonly jobs: number;
  /** Never handled. */
  readonly missing: number;
  /** Handled once too often, so many times. */
  readonly repeated: number;
  /** The numbers of the jobs handled add up to what was published. */
  readonly sumRight: boolean;
}
