import type { Command } from 'commander';
import { explainView } from '../../api/views/explain.ts';
import { STAGES } from '../../stages/stages.ts';
import { action } from '../command.ts';
import { OPERATOR } from '../core.ts';
import { printable } from '../terminal/style.ts';
import { withCore } from '../with-core.ts';

/** `tripwatch explain ID`: the whole path of a mail, reservation, subject or event. */
export function explainCommand(program: Command): void {
  program
    .command('explain')
    .argument('<id>', 'mail_…, rsv_…, sub_…, obs_… or evt_…')
    .description('tell the whole story of a mail or reservation: events, attempts, decisions, evidence')
    .option('--values', 'every value of the reservations with its source')
    .action(
      action(async (context, id: string, options: { values?: boolean }) => {
        await withCore(context, 'existing', async (core) => {
          const view = await core.store.read((tx) =>
            explainView(tx, OPERATOR, id, {
              now: core.clock.now(),
              providers: core.config.providers,
              consumers: STAGES.map(({ name, reads }) => ({ name, reads })),
            }),
          );
          context.result(view);
          const { style } = context;
          for (const line of view.summary) context.say(printable(line));
          for (const mail of view.receipts) {
            context.say(`\n${style.bold('Mail')} ${mail.id}  ${mail.disposition}: ${printable(mail.reason)}`);
            context.say(
              style.dim(
                `  ${printable(mail.subject)} · from ${printable(mail.from)} · ${mail.receivedAt}${mail.timesSeen > 1 ? ` · came ${mail.timesSeen} times` : ''}`,
              ),
            );
            for (const warning of mail.warnings) context.say(style.yellow(`  ! ${printable(warning.message)}`));
          }
          if (view.events.length > 0) context.say(`\n${style.bold('Events')}`);
          for (const event of view.events) {
            const done = event.processed.map((one) => one.consumer).join(', ');
            const waits =
              event.waitingFor.length === 0 ? '' : style.yellow(`  waits for ${event.waitingFor.join(', ')}`);
            context.say(
              `  ${event.time}  ${style.cyan(event.topic)}  ${style.dim(event.id)}${done === '' ? '' : style.dim(`  done by ${done}`)}${waits}`,
            );
            for (const sentence of event.sentences ?? []) context.say(`      ${printable(sentence)}`);
            for (const { consumer, failed = [] } of event.processed)
              for (const attempt of failed)
                context.say(
                  style.dim(`      ${consumer} failed ${attempt.at} ${attempt.code}: ${printable(attempt.message)}`),
                );
            for (const parked of event.parked) {
              context.say(style.yellow(`      ${parked.consumer}: next attempt ${parked.nextAt}`));
              for (const attempt of parked.attempts)
                context.say(style.dim(`        ${attempt.at} ${attempt.code}: ${printable(attempt.message)}`));
            }
            for (const letter of event.deadLetters) {
              context.say(
                style.red(
                  `      dead letter ${letter.id} (${letter.state}) in ${letter.stage}: ${printable(letter.message)}`,
                ),
              );
            }
            for (const sent of event.notifications) {
              context.say(
                style.dim(
                  `      webhook ${sent.endpoint}: ${sent.state} after ${sent.attempts} attempts${sent.lastError === undefined ? '' : `, ${printable(sent.lastError)}`}`,
                ),
              );
            }
          }
          if (view.truncated)
            context.say(style.yellow(`  … and more: the story has over ${view.events.length} events.`));
          for (const reservation of view.reservations) {
            context.say(
              `\n${style.bold(printable(reservation.title))}  ${reservation.id}, version ${reservation.version}, ${reservation.status}`,
            );
            for (const { label, ref, said } of reservation.unproven ?? []) {
              const claims = said.map(({ path, value }) => `${path} ${value ?? 'withdrawn'}`).join(', ');
              context.say(
                style.yellow(
                  `  ${printable(label)} (${ref}) says, and nothing proves it: ${printable(claims.slice(0, 300))}`,
                ),
              );
            }
            const parts = [{ title: 'booking', fields: reservation.fields }, ...reservation.legs];
            for (const part of parts) {
              if (options.values !== true) {
                const sources = new Set(Object.values(part.fields).map((field) => printable(field.by.label)));
                if (sources.size > 0)
                  context.say(
                    style.dim(
                      `  ${printable(part.title)}: ${Object.keys(part.fields).length} values from ${[...sources].join(', ')}`,
                    ),
                  );
                continue;
              }
              context.say(`  ${printable(part.title)}`);
              for (const [path, field] of Object.entries(part.fields)) {
                context.say(
                  `    ${path} = ${printable(String(field.value ?? 'withdrawn'))}  ${style.dim(`${printable(field.by.label)}; ${printable(field.by.evidence?.where ?? '')}`)}`,
                );
                if (field.beside !== undefined)
                  context.say(
                    style.yellow(
                      `      beside it, ${printable(field.beside.by.label)} says ${printable(String(field.beside.value))}`,
                    ),
                  );
              }
            }
          }
          if (view.reservations.length > 0 && options.values !== true)
            context.note('--values shows every value with its source.');
        });
      }),
    );
}
