import { type LookupAddress, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { whyNotGlobal } from './address.ts';

/**
 * Connections to servers that strangers name (a JMAP server, say): only to public addresses, decided on what the name
 * resolves to at the moment of dialling, and once more on where the connection ended.
 */
export function createPublicAgent(options: {
  readonly allowPrivate: boolean;
  readonly connectMs?: number;
}): Dispatcher {
  const { allowPrivate, connectMs = 10_000 } = options;
  const checked: LookupFunction = (host, ask, done) => {
    lookup(host, { all: true }, (error, found: LookupAddress[]) => {
      if (error !== null) return done(error, '', 0);
      // A name with one private address among public ones is refused whole.
      if (!allowPrivate && found.some(({ address }) => whyNotGlobal(address) !== undefined))
        return done(notPublic(), '', 0);
      if (ask.all) return done(null, found as never);
      return done(null, found[0]!.address, found[0]!.family);
    });
  };
  const dial = buildConnector({ timeout: connectMs, lookup: checked, autoSelectFamily: false } as never);
  return new Agent({
    connections: 4,
    pipelining: 1,
    keepAliveTimeout: 10_000,
    keepAliveMaxTimeout: 60_000,
    maxHeaderSize: 32 * 1024,
    connect: (target, done) => {
      dial(target, (error, socket) => {
        if (error !== null) return done(error, null);
        // The last lock, and the only one for an address given as such: nothing has been sent yet.
        const remote = socket?.remoteAddress ?? '';
        const plain = remote.startsWith('::ffff:') && isIP(remote.slice(7)) === 4 ? remote.slice(7) : remote;
        if (!allowPrivate && whyNotGlobal(plain) !== undefined) {
          socket?.destroy();
          return done(notPublic(), null);
        }
        return done(null, socket!);
      });
    },
  });
}

/** Of `cause.code` of the error that a caller sees. */
export const NOT_PUBLIC = 'TRIPWATCH_NOT_PUBLIC';

function notPublic(): Error {
  return Object.assign(new Error('the address is not public'), { code: NOT_PUBLIC });
}
