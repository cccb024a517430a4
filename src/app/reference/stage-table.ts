import { STAGES } from '../../stages/stages.ts';

/** The stage table of docs/architecture.md, from src/stages/stages.ts. */
export function stageTable(): string {
  return [
    '| stage | reads | key | writes | does |',
    '|---|---|---|---|---|',
    '| **watch** | SMTP, files, mail servers | mailbox | `mail.seen` | takes mails in and stores each before it is accepted; lists those of connected mailboxes |',
    ...STAGES.map(
      (stage) =>
        `| **${stage.name}** | \`${stage.reads}\`${stage.name === 'track' ? ', clock, provider push' : ''} | ${stage.key} | ${stage.writes.map((topic) => `\`${topic}\``).join(', ')} | ${stage.does} |`,
    ),
  ].join('\n');
}
