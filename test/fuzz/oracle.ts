/** What an answer must be, whatever was asked: a frame or a problem of the protocol's, with nothing of the server's insides. */
import { type TSchema, Type } from '@sinclair/typebox';
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler';
import { CLOSE, ERRORS, ErrorPayload } from '../../schemas/errors.ts';
import { AckPayload, SessionPayload } from '../../schemas/frames.ts';
import { DELIVERIES } from '../../schemas/table.ts';

const ANSWERS: Readonly<Record<string, TypeCheck<TSchema>>> = {
  ack: TypeCompiler.Compile<TSchema>(AckPayload),
  error: TypeCompiler.Compile<TSchema>(ErrorPayload),
  session: TypeCompiler.Compile<TSchema>(SessionPayload),
  pong: TypeCompiler.Compile<TSchema>(Type.Object({}, { additionalProperties: false })),
};
const EVENTS = new Map(
  Object.entries(DELIVERIES).map(([type, { channel, stored, payload }]) => [
    type,
    { channel, stored, check: TypeCompiler.Compile<TSchema>(Type.Unsafe(payload)) },
  ]),
);
const place = TypeCompiler.Compile(
  Type.Object({
    id: Type.String({ minLength: 1 }),
    scope: Type.String({ minLength: 1 }),
    seq: Type.Integer({ minimum: 1 }),
    at: Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' }),
  }),
);

/** The one code that the fuzzing itself closes with, and hears again [RFC 6455, 5.5.1]. */
export const ECHOED = 3333;

/** Codes with which a server may close: the protocol's [P-9], and WebSocket's own for who breaks it. */
const CODES: ReadonlySet<number> = new Set([...Object.values(CLOSE), 1000, 1002, 1005, 1007, 1008, ECHOED]);

/** What only a server's insides look like. */
const INSIDES = /\n\s+at |node_modules|node:internal|file:\/\/|\.[jt]s:\d+|SQLITE_|better-sqlite|postgres/;

const shown = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)}…` : text);

/** What is wrong with a frame that the server sent; null where nothing is. */
export function faultOfFrame(text: string): string | null {
  let frame: { channel?: string; payload?: { type?: string; code?: string; message?: string } };
  try {
    frame = JSON.parse(text);
  } catch {
    return `a frame that is no JSON: ${shown(text)}`;
  }
  const { channel = '', payload = {} } = frame;
  const answer = Object.hasOwn(ANSWERS, channel) ? ANSWERS[channel] : undefined;
  if (answer) {
    if (!answer.Check(payload)) return `a bad ${channel}: ${shown(text)}`;
    if (channel === 'error' && INSIDES.test(text)) return `it tells of its insides: ${shown(text)}`;
    if (payload.code === 'internal') return `a fault: ${shown(text)}`;
    return null;
  }
  const { type = '' } = payload;
  const event = EVENTS.get(type);
  if (event?.channel !== channel) return `a frame of no channel: ${shown(text)}`;
  if (!event.check.Check(payload)) return `a bad ${type}: ${shown(text)}`;
  return event.stored === place.Check(frame) ? null : `a frame without its place: ${shown(text)}`;
}

export const faultOfClose = (code: number | null): string | null =>
  code === null || code === 1006 || CODES.has(code) ? null : `closed with ${code}`;

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** What Node says without a body, and the application never hears of: no Host [RFC 9112, 3.2], an unknown Expect [RFC 9110, 10.1.1]. */
const NODES_OWN: ReadonlySet<number> = new Set([400, 417]);

/** What is wrong with an HTTP answer. */
export function faultOfAnswer({ status, type, body }: Answer): string | null {
  if (INSIDES.test(body)) return `it tells of its insides: ${status} ${shown(body)}`;
  if (status < 400) return null;
  if (body === '' && NODES_OWN.has(status)) return null;
  if (!type.startsWith('application/problem+json')) return `${status} is no problem: ${type} ${shown(body)}`;
  const { code, status: said, title, detail } = JSON.parse(body);
  if (!Object.hasOwn(ERRORS, code)) return `a problem of no code: ${shown(body)}`;
  if (said !== status || typeof title !== 'string' || typeof detail !== 'string')
    return `a bad problem: ${shown(body)}`;
  return status >= 500 ? `a fault: ${shown(body)}` : null;
}
