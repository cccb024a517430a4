import { READ_EVENTS_MAX } from '../../../domain/limits.ts';

/** A place in the log between cursor and reading position. Done: finished, or a delivery row stands for it. */
export interface Slot {
  readonly seq: number;
  done: boolean;
}

/** The places that were read and are not all done. The cursor is the last place before which every slot is done. */
export class LogWindow {
  #slots: Slot[] = [];
  #head = 0;

  get span(): number {
    return this.#slots.length - this.#head;
  }

  push(seq: number): Slot {
    const slot: Slot = { seq, done: false };
    this.#slots.push(slot);
    return slot;
  }

  /** `readTo`: the reading position, which is the cursor where everything is done. */
  cursor(readTo: number): number {
    const first = this.#slots[this.#head];
    return first === undefined ? readTo : first.seq - 1;
  }

  /** Forgets what is done at its beginning; memory is given back in pieces. */
  trim(): void {
    while (this.#slots[this.#head]?.done) this.#head++;
    if (this.#head === this.#slots.length) this.#slots = [];
    else if (this.#head < READ_EVENTS_MAX || this.#head * 2 < this.#slots.length) return;
    else this.#slots = this.#slots.slice(this.#head);
    this.#head = 0;
  }
}
