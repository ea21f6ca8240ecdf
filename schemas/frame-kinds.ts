/**
 * Every kind of frame that there is, by who sends it: made of the one table, so that a channel or a type that is added
 * there appears here, and in every document.
 */
import { type TSchema, Type } from '@sinclair/typebox';
import type { Body, BodySchema } from './accepted.ts';
import { CONTENTS } from './content.ts';
import type { Event } from './delivered.ts';
import { ErrorPayload } from './errors.ts';
import { AckPayload, JOIN_PAYLOADS, RefreshPayload, SessionPayload } from './frames.ts';
import {
  described,
  type JsonSchema,
  type ObjectSchema,
  plain,
  plainObject,
  refTo,
  withNames,
  withTextIds,
} from './json-schema.ts';
import { GroupId, Id, Instant, Key, type Role, Seq } from './kinds.ts';
import { RECORDS } from './records.ts';
import {
  ACCEPTED,
  CONTROLS,
  DEALER_SCOPE,
  DELIVERIES,
  DESK_SCOPE,
  EVENT_TYPES,
  JOINS,
  type JoinChannel,
  SENDS,
} from './table.ts';

/** Sender of a frame: a client in its role, or Telle. */
export type Sender = Role | 'telle';

export interface FrameKind {
  readonly sender: Sender;
  readonly channel: string;
  /** The payload's `type`; null where it has none. */
  readonly type: string | null;
  /** Effect or meaning, in a sentence. */
  readonly summary: string;
  /** The published name of its payload's schema. */
  readonly name: string;
  readonly payload: ObjectSchema;
  /** The envelope's fields besides `channel` and `payload`, all of them there or none (a client's `id`: as it likes). */
  readonly envelope: Readonly<Record<string, JsonSchema>>;
}

const pascal = (word: string): string =>
  word.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, first: string) => first.toUpperCase());

const ID = plain(Id);
const KEY = plain(Key);
const keyed = { id: KEY };

const namesOf = (schemas: Readonly<Record<string, TSchema>>): ReadonlyMap<string, string> =>
  new Map(Object.entries(schemas).map(([name, schema]) => [JSON.stringify(plain(schema)), name]));
const RECORD_NAMES = namesOf(RECORDS);
/** Parts of payloads that are published by names of their own. */
const PART_NAMES = namesOf({ ...RECORDS, ...CONTENTS });

/** [P-5] The fields that a session fills in, and compares where they are given: `identityOf` in `src/auth/session.ts`. */
const IDENTITY: Readonly<Record<Role, Readonly<Record<string, JsonSchema>>>> = {
  customer: { dealerId: ID, groupId: plain(GroupId), user: { const: 'customer' } },
  admin: { dealerId: ID, adminId: ID, user: { const: 'admin' } },
  server: { dealerId: ID },
};

/** [P-6.1] Where a record is asked for, a string that holds one is taken too. */
function orHeldByText(message: JsonSchema): JsonSchema {
  const record = withNames(message, RECORD_NAMES);
  if (!('$ref' in record)) return message;
  return { anyOf: [record, { type: 'string', contentMediaType: 'application/json', contentSchema: record }] };
}

interface Rule {
  readonly if: { readonly required: readonly string[] };
  readonly then: { readonly required: readonly string[] };
}

/** [P-5] An accepted payload as it is on the wire of a role: what its session fills in may be left out. */
function onWire(role: Role, schema: BodySchema): ObjectSchema {
  const identity = IDENTITY[role];
  const { properties, required = [], allOf = [], ...rest } = plainObject(schema);
  const { type = {}, message, adminId, ...fields } = properties;
  const rules = (allOf as readonly Rule[]).filter(
    (rule) => ![...rule.if.required, ...rule.then.required].some((field) => field in identity),
  );
  return described({
    ...rest,
    required: required.filter((field) => !(field in identity)),
    properties: {
      type,
      ...withNames(fields, PART_NAMES),
      ...(adminId && role !== 'customer' && { adminId }), // a customer's is ignored
      ...identity,
      ...(role === 'server' && keyed), // [P-6]
      ...(message && { message: orHeldByText(message) }),
    },
    ...(rules.length > 0 && { allOf: rules }),
  });
}

