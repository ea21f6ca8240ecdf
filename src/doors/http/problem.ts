/** [P-11.6] Errors over HTTP: `application/problem+json` (RFC 9457) with the protocol's codes. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyServerOptions } from 'fastify';
import { type ErrorCode, errorKind, type Refusal, RefusedError } from '../../../schemas/errors.ts';
import type { Core } from '../core.ts';
import { type Auditing, tellRefusal } from './audited.ts';
import { NOT_KEPT, REQUEST_ID, requestIdOf } from './headers.ts';

/** Seconds after which a client may try again what was `unavailable` or `rate_limited`. */
const RETRY_AFTER = 1;

/** @param more further members of the problem, as RFC 9457 allows */
export function sendProblem(
  reply: FastifyReply,
  { code, message, details, retryAfter }: Refusal,
  more: object = {},
): FastifyReply {
  const { status } = errorKind(code);
  const seconds = secondsUntilAgain(code, retryAfter);
  if (seconds !== null) reply.header('retry-after', seconds);
  reply.header('cache-control', NOT_KEPT);
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  const problem = { ...problemOf({ code, message }), ...(details && { details }), ...more };
  return reply.code(status).type(PROBLEM).send(problem);
}

/** Value of `Retry-After`; null where there is none. */
function secondsUntilAgain(code: ErrorCode, retryAfter: number = RETRY_AFTER): number | null {
  const { status, retryable } = errorKind(code);
  return retryable && status !== 500 ? retryAfter : null;
}

const PROBLEM = 'application/problem+json';

function problemOf({ code, message }: Refusal) {
  const { status, title } = errorKind(code);
  return { type: `/errors/${code}`, title, status, detail: message, code };
}

/** Refuses a request that has no route yet. Its URL is not repeated. */
export const refuseUnreadable: NonNullable<FastifyServerOptions['frameworkErrors']> = (_, { id }, reply) => {
  reply.header(REQUEST_ID, id);
  sendProblem(reply, { code: 'invalid_payload', message: 'the path cannot be read' });
};

/** Refusals before there is a request, by its error's code. */
const BEFORE_REQUEST: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: { code: 'too_large', message: 'the headers are too large' },
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'invalid_payload', message: 'the request did not come in time' },
};
const NO_REQUEST: Refusal = { code: 'invalid_payload', message: 'this is not an HTTP request' };

/** Faults of HTTP: of any other kind, the connection has gone, or its TLS has never begun, and nothing can be said on it. */
const OF_HTTP = /^(HPE_|ERR_HTTP_)/;

/** Refuses bytes that are no request at all, on the bare socket, and closes it. */
export const refuseNoRequest: NonNullable<FastifyServerOptions['clientErrorHandler']> = (error, socket) => {
  if (!OF_HTTP.test(error.code) || !socket.writable) {
    socket.destroy();
    return;
  }
  endWithProblem(socket, BEFORE_REQUEST[error.code] ?? NO_REQUEST);
};

const NO_HANDSHAKE: Refusal = { code: 'invalid_payload', message: 'this is not a WebSocket handshake' };

/** Refuses a handshake on the bare socket: it has left HTTP behind. @param refusal absent: it is not as RFC 6455 has it */
export const refuseHandshake = (socket: Duplex, request: IncomingMessage, refusal = NO_HANDSHAKE): void =>
  endWithProblem(socket, refusal, [`${REQUEST_ID}: ${requestIdOf(request)}`]);

/** Refusal for what was thrown: of what is no refusal the log has more. */
export function refusalOf(fault: unknown, log: Pick<Core['log'], 'error'>): Refusal {
  if (fault instanceof RefusedError) return fault.refusal;
  log.error({ err: fault }, 'a request could not be handled');
  return { code: 'internal', message: 'this could not be handled' };
}

/** @param lines further lines of the answer's head */
function endWithProblem(socket: Duplex, refusal: Refusal, lines: readonly string[] = []): void {
  const problem = problemOf(refusal);
  const body = JSON.stringify(problem);
  const seconds = secondsUntilAgain(refusal.code, refusal.retryAfter);
  socket.once('finish', () => socket.destroy());
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${problem.title}`,
      `content-type: ${PROBLEM}`,
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
      `cache-control: ${NOT_KEPT}`,
      ...(seconds === null ? [] : [`retry-after: ${seconds}`]),
      ...lines,
      '',
      body,
    ].join('\r\n'),
  );
}

/** Protocol's codes for the refusals of Fastify itself, by status. */
const CODES: Readonly<Record<number, ErrorCode>> = {
  404: 'unknown_route',
  413: 'too_large',
  415: 'unsupported_media_type',
  429: 'rate_limited',
  503: 'unavailable',
};

export function answerErrorsAsProblems(app: FastifyInstance, core: Auditing & Pick<Core, 'metrics'>): void {
  const { metrics } = core;
  app.setErrorHandler<FastifyError | RefusedError>((error, request, reply) => {
    if (error instanceof RefusedError) {
      metrics.refused(error.refusal.code);
      tellRefusal(core, request, error.refusal);
      return sendProblem(reply, error.refusal);
    }
    const status = error.statusCode ?? 500;
    if (status >= 500 && status !== 503) return sendProblem(reply, refusalOf(error, request.log));
    return sendProblem(reply, { code: CODES[status] ?? 'invalid_payload', message: error.message });
  });
  app.setNotFoundHandler((_, reply) => sendProblem(reply, { code: 'unknown_route', message: 'there is nothing here' }));
}
