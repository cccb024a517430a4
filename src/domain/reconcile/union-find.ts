/** Sets that only ever grow together. Near-linear: path halving, union by size. */
export class UnionFind {
  readonly #parent: number[] = [];
  readonly #size: number[] = [];

  /** A new element in a set of its own; returns its number. */
  add(): number {
    this.#parent.push(this.#parent.length);
    this.#size.push(1);
    return this.#parent.length - 1;
  }

  root(element: number): number {
    let at = element;
    while (this.#parent[at] !== at) {
      this.#parent[at] = this.#parent[this.#parent[at]!]!;
      at = this.#parent[at]!;
    }
    return at;
  }

  union(a: number, b: number): void {
    const [x, y] = [this.root(a), this.root(b)];
    if (x === y) return;
    const [big, small] = this.#size[x]! >= this.#size[y]! ? [x, y] : [y, x];
    this.#parent[small] = big;
    this.#size[big]! += this.#size[small]!;
  }
}

/** Connected components of `items`, two being connected when they share a key. Components keep the order of `items`. */
export function components<T>(items: readonly T[], keysOf: (item: T) => Iterable<string>): T[][] {
  const sets = new UnionFind();
  const firstWithKey = new Map<string, number>();
  items.forEach((item) => {
    const element = sets.add();
    for (const key of keysOf(item)) {
      const other = firstWithKey.get(key);
      if (other === undefined) firstWithKey.set(key, element);
      else sets.union(element, other);
    }
  });
  const found = new Map<number, T[]>();
  items.forEach((item, element) => {
    const root = sets.root(element);
    const component = found.get(root);
    if (component) component.push(item);
    else found.set(root, [item]);
  });
  return [...found.values()];
}
