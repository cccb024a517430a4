import { type Command, Option } from 'commander';
import { addFeed, addToken, revokeFeeds, revokeToken } from '../../api/commands/accounts.ts';
import { addEndpoint, removeEndpoint, rotateEndpoint } from '../../api/commands/endpoints.ts';
import { endpointView, tokenView } from '../../api/views/accounts.ts';
import { addEndpointSchema, addTokenSchema } from '../../contracts/http/commands.ts';
import { SCOPES, type Scope } from '../../ports/store/accounts.ts';
import { parseOptions } from '../checked.ts';
import { action } from '../command.ts';
import { OPERATOR } from '../core.ts';
import { printable, table } from '../terminal/style.ts';
import { chosenTraveller } from '../travellers.ts';
import { withCore } from '../with-core.ts';

/** `tripwatch token|endpoint|feed …`: who may read, where changes are sent. Secrets are shown once. */
export function accessCommands(program: Command): void {
  const token = program.command('token').description('API tokens: add, list, revoke');
  token
    .command('add')
    .argument('[label]', 'what it is for', 'command line')
    .addOption(
      new Option('--scope <scope...>', 'what it may do')
        .choices(Object.keys(SCOPES))
        .default(['read', 'write', 'operate']),
    )
    .option('--traveller <name>', 'only this traveller')
    .action(
      action(async (context, label: string, options: { scope: Scope[]; traveller?: string }) => {
        await withCore(context, 'make', async (core) => {
          const owner = options.traveller === undefined ? undefined : await chosenTraveller(core, options.traveller);
          const body = parseOptions(addTokenSchema, {
            label,
            scopes: options.scope,
            ...(owner === undefined ? {} : { traveller: owner.id }),
          });
          const issued = await addToken(core.commands, OPERATOR, body);
          context.result({ ...tokenView(issued.token), secret: issued.secret });
          context.say(issued.secret);
          context.note(
            `Shown this once. Sign a browser in: http://${core.config.http.host}:${core.config.http.port}/?token=${issued.secret}`,
          );
        });
      }),
    );
  token.command('list').action(
    action(async (context) => {
      await withCore(context, 'existing', async (core) => {
        const all = await core.store.read((tx) => tx.accounts.listTokens(OPERATOR.tenant));
        context.result(all.map(tokenView));
        context.say(
          all.length === 0
            ? 'No token: tripwatch token add'
            : table(
                all.map((one) => [
                  one.id,
                  one.use,
                  printable(one.label),
                  one.scopes.join(','),
                  one.traveller ?? 'everyone',
                  one.revokedAt === undefined ? '' : 'revoked',
                ]),
              ),
        );
      });
    }),
  );
  token
    .command('revoke')
    .argument('<id>', 'tok_…')
    .action(
      action(async (context, id: string) => {
        await withCore(context, 'existing', async (core) => {
          await revokeToken(core.commands, OPERATOR, id);
          context.result({ id, revoked: true });
          context.say(`${id} is revoked.`);
        });
      }),
    );

  const endpoint = program.command('endpoint').description('webhooks: add, list, rotate, remove');
  endpoint
    .command('add')
    .argument('<url>', 'https address that changes are posted to')
    .option('--traveller <name>', 'changes of this traveller only')
    .action(
      action(async (context, url: string, options: { traveller?: string }) => {
        await withCore(context, 'make', async (core) => {
          const owner = options.traveller === undefined ? undefined : await chosenTraveller(core, options.traveller);
          const added = await addEndpoint(
            core.commands,
            OPERATOR,
            parseOptions(addEndpointSchema, { url, ...(owner === undefined ? {} : { traveller: owner.id }) }),
          );
          context.result({ ...endpointView(added.endpoint), secret: added.secret });
          context.say(`${added.endpoint.id}\n${added.secret}`);
          context.note('The second line is the signing secret (Standard Webhooks), shown this once.');
        });
      }),
    );
  endpoint.command('list').action(
    action(async (context) => {
      await withCore(context, 'existing', async (core) => {
        const all = await core.store.read((tx) => tx.accounts.listEndpoints(OPERATOR.tenant));
        context.result(all.map(endpointView));
        context.say(
          all.length === 0
            ? 'No endpoint: tripwatch endpoint add URL'
            : table(all.map((one) => [one.id, one.state, printable(one.url), printable(one.stateReason ?? '')])),
        );
      });
    }),
  );
  endpoint
    .command('rotate')
    .argument('<id>', 'whe_…')
    .description('make a new signing secret; the old one signs beside it until the next rotation')
    .action(
      action(async (context, id: string) => {
        await withCore(context, 'existing', async (core) => {
          const rotated = await rotateEndpoint(core.commands, OPERATOR, id);
          context.result({ ...endpointView(rotated.endpoint), secret: rotated.secret });
          context.say(rotated.secret);
        });
      }),
    );
  endpoint
    .command('remove')
    .argument('<id>', 'whe_…')
    .action(
      action(async (context, id: string) => {
        await withCore(context, 'existing', async (core) => {
          await removeEndpoint(core.commands, OPERATOR, id);
          context.result({ id, removed: true });
          context.say(`${id} is removed.`);
        });
      }),
    );

  const feed = program.command('feed').description('calendar address of a traveller: add, revoke');
  feed
    .command('add')
    .option('--traveller <name>', 'whose (name or id)')
    .action(
      action(async (context, options: { traveller?: string }) => {
        await withCore(context, 'existing', async (core) => {
          const owner = await chosenTraveller(core, options.traveller);
          const issued = await addFeed(core.commands, OPERATOR, owner.id);
          const base = core.config.http.publicUrl ?? `http://${core.config.http.host}:${core.config.http.port}`;
          const url = `${base.replace(/\/$/, '')}/feeds/${issued.secret}.ics`;
          context.result({ url, token: issued.token.id });
          context.say(url);
          context.note('Whoever has this address reads the calendar. `tripwatch feed revoke` ends it.');
        });
      }),
    );
  feed
    .command('revoke')
    .option('--traveller <name>', 'whose (name or id)')
    .action(
      action(async (context, options: { traveller?: string }) => {
        await withCore(context, 'existing', async (core) => {
          const owner = await chosenTraveller(core, options.traveller);
          const revoked = await revokeFeeds(core.commands, OPERATOR, owner.id);
          context.result({ revoked });
          context.say(`${revoked} calendar ${revoked === 1 ? 'address is' : 'addresses are'} revoked.`);
        });
      }),
    );
}
