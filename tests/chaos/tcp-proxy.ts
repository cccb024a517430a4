import { createServer, type Server, Socket } from 'node:net';
import { seededRandom } from '../contract/broker/rig.ts';

/**
 * A TCP proxy on loopback that does to a connection what networks do: between a process and its database or broker. Faults
 * are set while connections stand, and hold for those too.
 */
export interface TcpProxy {
  readonly port: number;
  /** Connections that stand now. */
  readonly connections: number;
  /** Connections taken since the start. */
  readonly taken: number;
  /** Bytes passed on so far. */
  readonly passed: { readonly up: number; readonly down: number };
  /** Replaces the faults of one direction (`up`: from the client), or of both. `{}`: none. */
  set(faults: Faults, direction?: Direction | 'both'): void;
  /** True: new connections are refused, as where nobody listens. Resolves when it holds. */
  refuse(on: boolean): Promise<void>;
  /** Every connection ends with a reset (RST) at both ends. Returns how many. */
  reset(): number;
  /** The far ends are gone, and the clients are not told: their connections stand and stay silent. Returns how many. */
  halfOpen(): number;
  close(): Promise<void>;
}

export type Direction = 'up' | 'down';

/** Absent: not done. */
export interface Faults {
  readonly latencyMs?: number;
  /** Up to so much more, by chance; the order of the bytes stays. */
  readonly jitterMs?: number;
  readonly bytesPerSecond?: number;
  /** Passed on in pieces of so many bytes, each `sliceDelayMs` after the one before. */
  readonly sliceBytes?: number;
  readonly sliceDelayMs?: number;
  /** After so many bytes more the connection ends (of each connection that stands or comes). */
  readonly limitBytes?: number;
  /** How it ends then: `end` in good order (default), `reset`, or not at all: `hole` swallows the rest. */
  readonly limitThen?: 'end' | 'reset' | 'hole';
  /** Nothing passes and nobody is told; what was sent comes when the hole is gone. */
  readonly blackHole?: boolean;
  /** The end of a connection is passed on so much later. */
  readonly slowCloseMs?: number;
}

export interface TcpProxyOptions {
  readonly target: { readonly port: number; readonly host?: string };
  /** Of the jitter. */
  readonly seed?: number;
  /** Gets all bytes as they are passed on. */
  readonly onPassed?: (direction: Direction, bytes: Buffer) => void;
}

/** Bytes that wait in one direction of one connection, before the sender is held back. */
const WAITING_BYTES_MAX = 256 * 1024;

export async function startTcpProxy({ target, seed = 1, onPassed }: TcpProxyOptions): Promise<TcpProxy> {
  const random = seededRandom(seed);
  const links = new Set<Link>();
  const passed = { up: 0, down: 0 };
  const faults: Record<Direction, Faults> = { up: {}, down: {} };
  let taken = 0;
  const onConnection = (client: Socket): void => {
    taken++;
    const server = new Socket({ allowHalfOpen: true });
    server.connect(target.port, target.host ?? '127.0.0.1');
    const link: Link = { client, server, pipes: [], ended: false };
    const pipe = (direction: Direction, from: Socket, to: Socket) =>
      new Pipe({
        ...{ from, to, random },
        faults: faults[direction],
        onPassed: (bytes) => {
          passed[direction] += bytes.length;
          onPassed?.(direction, bytes);
        },
        onLimit: (how) => (how === 'reset' ? resetLink(link) : endLink(link)),
        onClosed: () => {
          if (link.pipes.every((one) => one.closed)) links.delete(link);
        },
      });
    link.pipes = [pipe('up', client, server), pipe('down', server, client)];
    links.add(link);
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      // A reset of one end, or a server that is not there, is passed on as a reset.
      socket.on('error', () => resetLink(link));
      socket.on('close', () => {
        if (client.destroyed && server.destroyed) links.delete(link);
      });
    }
  };
  const resetLink = (link: Link): void => {
    if (link.ended) return;
    link.ended = true;
    links.delete(link);
    for (const pipe of link.pipes) pipe.stop();
    for (const socket of [link.client, link.server]) resetSocket(socket);
  };
  const endLink = (link: Link): void => {
    link.ended = true;
    links.delete(link);
    for (const pipe of link.pipes) pipe.stop();
    for (const socket of [link.client, link.server]) socket.destroySoon();
  };
  const listen = async (port: number): Promise<Server> => {
    const server = createServer({ allowHalfOpen: true }, onConnection);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    return server;
  };
  let server: Server | undefined = await listen(0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no free port');
  const { port } = address;

  return {
    port,
    get connections() {
      return links.size;
    },
    get taken() {
      return taken;
    },
    passed,
    set: (changed, direction = 'both') => {
      for (const one of direction === 'both' ? (['up', 'down'] as const) : [direction]) {
        faults[one] = changed;
        for (const link of links) link.pipes[one === 'up' ? 0 : 1]?.set(changed);
      }
    },
    refuse: async (on) => {
      if (on === (server === undefined)) return;
      if (on) {
        // Does not wait for connections that stand: `close` calls back only after them.
        server?.close();
        server = undefined;
      } else server = await listen(port);
    },
    reset: () => {
      const all = [...links];
      for (const link of all) resetLink(link);
      return all.length;
    },
    halfOpen: () => {
      const all = [...links];
      for (const link of all) {
        for (const pipe of link.pipes) pipe.stop();
        link.server.removeAllListeners('error');
        link.server.on('error', () => {});
        resetSocket(link.server);
        // What the client sends is taken by the network and reaches nobody.
        link.client.resume();
      }
      return all.length;
    },
    close: async () => {
      server?.close();
      server = undefined;
      for (const link of [...links]) {
        link.ended = true;
        for (const pipe of link.pipes) pipe.stop();
        link.client.destroy();
        link.server.destroy();
      }
      links.clear();
    },
  };
}

