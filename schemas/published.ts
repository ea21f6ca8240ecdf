/**
 * Every schema that is published, by name: JSON Schema 2020-12, made of the schemas that validate. References between
 * them are host-relative: `/schemas/<Name>.json`, where the server has them.
 */
import type { TSchema } from '@sinclair/typebox';
import { CONTENTS } from './content.ts';
import { DeadLetter, DeadLetterList } from './dead-letters.ts';
import { Dealer, DealerList, DealerPatch, DealerSettings } from './dealers.ts';
import { Problem } from './errors.ts';
import { type FrameKind, frameSchema, type Sender, sentBy, sentByTelle } from './frame-kinds.ts';
import { Envelope } from './frames.ts';
import { EventList, EventResults, Events, Health, Readiness, SchemaList } from './http.ts';
import {
  described,
  isObjectSchema,
  type JsonSchema,
  plain,
  refTo,
  uriOf,
  withNames,
  withTextIds,
} from './json-schema.ts';
import {
  ErasureList,
  ErasureReceipt,
  GroupItem,
  GroupList,
  IntentItem,
  IntentList,
  LeadItem,
  LeadList,
  PageviewItem,
  PageviewList,
  RecordItem,
  RecordList,
  SearchItem,
  SearchList,
  Transcript,
  TranscriptLine,
} from './reading.ts';
import { Reception } from './reception.ts';
import { RECORDS } from './records.ts';
import { Code, CodeRequest, SignedIn, SignIn } from './sessions.ts';
import { Claims, Revocation, RevocationRequest } from './tokens.ts';

const JSON_SCHEMA = 'https://json-schema.org/draft/2020-12/schema';

/** Every kind of frame, by who sends it. */
export const FRAMES: Readonly<Record<Sender, readonly FrameKind[]>> = {
  customer: sentBy('customer'),
  admin: sentBy('admin'),
  server: sentBy('server'),
  telle: sentByTelle(),
};

/** The name of the schema that every frame of a sender keeps to. */
export const FRAME_NAMES: Readonly<Record<Sender, string>> = {
  customer: 'CustomerFrame',
  admin: 'AdminFrame',
  server: 'ServerFrame',
  telle: 'DeliveredFrame',
};

/** Schemas that are referred to by name wherever they are part of another. To publish another body, name it here. */
const BODIES = {
  ...RECORDS,
  ...CONTENTS,
  Dealer,
  DealerSettings,
  DealerPatch,
  DealerList,
  RevocationRequest,
  Revocation,
  DeadLetter,
  DeadLetterList,
  Events,
  EventResults,
  EventList,
  Health,
  Readiness,
  SchemaList,
  CodeRequest,
  Code,
  SignIn,
  SignedIn,
  Reception,
  GroupItem,
  GroupList,
  RecordItem,
  RecordList,
  IntentItem,
  IntentList,
  LeadItem,
  LeadList,
  PageviewItem,
  PageviewList,
  SearchItem,
  SearchList,
  ErasureReceipt,
  ErasureList,
  TranscriptLine,
  Transcript,
  Problem,
} as const satisfies Record<string, TSchema>;

const NAMES = new Map(Object.entries(BODIES).map(([name, schema]) => [JSON.stringify(plain(schema)), name]));

/** A schema as a document has it: plain, and what is published said by its name. */
export const documented = (schema: TSchema | JsonSchema): JsonSchema => withNames(plain(schema), NAMES);

/** A body's own schema: only the parts of it are said by their names. Ids are as the server says them. */
function bodySchema(schema: TSchema): JsonSchema {
  const { description, ...json } = plain(schema);
  const named = withTextIds(withNames(json, NAMES));
  return { description, ...(isObjectSchema(named) ? described(named) : named) };
}

const oneOf = (description: string, schemas: readonly JsonSchema[]): JsonSchema => ({ description, oneOf: schemas });
const framesOf = (sender: Sender, description: string): JsonSchema =>
  oneOf(description, FRAMES[sender].map(frameSchema));

const payloads = Object.values(FRAMES)
  .flat()
  .map(({ name, summary, payload }) => [name, { description: summary, ...payload }] as const);

const events = FRAMES.server.filter(({ channel }) => channel === 'event');
const stored = FRAMES.telle.filter(({ envelope }) => 'seq' in envelope);

const schemas: Readonly<Record<string, JsonSchema>> = {
  Envelope: { description: 'What every frame is, in both directions.', ...plain(Envelope) },
  [FRAME_NAMES.customer]: framesOf('customer', 'Any frame that a customer may send.'),
  [FRAME_NAMES.admin]: framesOf('admin', 'Any frame that an admin may send.'),
  [FRAME_NAMES.server]: framesOf('server', 'Any frame that another server may send.'),
  [FRAME_NAMES.telle]: framesOf('telle', 'Any frame that Telle sends.'),
  EventFrame: oneOf('The frame of a stored event.', stored.map(frameSchema)),
  Event: oneOf(
    'What another server says: bare on Redis and over HTTP, or as the payload of channel `event`.',
    events.map(({ name }) => refTo(name)),
  ),
  TokenClaims: {
    description: "What a token says: `sub` is the groupId, the adminId, or the server's name.",
    ...plain(Claims),
  },
  ...Object.fromEntries(payloads),
  ...Object.fromEntries(Object.entries(BODIES).map(([name, schema]) => [name, bodySchema(schema)])),
};

/** By name, in the order of their names. */
export const PUBLISHED: ReadonlyMap<string, JsonSchema> = new Map(
  Object.entries(schemas)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, schema]) => [name, { $schema: JSON_SCHEMA, $id: uriOf(name), title: name, ...schema }]),
);
