import { DISPOSITIONS, type Disposition } from '../../ports/store/mails.ts';
import { byteSize, printable, type Style, table } from '../terminal/style.ts';
import type { ImportSummary } from './import-run.ts';

/** What became of the mails, and what to do next. */
export function summaryLines(summary: ImportSummary, seconds: number, style: Style): readonly string[] {
  const lines: string[] = [];
  for (const problem of summary.problems.slice(0, 10)) lines.push(style.red(`! ${printable(problem.message)}`));
  if (summary.problemsTotal > 10) lines.push(style.red(`! and ${summary.problemsTotal - 10} more (see --json)`));
  if (summary.mails === 0) {
    lines.push('No mail found. Name .eml or mbox files, a Maildir, or a folder that holds such.');
    return lines;
  }
  const known = summary.known > 0 ? `, ${number(summary.known)} of them known before` : '';
  const rate = seconds > 0 ? ` (${Math.round(summary.mails / seconds)}/s)` : '';
  const files =
    summary.filesWithMail < summary.files
      ? `${number(summary.filesWithMail)} of ${plural(summary.files, 'file')}`
      : plural(summary.files, 'file');
  lines.push(
    `${plural(summary.mails, 'mail')} in ${files}, ${byteSize(summary.bytes)}${known}, ${seconds.toFixed(1)} s${rate}`,
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
  if (imported > 0 || summary.reservations > 0)
    lines.push(`${plural(summary.reservations, 'reservation')}: \`tripwatch trips\` shows them.`);
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