/**
 * One that is about to say that nothing more will come cannot be reset: libuv refuses, Node holds it for closing none the
 * less, and at the exit of the process waits for that without end.
 */
function resetSocket(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  /** Up, down. */
  pipes: readonly Pipe[];
  ended: boolean;
}

interface PipeOptions {
  readonly from: Socket;
  readonly to: Socket;
  readonly faults: Faults;
  readonly random: { number(): number };
  readonly onPassed: (bytes: Buffer) => void;
  readonly onLimit: (how: 'end' | 'reset') => void;
  readonly onClosed: () => void;
}

/** One direction of one connection: what came waits in a line until it is due. */
class Pipe {
  readonly #options: PipeOptions;
  readonly #line: { readonly bytes: Buffer; readonly dueAt: number }[] = [];
  #faults: Faults;
  #left: number;
  #waiting = 0;
  #lastDueAt = 0;
  #ended = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #blocked = false;
  closed = false;

  constructor(options: PipeOptions) {
    this.#options = options;
    this.#faults = options.faults;
    this.#left = options.faults.limitBytes ?? Number.POSITIVE_INFINITY;
    const { from, to } = options;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => {
      this.#ended = true;
      this.#pump();
    });
    to.on('drain', () => {
      this.#blocked = false;
      this.#pump();
    });
  }

  set(faults: Faults): void {
    this.#faults = faults;
    this.#left = faults.limitBytes ?? Number.POSITIVE_INFINITY;
    this.#pump();
  }

  /** Passes on nothing more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#line.length = 0;
  }

  #take(bytes: Buffer): void {
    if (this.#stopped) return;
    const { latencyMs = 0, jitterMs = 0, sliceBytes = bytes.length, sliceDelayMs = 0, bytesPerSecond } = this.#faults;
    const now = performance.now();
    const arrivesAt = now + latencyMs + jitterMs * this.#options.random.number();
    for (let at = 0; at < bytes.length; at += sliceBytes) {
      const piece = bytes.subarray(at, at + sliceBytes);
      const spacing = bytesPerSecond === undefined ? 0 : (piece.length / bytesPerSecond) * 1000;
      const follows = at === 0 ? 0 : sliceDelayMs;
      this.#lastDueAt = Math.max(arrivesAt, this.#lastDueAt + follows) + spacing;
      this.#line.push({ bytes: piece, dueAt: this.#lastDueAt });
      this.#waiting += piece.length;
    }
    if (this.#waiting > WAITING_BYTES_MAX) this.#options.from.pause();
    this.#pump();
  }

  #pump(): void {
    clearTimeout(this.#timer);
    const { from, to, onPassed } = this.#options;
    while (!this.#stopped && !this.#blocked && this.#faults.blackHole !== true) {
      const next = this.#line[0];
      if (next === undefined) break;
      const wait = next.dueAt - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#pump(), Math.ceil(wait));
        return;
      }
      this.#line.shift();
      this.#waiting -= next.bytes.length;
      const bytes = this.#within(next.bytes);
      if (bytes.length > 0) {
        onPassed(bytes);
        if (!to.write(bytes)) this.#blocked = true;
      }
      if (this.#left === 0 && this.#faults.limitThen !== 'hole') {
        this.#options.onLimit(this.#faults.limitThen ?? 'end');
        return;
      }
    }
    if (this.#waiting <= WAITING_BYTES_MAX && from.isPaused()) from.resume();
    if (this.#ended && this.#line.length === 0 && !this.#stopped) this.#end();
  }

  /** What the limit lets through. */
  #within(bytes: Buffer): Buffer {
    const allowed = bytes.subarray(0, Math.min(bytes.length, this.#left));
    this.#left -= allowed.length;
    return allowed;
  }

  #end(): void {
    if (this.closed || this.#faults.blackHole === true) return;
    this.closed = true;
    const { slowCloseMs = 0 } = this.#faults;
    const end = () => {
      this.#options.to.end();
      this.#options.onClosed();
    };
    if (slowCloseMs === 0) end();
    else this.#timer = setTimeout(end, slowCloseMs);
  }
}
