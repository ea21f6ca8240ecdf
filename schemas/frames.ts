/** The envelope, the joins and what the server answers by itself [P-2, P-3, P-4, P-8]. */
import { type Static, Type } from '@sinclair/typebox';
import { availability } from './events/availability.ts';
import { DealerOrAll, GroupId, Id, Instant, Key, Role, Seq } from './kinds.ts';
import { Waiting } from './waiting.ts';

/** [P-2.3] Frame of a client. Other fields are ignored [P-2.4]. */
export const Envelope = Type.Object({
  channel: Type.String(),
  payload: Type.Unsafe<Record<string, unknown>>(Type.Object({}, { additionalProperties: true })),
  id: Type.Optional(Key),
});
export type Envelope = Static<typeof Envelope>;

/** [P-3.6] The last seq seen in each scope, 0 for none. */
const MAX_SINCE_SCOPES = 100;
export const Since = Type.Record(Type.String(), Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), {
  maxProperties: MAX_SINCE_SCOPES,
});
export type Since = Static<typeof Since>;

const token = Type.Optional(Type.String());
const since = Type.Optional(Since);
/** [P-21.1] The epoch that `since` is of: whatever it is, if it is not the present one nothing is recovered. */
const epoch = Type.Optional(Type.String());
const user = Type.Optional(Type.String());
/** [P-3] Not believed, whatever it is. */
const online = Type.Optional(Type.Unknown());

/** [P-3.1, P-3.2, P-3.3] */
export const JOIN_PAYLOADS = {
  client_join: Type.Object({
    type: Type.Literal('CLIENT_JOIN'),
    dealerId: Id,
    groupId: Type.Optional(GroupId),
    user,
    online,
    token,
    since,
    epoch,
  }),
  admin_join: Type.Object({
    type: Type.Literal('ADMIN_JOIN'),
    dealerId: Id,
    adminId: Id,
    user,
    online,
    token,
    since,
    epoch,
  }),
  server_join: Type.Object({
    type: Type.Literal('SERVER_JOIN'),
    dealerId: DealerOrAll,
    token,
    since,
    epoch,
  }),
} as const;

export const RefreshPayload = Type.Object({ token: Type.String() });

/** [P-3.5] */
export const SessionPayload = Type.Object({
  role: Role,
  dealerId: Type.String(),
  groupId: Type.Optional(Type.String()),
  adminId: Type.Optional(Type.String()),
  token: Type.Optional(Type.String()),
  expiresAt: Type.Optional(Instant),
  seqs: Type.Record(Type.String(), Type.Integer({ minimum: 0 })),
  recovered: Type.Record(Type.String(), Type.Boolean()),
  muted: Type.Optional(Type.Boolean()),
  closed: Type.Optional(Type.Boolean()),
  online: Type.Optional(Type.Boolean()),
  unread: Type.Optional(Type.Integer({ minimum: 0 })),
  waiting: Type.Optional(Waiting),
  availability: Type.Optional(Type.Object(availability)),
  /** [P-12.2] Of an admin: seconds after which an answer is overdue. */
  answerWithin: Type.Optional(Type.Object({ bot: Type.Integer(), admin: Type.Integer() })),
  /** [P-12.3] Of an admin: ids of the dealer's admins who are here. */
  admins: Type.Optional(Type.Array(Type.String())),
  /** [P-21.1] */
  epoch: Type.String({ pattern: '^[A-Za-z0-9_-]{6,64}$', description: 'the same as long as the log only grows' }),
  pingInterval: Type.Integer(),
});
export type SessionPayload = Static<typeof SessionPayload>;

/** [P-8.1] Payload of an ack: all fields for a stored event, the `id` alone for what has no seq. */
export const AckPayload = Type.Object({
  id: Key,
  scope: Type.Optional(Type.String()),
  seq: Type.Optional(Seq),
  at: Type.Optional(Instant),
  duplicate: Type.Optional(Type.Boolean()),
});
export type AckPayload = Static<typeof AckPayload>;
