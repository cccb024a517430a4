/** A binary heap by time. */
export class DueHeap<T> {
  readonly #rows: { readonly at: number; readonly value: T }[] = [];

  push(at: number, value: T): void {
    const rows = this.#rows;
    rows.push({ at, value });
    for (let i = rows.length - 1; i > 0; ) {
      const up = (i - 1) >> 1;
      if (rows[up]!.at <= rows[i]!.at) break;
      [rows[up], rows[i]] = [rows[i]!, rows[up]!];
      i = up;
    }
  }

  firstAt(): number | undefined {
    return this.#rows[0]?.at;
  }

  popDue(now: number): T | undefined {
    const rows = this.#rows;
    const first = rows[0];
    if (first === undefined || first.at > now) return undefined;
    const last = rows.pop()!;
    if (rows.length > 0) {
      rows[0] = last;
      for (let i = 0; ; ) {
        let least = i;
        for (const child of [2 * i + 1, 2 * i + 2])
          if (child < rows.length && rows[child]!.at < rows[least]!.at) least = child;
        if (least === i) break;
        [rows[least], rows[i]] = [rows[i]!, rows[least]!];
        i = least;
      }
    }
    return first.value;
  }
}
