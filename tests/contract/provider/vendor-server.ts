import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

/** A vendor on loopback that does what it is told; remembers what was asked. */
export interface VendorServer {
  readonly url: string;
  readonly asked: readonly { readonly url: string; readonly headers: IncomingMessage['headers'] }[];
  behave: Behaviour;
  /** What it does besides, e.g. hand out tokens. */
  around: ((behaviour: Behaviour) => Behaviour) | undefined;
  readonly openSockets: () => Promise<number>;
  readonly close: () => Promise<void>;
}

export async function startVendor(): Promise<VendorServer> {
  const asked: { url: string; headers: IncomingMessage['headers'] }[] = [];
  const server = createServer((request, response) => {
    asked.push({ url: request.url ?? '', headers: request.headers });
    (vendor.around?.(vendor.behave) ?? vendor.behave)(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const vendor: VendorServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    behave: json(404, {}),
    around: undefined,
    openSockets: () => new Promise((resolve, reject) => server.getConnections((e, n) => (e ? reject(e) : resolve(n)))),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return vendor;
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Behaviour {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
    response.end(JSON.stringify(body));
  };
}

export function text(status: number, type: string, body: string): Behaviour {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': type });
    response.end(body);
  };
}

/** Promises the whole body, sends half, cuts the line. */
export const truncated =
  (body: unknown): Behaviour =>
  (_request, response) => {
    const bytes = Buffer.from(JSON.stringify(body));
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(bytes.length) });
    response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
  };

/** A byte now and then, for ever. */
export const drip: Behaviour = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 10);
  response.on('close', () => clearInterval(timer));
};

export const reset: Behaviour = (request) => request.socket.destroy();

/** More than we read. */
export const huge: Behaviour = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const chunk = Buffer.alloc(64 * 1024, 0x20);
  const more = (): void => {
    if (response.destroyed) return;
    if (response.write(chunk)) setImmediate(more);
    else response.once('drain', more);
  };
  more();
};
