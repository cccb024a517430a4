/**
 * A provider in virtual time with a limit that it does not tell and that moves. `bucket`: a second's worth of calls may
 * bunch. `window`: counted anew every ten seconds. `queue`: refuses nothing, but works on so many a second and lets the
 * others wait. `fields`: tells its limit in RateLimit fields.
 */
export interface Limited {
  readonly kind: 'bucket' | 'window' | 'queue' | 'fields';
  /** What a refusal says: nothing, a time to wait, or only 403. */
  readonly says: 'nothing' | 'retry-after' | '403';
  /** From each time on, calls a second. */
  readonly limits: readonly { readonly fromMs: number; readonly perSecond: number }[];
  readonly latencyMs: number;
}

export interface Reply {
  readonly at: number;
  readonly kind: 'accepted' | 'refused' | 'timeout';
  /** Epoch ms; of a refusal that names one. */
  readonly retryAt?: number;
  readonly fields?: {
    readonly max: number;
    readonly perSeconds: number;
    readonly left: number;
    readonly resetAt: number;
  };
}

const TIMEOUT_MS = 15_000;
const WINDOW_MS = 10_000;

export class LimitedProvider {
  readonly #model: Limited;
  readonly #random: () => number;
  readonly #from: number;
  #tokens: number;
  #tokensAt: number;
  #window = -1;
  #inWindow = 0;
  #freeAt = 0;
  /** Nothing may be asked before, as far as it has told. */
  toldToWaitTo = Number.NEGATIVE_INFINITY;
  early = 0;

  constructor(model: Limited, from: number, random: () => number) {
    this.#model = model;
    this.#random = random;
    this.#from = from;
    this.#tokensAt = from;
    this.#tokens = this.perSecond(from);
  }

  perSecond(now: number): number {
    return this.#model.limits.findLast((limit) => now - this.#from >= limit.fromMs)?.perSecond ?? 1;
  }

  ask(now: number): Reply {
    if (now < this.toldToWaitTo) this.early++;
    const latency = this.#model.latencyMs * (0.7 + 0.6 * this.#random() + (this.#random() < 0.02 ? 3 : 0));
    const at = now + latency;
    const rate = this.perSecond(now);
    if (this.#model.kind === 'queue') {
      this.#freeAt = Math.max(this.#freeAt, now) + 1000 / rate;
      const done = Math.max(at, this.#freeAt + this.#model.latencyMs / 2);
      return done - now > TIMEOUT_MS ? { at: now + TIMEOUT_MS, kind: 'timeout' } : { at: done, kind: 'accepted' };
    }
    if (this.#model.kind !== 'bucket') return this.#counted(now, at, rate);
    this.#tokens = Math.min(rate, this.#tokens + ((now - this.#tokensAt) * rate) / 1000);
    this.#tokensAt = now;
    if (this.#tokens >= 1) {
      this.#tokens--;
      return { at, kind: 'accepted' };
    }
    return this.#refusal(at, at + 1000 + Math.floor(this.#random() * 2) * 1000);
  }

  #counted(now: number, at: number, rate: number): Reply {
    const window = Math.floor(now / WINDOW_MS);
    if (window !== this.#window) this.#inWindow = 0;
    this.#window = window;
    const max = Math.round((rate * WINDOW_MS) / 1000);
    const resetAt = (window + 1) * WINDOW_MS;
    if (this.#inWindow >= max) return this.#refusal(at, Math.max(at + 1000, resetAt));
    this.#inWindow++;
    if (this.#model.kind === 'window') return { at, kind: 'accepted' };
    const left = max - this.#inWindow;
    return {
      at,
      kind: 'accepted',
      fields: { max, perSeconds: WINDOW_MS / 1000, left, resetAt: Math.max(at, resetAt) },
    };
  }

  /** Told when the refusal arrives: what is on its way by then could not know. */
  #refusal(at: number, retryAt: number): Reply {
    return this.#model.says === 'retry-after' ? { at, kind: 'refused', retryAt } : { at, kind: 'refused' };
  }
}
