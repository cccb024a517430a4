import { JetStreamApiError } from '@nats-io/jetstream';
import { AuthorizationError, RequestError, UserAuthenticationExpiredError } from '@nats-io/transport-node';
import { TripwatchError } from '../../../domain/errors.ts';

/** Codes of JetStream's answers (`err_code`), see nats-server: server/errors.json. */
export const STREAM_NOT_FOUND = 10059;
export const STREAM_NAME_EXISTS = 10058;
export const REPLICAS_NOT_SUPPORTED = 10074;
export const MESSAGE_NOT_FOUND = 10037;

/** The `err_code` of an answer of JetStream; undefined for anything else. */
export function apiCode(error: unknown): number | undefined {
  return error instanceof JetStreamApiError ? error.code : undefined;
}

export function isUnauthorised(error: unknown): boolean {
  return error instanceof AuthorizationError || error instanceof UserAuthenticationExpiredError;
}

/** No server has a leader for this, or JetStream at all; the client wraps it in an error of its own when publishing. */
function nobodyAnswers(error: unknown): boolean {
  if (error instanceof RequestError) return error.isNoResponders();
  return error instanceof Error && error.cause instanceof RequestError && error.cause.isNoResponders();
}

/** Translates an error of the NATS client at the edge; others pass unchanged. `where`: the server's address. */
export function translate(error: unknown, where: string): unknown {
  if (error instanceof TripwatchError) return error;
  if (isUnauthorised(error))
    return new TripwatchError(
      'permanent',
      'broker-unauthorised',
      `NATS at ${where} refuses the credentials; check user and password, or the token.`,
      { cause: error },
    );
  if (nobodyAnswers(error))
    return new TripwatchError(
      'transient',
      'broker-no-jetstream',
      `NATS at ${where} does not answer for JetStream: it is not enabled for this account, or has no leader just now.`,
      { cause: error },
    );
  if (error instanceof JetStreamApiError)
    return new TripwatchError('transient', 'broker-refused', `JetStream refuses: ${error.message}.`, {
      cause: error,
      details: { errCode: error.code },
    });
  if (error instanceof Error)
    return new TripwatchError(
      'transient',
      'broker-unreachable',
      `NATS at ${where} does not answer: ${error.message}.`,
      {
        cause: error,
      },
    );
  return error;
}
