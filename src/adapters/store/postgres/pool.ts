import type { Connection } from './connection.ts';

/** A few connections, opened when needed, then kept; one that broke is replaced. */
export class Pool {
  readonly #open: () => Promise<Connection>;
  readonly #max: number;
  #free: Connection[] = [];
  readonly #waiting: (() => void)[] = [];
  #inUse = 0;
  #closed = false;

  constructor(open: () => Promise<Connection>, max: number) {
    this.#open = open;
    this.#max = max;
  }

  /** Runs `work` on a connection that nobody else uses meanwhile. */
  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    while (this.#inUse >= this.#max) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#inUse++;
    let connection: Connection | undefined;
    try {
      this.#free = this.#free.filter((one) => !one.broken);
      connection = this.#free.pop() ?? (await this.#open());
      return await work(connection);
    } finally {
      this.#inUse--;
      if (connection !== undefined && !connection.broken) {
        if (this.#closed) void connection.close();
        else this.#free.push(connection);
      }
      this.#waiting.shift()?.();
    }
  }

  /** What is under way ends by itself; its connections close as they come back. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#free.splice(0).map((connection) => connection.close()));
  }
}
