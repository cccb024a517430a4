import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import { LANES, READERS_MAX } from '../../src/adapters/store/postgres/limits.ts';
import { STAGES } from '../../src/stages/stages.ts';

/** What the tests of deploy/ read: the files, and the few words they share. */
export const root = fileURLToPath(new URL('../../', import.meta.url));
export const deploy = join(root, 'deploy');

export const text = (path: string): string => readFileSync(join(deploy, path), 'utf8');
/** YAML as docker compose and kubectl read it: with merge keys. */
export const yaml = <T>(path: string): T => parse(text(path), { merge: true }) as T;
export const documents = <T>(path: string): T[] => parseAllDocuments(text(path)).map((one) => one.toJS() as T);
export const filesIn = (folder: string): string[] =>
  readdirSync(join(deploy, folder))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => `${folder}/${name}`);

/** What `--stages` takes. */
export const ROLES: readonly string[] = ['watch', ...STAGES.map((stage) => stage.name), 'api'];

/** A tag that names one release: `name:1.2.3`, `name:18.6-trixie`. */
export const pinned = (image: string): boolean => /^[\w./-]+:\d+\.\d+[\w.-]*$/.test(image) && !image.includes('latest');

/** The roles in the arguments of a process. */
export function stagesOf(args: readonly string[]): readonly string[] {
  const at = args.indexOf('--stages');
  return at < 0 ? [] : (args[at + 1] ?? '').split(',');
}

/** Things in the file that say a secret instead of where it is. */
export function plainSecrets(content: string): string[] {
  const found: string[] = [];
  for (const line of content.split('\n')) {
    if (/^\s*(#|\/\/)/.test(line)) continue;
    const url = /:\/\/[^/\s:"'$]+:([^@\s"'$]+)@/.exec(line);
    if (url !== null) found.push(line.trim());
    const value = /(?:password|passwd|secret|token|api_?key)"?\s*[:=]\s*"?([^\s"]+)/i.exec(line)?.[1];
    if (value === undefined || /^[\][{}$'(]|^(file|env):|^\/|^(scram-sha-256|true|false)/.test(value)) continue;
    found.push(line.trim());
  }
  return found;
}

/** Name and value of each setting in our postgresql.conf. */
export function postgresSettings(): ReadonlyMap<string, string> {
  const lines = text('config/postgresql.conf').matchAll(/^(\w+) = '?([^'\n]*?)'?$/gm);
  return new Map([...lines].map((match) => [match[1]!, match[2]!]));
}

/** Connections to PostgreSQL that one process may open: to write, to read, to listen, and for raw mails. */
export function connectionsOfAProcess(): number {
  const blobs = readFileSync(join(root, 'src/adapters/blobs/postgres/blobs.ts'), 'utf8');
  return LANES + READERS_MAX + 1 + Number(/CONNECTIONS_MAX = (\d+)/.exec(blobs)![1]);
}
