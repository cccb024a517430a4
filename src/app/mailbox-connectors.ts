import { readFileSync } from 'node:fs';
import { createPublicAgent } from '../adapters/egress/agent.ts';
import { createGmailConnector, type GmailOptions } from '../adapters/mailbox/gmail/connector.ts';
import { createGraphConnector, type GraphOptions } from '../adapters/mailbox/graph/connector.ts';
import { createImapConnector } from '../adapters/mailbox/imap/connector.ts';
import { createJmapConnector } from '../adapters/mailbox/jmap/connector.ts';
import { createJwks } from '../adapters/oauth/jwks.ts';
import { createHttpLine, type HttpLine } from '../adapters/provider/http/line.ts';
import type { Keyring } from '../adapters/secrets/keyring.ts';
import type { Config } from '../contracts/config.ts';
import { TripwatchError } from '../domain/errors.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { MailboxConnector } from '../ports/mailbox.ts';
import { heldOff } from './mailbox-budget.ts';
import { noticeKeys, pushOffer, pushUrl } from './mailbox-push.ts';

/** How mailboxes are read that we go to. */
export interface MailboxConnectors {
  readonly connectors: readonly MailboxConnector[];
  /** To the providers' own addresses, which the configuration names. */
  readonly line: HttpLine;
  close(): Promise<void>;
}

/** Nothing is dialled until a mailbox is opened. Errors: permanent `config-invalid` for certificates that cannot be read. */
export function mailboxConnectors(config: Config, clock: Clock, random: Random, keys: Keyring): MailboxConnectors {
  const { allowPrivate, allowPlain, ca } = config.mailboxes;
  const line = createHttpLine({ clock });
  // A stranger names the server of a JMAP mailbox.
  const agent = createPublicAgent({ allowPrivate });
  const guarded = createHttpLine({ clock, dispatcher: agent });
  const { google, microsoft } = config.oauth;
  const connectors: MailboxConnector[] = [
    createImapConnector({ allowPrivate, allowPlain, ...(ca === undefined ? {} : { ca: [certificates(ca)] }) }),
    createJmapConnector({ clock, line: guarded, allowPrivate }),
  ];
  if (google !== undefined)
    connectors.push(
      createGmailConnector({
        ...{ clock, line },
        ...(google.apiUrl === undefined ? {} : { url: google.apiUrl }),
        ...gmailPush(config, line, clock),
      }),
    );
  if (microsoft !== undefined)
    connectors.push(
      createGraphConnector({
        ...{ clock, random, line },
        ...(microsoft.apiUrl === undefined ? {} : { url: microsoft.apiUrl }),
        ...graphPush(config, keys, clock),
      }),
    );
  return {
    connectors: connectors.map((connector) => heldOff(connector, clock)),
    line,
    close: async () => {
      await line.close();
      await guarded.close();
      await agent.destroy();
    },
  };
}

function gmailPush(config: Config, line: HttpLine, clock: Clock): Pick<GmailOptions, 'push'> {
  const push = config.oauth.google?.push;
  if (push === undefined || pushOffer(config, 'gmail').by !== 'notices') return {};
  const { topic, serviceAccount, subscription, audience = pushUrl(config, 'gmail'), keysUrl } = push;
  const jwks = createJwks({ line, clock, ...(keysUrl === undefined ? {} : { url: keysUrl }) });
  return { push: { topic, serviceAccount, audience, jwks, ...(subscription === undefined ? {} : { subscription }) } };
}

function graphPush(config: Config, keys: Keyring, clock: Clock): Pick<GraphOptions, 'push'> {
  if (pushOffer(config, 'graph').by !== 'notices') return {};
  const url = pushUrl(config, 'graph');
  return { push: { notificationUrl: url, lifecycleUrl: url, keys: noticeKeys(keys, clock) } };
}

function certificates(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new TripwatchError(
      'permanent',
      'config-invalid',
      `The configuration names certificates in ${path} (mailboxes.ca), which cannot be read: ${(cause as Error).message}.`,
      { cause },
    );
  }
}
