import { syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';

/** Something in the simulated code reached for the real world. */
export class RealWorldError extends Error {
  constructor(what: string) {
    super(`${what} was called inside a simulation; it must come through a port.`);
  }
}

/** Kinds of handles that a simulation must not open. */
const REAL_HANDLES = /^(Timeout|TCP|TLS|UDP|FS|HTTP|DNS|GetAddr|Worker|MessagePort|Pipe|Process|ZLIB)/i;

/**
 * While it is installed, real clocks, timers and chance throw, here and in every module that the simulated code uses.
 * Returns how to take it away; that throws when handles (timers, sockets, threads) have been opened meanwhile. One at a
 * time in a process, because globals are global.
 */
export function installGuard(): () => void {
  if (installed) throw new Error('another simulation is running in this process');
  installed = true;
  const before = handles();
  const undo: (() => void)[] = [];
  const replace = (owner: object, name: string, value: unknown): void => {
    const original = Object.getOwnPropertyDescriptor(owner, name);
    Object.defineProperty(owner, name, { value, configurable: true, writable: true, enumerable: true });
    undo.push(() => {
      if (original === undefined) Reflect.deleteProperty(owner, name);
      else Object.defineProperty(owner, name, original);
    });
  };
  const refusal = (what: string) => () => {
    throw new RealWorldError(what);
  };
  for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'fetch']) replace(globalThis, name, refusal(name));
  for (const name of ['setTimeout', 'setInterval', 'setImmediate'])
    replace(timersPromises, name, refusal(`timers/promises ${name}`));
  syncBuiltinESMExports();
  replace(Math, 'random', refusal('Math.random'));
  replace(performance, 'now', refusal('performance.now'));
  for (const name of ['instant', 'zonedDateTimeISO', 'plainDateTimeISO', 'plainDateISO', 'plainTimeISO'])
    replace(Temporal.Now, name, refusal(`Temporal.Now.${name}`));
  for (const name of ['randomUUID', 'getRandomValues']) replace(crypto, name, refusal(`crypto.${name}`));
  replace(globalThis, 'Date', guardedDate());

  return () => {
    for (const one of undo.reverse()) one();
    syncBuiltinESMExports();
    installed = false;
    const opened = handles() - before;
    if (opened > 0) throw new RealWorldError(`${opened} real handles (${process.getActiveResourcesInfo().join(', ')})`);
  };
}

let installed = false;

function handles(): number {
  return process.getActiveResourcesInfo().filter((kind) => REAL_HANDLES.test(kind)).length;
}

/** A Date that converts, but does not know what time it is. */
function guardedDate(): DateConstructor {
  return new Proxy(Date, {
    get: (target, name, receiver) => {
      if (name === 'now') {
        return () => {
          throw new RealWorldError('Date.now');
        };
      }
      return Reflect.get(target, name, receiver);
    },
    construct: (target, given, newTarget) => {
      if (given.length === 0) throw new RealWorldError('new Date');
      return Reflect.construct(target, given, newTarget);
    },
    apply: () => {
      throw new RealWorldError('Date()');
    },
  });
}
