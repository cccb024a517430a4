import type { AddressInfo } from 'node:net';
import { createSecureContext } from 'node:tls';
import { SMTPServer, type SMTPServerAddress, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import type { Config } from '../../../contracts/config.ts';
import { describeError, kindOf, TripwatchError } from '../../../domain/errors.ts';
import { mailboxAddressHash } from '../../../domain/mail/mailbox-address.ts';
import type { MailEnvelope } from '../../../ports/authenticity.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Intake } from '../../../ports/intake.ts';
import type { Logger } from '../../../ports/logger.ts';
import type { Mailbox } from '../../../ports/store/accounts.ts';
import { SMTP_LIMITS, type SmtpLimits } from './limits.ts';
import { createMinuteRate } from './rate.ts';
import { createByteBudget, EndlessMailError, receive } from './receive.ts';
import { REPLIES, SmtpReply } from './replies.ts';

export interface SmtpListenerOptions {
  readonly config: Pick<Config['smtp'], 'host' | 'port' | 'domain' | 'maxBytes'> & { readonly lmtp?: boolean };
  readonly accept: Intake['accept'];
  /** By SHA-256 (hex) of the address in lower case. */
  readonly findMailbox: (addressHash: string) => Promise<Mailbox | undefined>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly overloaded?: () => boolean | Promise<boolean>;
  /** PEM. With it STARTTLS is offered; without it, it is not. */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly limits?: Partial<SmtpLimits>;
}

export interface SmtpListener {
  /** Errors: permanent `smtp-listen` (port taken, not allowed). */
  listen(): Promise<{ readonly port: number }>;
  /** Takes nothing new, lets mails that are being received end (`closeMs`), then closes. Idempotent. */
  close(): Promise<void>;
}

/**
 * Takes forwarded mails (RFC 5321). The address at RCPT chooses mailbox, traveller and tenant; what the mail says about
 * its sender never does. `250` at the end of DATA means stored for every recipient. No sign-in, no relaying, no bounces:
 * whatever is not taken is refused while the sender is connected. No trace header is added, so that equal mails stay
 * equal; the receipt says when and where a mail came in.
 */
export function createSmtpListener(options: SmtpListenerOptions): SmtpListener {
  const { config, clock } = options;
  const logger = options.logger.child({ part: 'smtp' });
  const limits: SmtpLimits = { ...SMTP_LIMITS, ...options.limits };
  const budget = createByteBudget(limits.bufferedBytesMax);
  const rate = createMinuteRate(limits.mailsPerMinuteMax);
  const unknown = new Map<string, number>();
  const receiving = new Set<string>();
  let closing: Promise<void> | undefined;

  if (options.tls !== undefined) checkTls(options.tls);
  const server = new SMTPServer({
    name: config.domain,
    banner: 'Tripwatch',
    size: config.maxBytes,
    // The one who hands over is a server of the operator: what keeps strangers in bounds would hold up everybody's mails.
    lmtp: config.lmtp === true,
    disabledCommands: [
      'AUTH',
      'VRFY',
      'XCLIENT',
      'XFORWARD',
      'WIZ',
      'SHELL',
      'KILL',
      ...(options.tls ? [] : ['STARTTLS']),
    ],
    ...(options.tls === undefined ? {} : { key: options.tls.key, cert: options.tls.cert }),
    hideENHANCEDSTATUSCODES: false,
    disableReverseLookup: true,
    noDelay: true,
    logger: false,
    maxClients: limits.connectionsMax,
    maxRecipients: limits.recipientsMax,
    socketTimeout: limits.idleMs,
    closeTimeout: limits.closeMs,
    onConnect: (session, done) => done(refuseConnection(session)),
    onMailFrom: (_address, session, done) => void refuseMail(session).then(() => done(), done),
    onRcptTo: (address, session, done) => void checkRecipient(address, session).then(() => done(), done),
    onData: (stream, session, done) => void takeMail(stream, session).then((text) => done(null, text), done),
    onClose: (session) => {
      unknown.delete(session.id);
    },
  });
  server.on('error', (error) =>
    logger.debug({ code: describeError(error).code }, 'SMTP connection ended with an error'),
  );

  function refuseConnection(session: SMTPServerSession): Error | undefined {
    if (closing !== undefined) return REPLIES.closing();
    if (config.lmtp === true) return undefined;
    let same = 0;
    for (const connection of server.connections) if (connection.session.remoteAddress === session.remoteAddress) same++;
    return same > limits.connectionsPerAddressMax ? REPLIES.tooManyConnections() : undefined;
  }

  async function refuseMail(session: SMTPServerSession): Promise<void> {
    if (closing !== undefined) throw REPLIES.closing();
    if (config.lmtp !== true && !rate.allow(session.remoteAddress, clock.monotonic())) throw REPLIES.tooManyMails();
    if ((await options.overloaded?.()) === true) throw REPLIES.overloaded();
  }

  async function lookUp(address: string): Promise<Mailbox | undefined> {
    try {
      const mailbox = await options.findMailbox(mailboxAddressHash(address));
      return mailbox?.state === 'removed' ? undefined : mailbox;
    } catch (error) {
      logger.error(describeError(error), 'Forwarding address could not be looked up');
      throw REPLIES.lookUpFailed();
    }
  }

  async function checkRecipient(address: SMTPServerAddress, session: SMTPServerSession): Promise<void> {
    const mailbox = await lookUp(address.address);
    if (mailbox?.state === 'paused') throw REPLIES.paused();
    if (mailbox !== undefined) return;
    const misses = (unknown.get(session.id) ?? 0) + 1;
    unknown.set(session.id, misses);
    throw config.lmtp !== true && misses > limits.unknownRecipientsMax
      ? REPLIES.tooManyUnknown()
      : REPLIES.unknownAddress(config.domain);
  }

  async function takeMail(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<string> {
    receiving.add(session.id);
    // An endless drip of bytes keeps the idle timer quiet; this one does not listen to it.
    const deadline = setTimeout(() => disconnect(session.id, 'The mail took too long; closing'), limits.dataMs);
    try {
      const received = await receive(stream, config.maxBytes, budget);
      clearTimeout(deadline);
      if (received.kind === 'too-large') throw REPLIES.tooLarge(config.maxBytes);
      if (received.kind === 'no-memory') throw REPLIES.notStored();
      try {
        return await store(received.bytes, session);
      } finally {
        received.release();
      }
    } catch (error) {
      throw translate(error, session);
    } finally {
      clearTimeout(deadline);
      receiving.delete(session.id);
      if (closing !== undefined) setImmediate(() => disconnect(session.id, REPLIES.closing().message));
    }
  }

  /** Each recipient's own mailbox gets the mail. If one cannot be stored, all are asked for again: a repeat is harmless. */
  async function store(bytes: Uint8Array, session: SMTPServerSession): Promise<string> {
    const mailboxes = new Map<string, Mailbox>();
    for (const recipient of session.envelope.rcptTo) {
      const mailbox = await lookUp(recipient.address);
      if (mailbox === undefined) throw REPLIES.unknownAddress(config.domain);
      mailboxes.set(mailbox.id, mailbox);
    }
    const results = await Promise.all(
      [...mailboxes.values()].map((mailbox) =>
        options.accept({ mailbox, bytes, via: 'smtp', envelope: envelopeOf(session) }),
      ),
    );
    if (results.some((result) => result.outcome === 'refused')) throw REPLIES.empty();
    return `Stored as ${results.map((result) => result.mailId).join(' ')}`;
  }

  function translate(error: unknown, session: SMTPServerSession): SmtpReply {
    if (error instanceof SmtpReply) return error;
    if (error instanceof EndlessMailError) {
      setImmediate(() => disconnect(session.id, REPLIES.tooLarge(config.maxBytes).message));
      return REPLIES.tooLarge(config.maxBytes);
    }
    if (error instanceof TripwatchError && error.kind === 'rate-limited') return REPLIES.overloaded();
    if (!isConnectionEnd(error)) {
      logger.error(
        { kind: kindOf(error), ...describeError(error) },
        'Mail could not be stored; the sender was asked to repeat',
      );
    }
    return REPLIES.notStored();
  }

  function disconnect(sessionId: string, message: string): void {
    for (const connection of server.connections) if (connection.session.id === sessionId) connection.send(421, message);
  }

  return {
    listen: () =>
      new Promise((resolve, reject) => {
        const failed = (cause: Error) => reject(listenError(config, cause));
        server.server.once('error', failed);
        server.listen(config.port, config.host, () => {
          server.server.off('error', failed);
          resolve({ port: (server.server.address() as AddressInfo).port });
        });
      }),
    close: () => {
      closing ??= new Promise((resolve) => {
        const idle = [...server.connections].filter((connection) => !receiving.has(connection.session.id));
        server.close(() => resolve());
        for (const connection of idle) connection.send(421, REPLIES.closing().message);
      });
      return closing;
    },
  };
}

function envelopeOf({ remoteAddress, hostNameAppearsAs, envelope }: SMTPServerSession): MailEnvelope {
  const sender = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
  // A host name or address literal is no longer than that (RFC 5321 section 4.5.3.1.2).
  const helo = (hostNameAppearsAs || '').slice(0, 255);
  return { ip: remoteAddress, sender: sender.slice(0, 320), ...(helo === '' ? {} : { helo }) };
}

function isConnectionEnd(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === 'ECONNECTION' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}

/** A certificate that cannot be used must show at start, not at the first sender's STARTTLS. */
function checkTls(tls: { readonly key: string; readonly cert: string }): void {
  try {
    createSecureContext(tls);
  } catch (cause) {
    const why = (cause as { code?: string }).code ?? 'unreadable';
    throw new TripwatchError(
      'permanent',
      'smtp-tls-invalid',
      `Key and certificate of the mail listener cannot be used (${why}). ` +
        'Let smtp.tls.key and smtp.tls.cert name the PEM files of one certificate and its key.',
      { cause },
    );
  }
}

function listenError(config: SmtpListenerOptions['config'], cause: Error): TripwatchError {
  return new TripwatchError(
    'permanent',
    'smtp-listen',
    `Cannot listen for mails on ${config.host}:${config.port}: ${cause.message}. ` +
      'Choose another port (smtp.port, 0 for any), or switch the listener off (smtp.enabled).',
    { cause },
  );
}
