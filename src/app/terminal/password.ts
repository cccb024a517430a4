import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { TripwatchError } from '../../domain/errors.ts';

export interface PasswordSource {
  /** Name of a variable that holds it. */
  readonly passwordEnv?: string;
  readonly passwordFile?: string;
}

/**
 * A password, never from the command's own words, where other users of the machine could read it: from a variable, a file,
 * or asked on the terminal without being shown. Errors: permanent `password-missing`.
 */
export async function readPassword(
  question: string,
  source: PasswordSource,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<string> {
  if (source.passwordEnv !== undefined) return given(env[source.passwordEnv], `the variable ${source.passwordEnv}`);
  if (source.passwordFile !== undefined) return given(fromFile(source.passwordFile), `the file ${source.passwordFile}`);
  if (process.stdin.isTTY !== true)
    throw new TripwatchError(
      'permanent',
      'password-missing',
      'There is no terminal to ask for the password on. Name a variable with --password-env, or a file with --password-file.',
    );
  return given(await asked(question, signal), 'the terminal');
}

function given(value: string | undefined, where: string): string {
  if (value === undefined || value === '')
    throw new TripwatchError('permanent', 'password-missing', `No password came from ${where}.`);
  return value;
}

function fromFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch {
    return undefined;
  }
}

async function asked(question: string, signal: AbortSignal): Promise<string> {
  process.stderr.write(`${question}: `);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const asking = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      asking.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
      asking.once('close', () => resolve(''));
      asking.once('line', resolve);
    });
  } finally {
    asking.close();
    process.stderr.write('\n');
  }
}
