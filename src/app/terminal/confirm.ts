import { createInterface } from 'node:readline/promises';

/** Asks on the terminal; undefined where nobody is there to answer. Only `y` and `yes` are a yes. */
export async function confirmed(question: string, signal: AbortSignal): Promise<boolean | undefined> {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return undefined;
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await asking.question(`${question} [y/N] `, { signal })).trim());
  } finally {
    asking.close();
  }
}
