import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where Debian's Cyrus is unpacked for tests (see install-cyrus.ts). It gives up root's rights, and root's home is closed. */
export function cyrusCache(): string {
  const cache = process.getuid?.() === 0 ? '/var/cache' : (process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'));
  return join(cache, 'tripwatch', 'cyrus');
}

/** Undefined: it is there. Otherwise how to get it. */
export function missingCyrus(): string | undefined {
  const programs = ['usr/sbin/cyrmaster', 'usr/sbin/saslpasswd2', 'usr/lib/cyrus/bin/httpd', 'usr/lib/cyrus/bin/imapd'];
  return programs.every((file) => existsSync(join(cyrusCache(), file)))
    ? undefined
    : 'Cyrus is not there (on Debian: npm run servers:cyrus)';
}
