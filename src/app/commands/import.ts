import { type Command, InvalidArgumentError } from 'commander';
import { DISPOSITIONS, type Disposition } from '../../ports/store/mails.ts';
import { action, type CommandContext } from '../command.ts';
import type { Core } from '../core.ts';
import { byteSize, printable, table } from '../terminal/style.ts';
import { chosenOrFirstTraveller } from '../travellers.ts';
import { withCore } from '../with-core.ts';
import { createProgress } from './import-progress.ts';
import { type ImportEnv, type ImportSummary, importMailbox, runImport } from './import-run.ts';

/** Runs the pipeline on an opened installation; `close` gives back what is unfinished. */
export type OpenImportEnv = (core: Core) => Promise<ImportEnv & { close(): Promise<void> }>;

/** `tripwatch import PATH…`: mails from files, through the whole pipeline. */
export function importCommand(program: Command, openEnv: OpenImportEnv): void {
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

/** What became of the mails, and what to do next. */
export function summaryLines(
  summary: ImportSummary,
  seconds: number,
  style: CommandContext['style'],
): readonly string[] {
  const lines: string[] = [];
  for (const problem of summary.problems.slice(0, 10)) lines.push(style.red(`! ${printable(problem.message)}`));
  if (summary.problemsTotal > 10) lines.push(style.red(`! and ${summary.problemsTotal - 10} more (see --json)`));
  if (summary.mails === 0) {
    lines.push('No mail found. Name .eml or mbox files, a Maildir, or a folder that holds such.');
    return lines;
  }
  const known = summary.known > 0 ? `, ${number(summary.known)} of them known before` : '';
  const rate = seconds > 0 ? ` (${Math.round(summary.mails / seconds)}/s)` : '';
  lines.push(
    `${plural(summary.mails, 'mail')} in ${plural(summary.files, 'file')}, ${byteSize(summary.bytes)}${known}, ${seconds.toFixed(1)} s${rate}`,
  );
  if (summary.everyMail) lines.push(style.dim('Figures below are of all mails of this traveller.'));
  const rows = Object.entries(summary.dispositions) as [Disposition, number][];
  lines.push(table(rows.map(([name, n]) => [`  ${number(n)}`, name, style.dim(DISPOSITIONS[name])])));
  for (const { code, reason, mails } of summary.reasons.slice(0, 5)) {
    lines.push(`  ${style.yellow(`${number(mails)} × ${code}:`)} ${printable(reason)}`);
  }
  lines.push(...nextSteps(summary));
  return lines;
}

function nextSteps(summary: ImportSummary): readonly string[] {
  if (summary.stopped) return ['Stopped. Run the same line again to go on; what is stored is not doubled.'];
  const { imported = 0, failed = 0, seen = 0, collected = 0 } = summary.dispositions;
  const lines = [];
  if (seen + collected > 0) lines.push('Some are still on their way: `tripwatch receipts` shows how they stand.');
  if (imported > 0) lines.push(`${plural(summary.reservations, 'reservation')}: \`tripwatch trips\` shows them.`);
  else lines.push('No reservation found. `tripwatch receipts` says of every mail why.');
  if (failed > 0) lines.push('Failed mails, with what to do: `tripwatch receipts --disposition failed`');
  return lines;
}

function plural(n: number, word: string): string {
  return `${number(n)} ${word}${n === 1 ? '' : 's'}`;
}

function number(n: number): string {
  return n.toLocaleString('en');
}
