import type { Command } from 'commander';
import { describeError, TripwatchError } from '../domain/errors.ts';
import { createStyle, type Style, wantsColour } from './terminal/style.ts';

/** What every command gets: where the data is, how to print, when to stop. */
export interface CommandContext {
  readonly data: string | undefined;
  readonly configFile: string | undefined;
  readonly json: boolean;
  readonly style: Style;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by the first Ctrl-C or SIGTERM; the second one ends the process at once. */
  readonly signal: AbortSignal;
  /** One line of result on stdout. */
  say(line: string): void;
  /** One line beside the result (progress, hints) on stderr; silent with --json. */
  note(line: string): void;
  /** The result for programs: the only thing on stdout with --json. */
  result(value: unknown): void;
}

export interface GlobalOptions {
  readonly data?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** Wraps a command's action: builds its context, prints errors with their remedy, sets the exit code. */
export function action<A extends unknown[]>(
  work: (context: CommandContext, ...args: A) => Promise<void>,
): (...args: [...A, Command]) => Promise<void> {
  return async (...all) => {
    const command = all.at(-1) as Command;
    const options = command.optsWithGlobals<GlobalOptions>();
    const context = createContext(options);
    try {
      await work(context, ...(all.slice(0, -1) as unknown as A));
    } catch (error) {
      fail(error, options.json === true);
    }
  };
}

export function createContext(options: GlobalOptions): CommandContext {
  const json = options.json === true;
  return {
    data: options.data,
    configFile: options.config ?? process.env.TRIPWATCH_CONFIG,
    json,
    style: createStyle(!json && wantsColour(process.stdout, process.env)),
    env: process.env,
    signal: interrupted(),
    say: (line) => {
      if (!json) process.stdout.write(`${line}\n`);
    },
    note: (line) => {
      if (!json) process.stderr.write(`${line}\n`);
    },
    result: (value) => {
      if (json) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    },
  };
}

/** Prints an error as one readable block (or one JSON object) and sets the exit code: 1, or 70 for a fault of ours. */
export function fail(error: unknown, json: boolean): void {
  const { code, message } = describeError(error);
  const ours = !(error instanceof TripwatchError) || error.kind === 'defect';
  if (json) process.stdout.write(`${JSON.stringify({ error: { code, message } }, null, 2)}\n`);
  else {
    const style = createStyle(wantsColour(process.stderr, process.env));
    process.stderr.write(`${style.red('tripwatch:')} ${message}\n`);
    if (ours && error instanceof Error && error.stack !== undefined) {
      process.stderr.write(
        `${style.dim(error.stack)}\nThis looks like a fault in Tripwatch itself; please report it with the lines above.\n`,
      );
    }
  }
  process.exitCode = ours ? 70 : 1;
}

let controller: AbortController | undefined;
function interrupted(): AbortSignal {
  if (controller === undefined) {
    const own = new AbortController();
    controller = own;
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.on(name, () => {
        if (own.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143);
        own.abort(new TripwatchError('cancelled', 'interrupted', 'Stopped on request.'));
      });
    }
    // A reader that went away (`| head`) is no fault.
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0);
      throw error;
    });
  }
  return controller.signal;
}
