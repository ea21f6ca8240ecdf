/** From bytes to what was asked [P-2.3, P-3, P-5, P-6]: pure translation, dispatched by channel and `type`. */
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { Body, BodySchema } from '../../schemas/accepted.ts';
import { type Detail, RefusedError, refused } from '../../schemas/errors.ts';
import { type Envelope, Envelope as EnvelopeSchema, JOIN_PAYLOADS, RefreshPayload } from '../../schemas/frames.ts';
import { Key, type Role } from '../../schemas/kinds.ts';
import { CONTROLS, JOINS, SENDS } from '../../schemas/table.ts';
import { checker, isJsonObject } from './checker.ts';

const checkEnvelope = checker(EnvelopeSchema);
const key = TypeCompiler.Compile(Key);
type Check = (value: unknown) => Body;

const compiled = new Map<BodySchema, Check>();
/** A schema that several roles send by is compiled once. */
function checkOf(schema: BodySchema): Check {
  const check = compiled.get(schema) ?? checker(schema);
  compiled.set(schema, check);
  return check;
}

/** [P-5] The checks of a role's channels, by `type`. */
const checksOf = (role: Role): ReadonlyMap<string, ReadonlyMap<unknown, Check>> =>
  new Map(
    Object.entries(SENDS[role]).map(([channel, schemas]) => [
      channel,
      new Map(schemas.map((schema) => [schema.properties.type.const, checkOf(schema)])),
    ]),
  );
const CHECKS: Readonly<Record<Role, ReturnType<typeof checksOf>>> = {
  customer: checksOf('customer'),
  admin: checksOf('admin'),
  server: checksOf('server'),
};

const KNOWN_CHANNELS: ReadonlySet<string> = new Set([
  ...Object.values(SENDS).flatMap((channels) => Object.keys(channels)),
  ...Object.keys(JOINS),
  ...CONTROLS,
]);

/** Tells whether any role may send on a channel of this name. */
export const isKnownChannel = (channel: string): boolean => KNOWN_CHANNELS.has(channel);

export const decodeJoin = {
  client_join: checker(JOIN_PAYLOADS.client_join),
  admin_join: checker(JOIN_PAYLOADS.admin_join),
  server_join: checker(JOIN_PAYLOADS.server_join),
} as const;

export const decodeRefresh = checker(RefreshPayload);

/** Tells whether a value can be the `id` of a frame or an event [P-2.3]. */
export const isKey = (value: unknown): value is string => key.Check(value);

/** A frame that is not an envelope; `id` is the one that it asked to be answered by, where that much was right. */
export class BadFrame extends RefusedError {
  readonly id: string | undefined;
  constructor(message: string, id?: string, details?: readonly Detail[]) {
    super({ code: 'bad_frame', message, ...(details && { details }) });
    this.id = id;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadFrame('the frame is not JSON');
  }
}

/**
 * Reads one text frame [P-2.3].
 * @throws BadFrame where it is not an envelope
 */
export function decodeEnvelope(text: string): Envelope {
  const value = parse(text);
  try {
    return checkEnvelope(value);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const id = isJsonObject(value) && isKey(value.id) ? value.id : undefined;
    throw new BadFrame(error.refusal.message, id, error.refusal.details);
  }
}

/**
 * The check for a payload of a channel, by its `type` [P-5]: it throws a RefusedError `invalid_payload`.
 * @throws RefusedError `unknown_channel`, `forbidden` (another role's channel) or `invalid_payload` (no such type there)
 */
export function bodyDecoder(role: Role, channel: string, type: unknown): Check {
  const checks = CHECKS[role].get(channel);
  if (!checks) {
    if (isKnownChannel(channel)) throw refused('forbidden', `a ${role} does not send on ${channel}`);
    throw refused('unknown_channel', 'there is no such channel');
  }
  const check = checks.get(type);
  if (check) return check;
  const message = `expected one of ${[...checks.keys()].join(', ')}`;
  throw refused('invalid_payload', `type: ${message}`, { details: [{ path: '/type', message }] });
}

/**
 * Reads the idempotency key that another server may put into its payload [P-6].
 * @throws RefusedError `invalid_payload`
 */
export function decodeKey(payload: Record<string, unknown>): string | undefined {
  if (payload.id === undefined) return undefined;
  if (isKey(payload.id)) return payload.id;
  const message = 'expected 1 to 64 of A-Z a-z 0-9 . _ : -';
  throw refused('invalid_payload', `id: ${message}`, { details: [{ path: '/id', message }] });
}
