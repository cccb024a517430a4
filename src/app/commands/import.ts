import { type Command, InvalidArgumentError } from 'commander';
import { action } from '../command.ts';
import type { Core } from '../core.ts';
import { chosenOrFirstTraveller } from '../travellers.ts';
import { withCore } from '../with-core.ts';
import { openImportEnv } from './import-env.ts';
import { createProgress } from './import-progress.ts';
import { type ImportEnv, importMailbox, runImport } from './import-run.ts';
import { summaryLines } from './import-summary.ts';

/** Runs the pipeline on an opened installation; `close` gives back what is unfinished. */
export type OpenImportEnv = (core: Core) => Promise<ImportEnv & { close(): Promise<void> }>;

/** `tripwatch import PATH…`: mails from files, through the whole pipeline. */
export function importCommand(program: Command, openEnv: OpenImportEnv = openImportEnv): void {
  program
    .command('import')
    .description('read mails from .eml files, mbox files, Maildirs and folders of them; may be repeated')
    .argument('<path...>', 'files and folders', (path: string, before: readonly string[] = []) => {
      if (path.trim() === '') throw new InvalidArgumentError('A path is empty.');
      return [...before, path];
    })
    .option('--traveller <name>', 'whose mails these are (name or id); the first one is made')
    .action(
      action(async (context, paths: readonly string[], options: { traveller?: string }) => {
        await withCore(context, 'make', async (core) => {
          const traveller = await chosenOrFirstTraveller(core, options.traveller);
          const mailbox = await importMailbox(core, traveller);
          const env = await openEnv(core);
          const startedAt = core.clock.monotonic();
          const tty = process.stderr.isTTY === true && !context.json;
          const progress = createProgress({
            tty,
            columns: process.stderr.columns ?? 80,
            write: (text) => (tty ? void process.stderr.write(text) : context.note(text.trimEnd())),
            now: () => core.clock.monotonic() / core.clock.speed,
          });
          try {
            const summary = await runImport(env, {
              paths,
              mailbox,
              maxBytes: core.config.smtp.maxBytes,
              signal: context.signal,
              onProgress: (now) => progress.show(now),
            });
            progress.end();
            const seconds = (core.clock.monotonic() - startedAt) / core.clock.speed / 1000;
            context.result({ traveller: traveller.id, seconds, ...summary });
            for (const line of summaryLines(summary, seconds, context.style)) context.say(line);
            if (summary.stopped) process.exitCode = 130;
            else if (summary.problemsTotal > 0) process.exitCode = 1;
          } finally {
            progress.end();
            await env.close();
          }
        });
      }),
    );
}