function joinKind(channel: JoinChannel): FrameKind {
  const sender = JOINS[channel];
  const { properties, ...schema } = plainObject(JOIN_PAYLOADS[channel]);
  const { user, ...fields } = properties;
  const payload = described({ ...schema, properties: { ...fields, ...(user && { user: { const: sender } }) } });
  const type = JOIN_PAYLOADS[channel].properties.type.const;
  return { sender, channel, type, summary: `Joins as ${sender}.`, name: pascal(type), payload, envelope: keyed };
}

const CONTROL_PAYLOADS = {
  ping: { payload: Type.Object({}), summary: 'Asks for a pong: a browser cannot send a WebSocket ping.' },
  refresh: { payload: RefreshPayload, summary: 'Gives the next token, before the present one expires.' },
} as const satisfies Record<(typeof CONTROLS)[number], unknown>;

const controlKinds = (sender: Role): FrameKind[] =>
  CONTROLS.map((channel) => {
    const { payload, summary } = CONTROL_PAYLOADS[channel];
    const schema = described(plainObject(payload));
    return { sender, channel, type: null, summary, name: pascal(channel), payload: schema, envelope: keyed };
  });

/** [P-3, P-5, P-6] Frames that a role may send, joins first. */
export function sentBy(sender: Role): FrameKind[] {
  const joins = (Object.keys(JOINS) as JoinChannel[]).filter((channel) => JOINS[channel] === sender);
  const events = Object.entries(SENDS[sender]).flatMap(([channel, schemas]) =>
    schemas.map((schema): FrameKind => {
      const type: Body['type'] = schema.properties.type.const;
      const name = pascal(sender) + pascal(type);
      return {
        sender,
        channel,
        type,
        summary: ACCEPTED.get(type)?.summary ?? '',
        name,
        payload: onWire(sender, schema),
        envelope: keyed,
      };
    }),
  );
  return [...joins.map(joinKind), ...events, ...controlKinds(sender)];
}

const GROUP_SCOPE = withTextIds({ groupId: plain(GroupId) }).groupId;
const SCOPES = {
  group: GROUP_SCOPE,
  [DEALER_SCOPE]: { const: DEALER_SCOPE },
  [DESK_SCOPE]: { const: DESK_SCOPE },
  either: { anyOf: [{ const: DESK_SCOPE }, GROUP_SCOPE] },
} as const satisfies Record<(typeof DELIVERIES)[Event['type']]['scope'], JsonSchema>;

function eventKind(type: Event['type']): FrameKind {
  const { channel, scope, stored, summary, payload } = DELIVERIES[type];
  const schema = described(withNames(withTextIds(plainObject(payload)), PART_NAMES));
  const envelope = stored ? { ...keyed, scope: SCOPES[scope], seq: plain(Seq), at: plain(Instant) } : {};
  return { sender: 'telle', channel, type, summary, name: pascal(type), payload: schema, envelope };
}

const ANSWERS = {
  session: { payload: SessionPayload, summary: 'The socket has joined: who it is, and where the logs stand.' },
  ack: { payload: AckPayload, summary: 'What was sent with this id is done; an event is committed.' },
  error: { payload: ErrorPayload, summary: 'What was sent is refused.' },
  pong: { payload: Type.Object({}), summary: 'The answer to a ping.' },
} as const;

/** [P-3.5, P-7, P-8.1, P-9] Frames that Telle sends: events, and answers. */
export function sentByTelle(): FrameKind[] {
  const answers = Object.entries(ANSWERS).map(([channel, { payload, summary }]): FrameKind => {
    const schema = described(plainObject(payload));
    return { sender: 'telle', channel, type: null, summary, name: pascal(channel), payload: schema, envelope: {} };
  });
  return [...EVENT_TYPES.map(eventKind), ...answers];
}

/** The schema of a whole frame. */
export const frameSchema = ({ sender, channel, summary, name, envelope }: FrameKind): ObjectSchema =>
  described({
    type: 'object',
    description: summary,
    required: ['channel', 'payload', ...(sender === 'telle' ? Object.keys(envelope) : [])],
    properties: { channel: { const: channel }, payload: refTo(name), ...envelope },
  });
