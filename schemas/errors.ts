/** [P-9] Every error and every close code, once. */
import { type Static, Type } from '@sinclair/typebox';
import { Key, OneOf } from './kinds.ts';

/** [P-9] Close codes: 44xx are the client's fault (do not come back unchanged), any other may reconnect with backoff. */
export const CLOSE = {
  goingAway: 1001,
  binary: 1003,
  tooLarge: 1009,
  restart: 1012,
  full: 1013,
  badFrames: 4400,
  unauthorized: 4401,
  forbidden: 4403,
  unknownDealer: 4404,
  joinTimeout: 4408,
  rateLimited: 4429,
  slowConsumer: 4508,
} as const;
export type CloseCode = (typeof CLOSE)[keyof typeof CLOSE];

interface ErrorKind {
  readonly status: number;
  readonly title: string;
  /** True where the same request may succeed later, unchanged. */
  readonly retryable: boolean;
  /** The code with which a socket that met it is closed; most stay open. */
  readonly close?: CloseCode;
}

/** [P-9] The error codes, with the HTTP status that each has. */
export const FRAME_ERRORS = {
  bad_frame: { status: 400, title: 'Not an envelope', retryable: false },
  unknown_channel: { status: 400, title: 'Unknown channel', retryable: false },
  invalid_payload: { status: 400, title: 'Invalid payload', retryable: false },
  not_joined: { status: 400, title: 'Not joined', retryable: false },
  already_joined: { status: 400, title: 'Already joined', retryable: false },
  unauthorized: { status: 401, title: 'Unauthorized', retryable: false, close: CLOSE.unauthorized },
  token_expired: { status: 401, title: 'Token expired', retryable: false, close: CLOSE.unauthorized },
  forbidden: { status: 403, title: 'Forbidden', retryable: false },
  unknown_dealer: { status: 404, title: 'Unknown dealer', retryable: false, close: CLOSE.unknownDealer },
  unknown_group: { status: 404, title: 'Unknown group', retryable: false },
  unknown_intent: { status: 404, title: 'Unknown intent', retryable: false },
  bot_muted: { status: 409, title: 'The bot is muted', retryable: false },
  group_closed: { status: 409, title: 'The chat is closed', retryable: false },
  conflict: { status: 409, title: 'Conflict', retryable: false },
  too_large: { status: 413, title: 'Too large', retryable: false },
  rate_limited: { status: 429, title: 'Rate limited', retryable: true },
  unavailable: { status: 503, title: 'Unavailable', retryable: true },
  internal: { status: 500, title: 'Internal error', retryable: true },
} as const satisfies Record<string, ErrorKind>;

/** [P-9, P-11.6] Those, and the ones that no socket meets. */
export const ERRORS = {
  ...FRAME_ERRORS,
  unknown_route: { status: 404, title: 'Unknown route', retryable: false },
  upgrade_required: { status: 426, title: 'Upgrade required', retryable: false },
  not_acceptable: { status: 406, title: 'Not acceptable', retryable: false },
  unsupported_media_type: { status: 415, title: 'Unsupported media type', retryable: false },
} as const satisfies Record<string, ErrorKind>;
export type ErrorCode = keyof typeof ERRORS;

/** [P-9] Behaviour of an error code. */
export const errorKind = (code: ErrorCode): ErrorKind => ERRORS[code];

/** One thing that is wrong: where (a JSON pointer), and the rule that it breaks. */
export const Detail = Type.Object({ path: Type.String(), message: Type.String() });
export type Detail = Static<typeof Detail>;
export const Details = Type.Unsafe<readonly Detail[]>(Type.Array(Detail));

const codes = (errors: Readonly<Partial<Record<ErrorCode, ErrorKind>>>) =>
  Type.Unsafe<ErrorCode>(OneOf(Object.keys(errors)));

/** [P-9] The payload of an `error` frame. */
export const ErrorPayload = Type.Object({
  id: Type.Optional(Key),
  code: codes(FRAME_ERRORS),
  message: Type.String(),
  retryable: Type.Boolean(),
  details: Type.Optional(Details),
});

/** [P-11.6] An error over HTTP (RFC 9457). */
export const Problem = Type.Object(
  {
    type: Type.String({ pattern: '^/errors/[a-z_]+$' }),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String(),
    code: codes(ERRORS),
    details: Type.Optional(Details),
  },
  { description: 'An error over HTTP (RFC 9457).' },
);

/** A refusal, as every layer gives it: the code, one sentence for a person, and what is wrong with which field. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: readonly Detail[];
  /** Closes the socket with this code, where the error's own kind does not. */
  readonly close?: CloseCode;
  /** Seconds after which the same may succeed, where that is known. */
  readonly retryAfter?: number;
}

/** Carries a {@link Refusal} up through code that answers by throwing. */
export class RefusedError extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal, options?: ErrorOptions) {
    super(refusal.message, options);
    this.name = 'RefusedError';
    this.refusal = refusal;
  }
}

export const refused = (
  code: ErrorCode,
  message: string,
  more: Omit<Refusal, 'code' | 'message'> = {},
  options?: ErrorOptions,
) => new RefusedError({ code, message, ...more }, options);

/** [P-8.5] The database failed, and the same may succeed later; `cause` says how, to the log alone. */
export const unavailable = (cause?: unknown) =>
  new RefusedError({ code: 'unavailable', message: 'the database does not answer: try again' }, { cause });

/** Error codes of another server's event, besides those of every request [P-6]. */
export const EVENT_ERRORS = [
  'forbidden',
  'unknown_dealer',
  'unknown_intent',
  'bot_muted',
  'group_closed',
  'conflict',
  'too_large',
] as const satisfies readonly ErrorCode[];
