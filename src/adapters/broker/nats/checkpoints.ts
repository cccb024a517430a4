import { AUDIT_DEEP_MS } from './limits.ts';
import type { Published } from './publisher.ts';

/** Enough for a minute and a half at the pace at which the relay's place is stored. */
const KEPT_MAX = 400;

interface Checkpoint extends Published {
  /** Real monotonic ms. */
  readonly at: number;
}

/**
 * Places of the last minutes, each in the log and in the stream: from where the two are compared. `audited` follows a
 * minute behind, because a loss shows itself a little later than it happens.
 */
export class Checkpoints {
  #audited: Published;
  #kept: Checkpoint[] = [];

  constructor(audited: Published = { seq: 0, streamSeq: 0 }) {
    this.#audited = audited;
  }

  /** Up to here log and stream are known to agree. */
  get audited(): Published {
    return this.#audited;
  }

  add(place: Published, at: number): void {
    const last = this.#kept.at(-1);
    if (last !== undefined && last.seq === place.seq) return;
    this.#kept.push({ seq: place.seq, streamSeq: place.streamSeq, at });
    if (this.#kept.length > KEPT_MAX) this.#kept.shift();
  }

  /** A comparison has found nothing missing, or has mended it. */
  agreed(now: number): void {
    while (this.#kept[0] !== undefined && this.#kept[0].at <= now - AUDIT_DEEP_MS) {
      const { seq, streamSeq } = this.#kept.shift()!;
      if (seq > this.#audited.seq) this.#audited = { seq, streamSeq };
    }
  }

  /** The earliest known place from which to `seq` there are at most about `rows`, or the latest one there is. */
  atMostBack(seq: number, rows: number): Published {
    const known = [this.#audited, ...this.#kept];
    return known.find((place) => seq - place.seq <= rows) ?? known.at(-1)!;
  }
}
