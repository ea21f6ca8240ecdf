/** Bodies that only HTTP has [P-11.1, P-11.2, P-11.3]. */
import { Type } from '@sinclair/typebox';
import { ErrorPayload } from './errors.ts';
import { AckPayload, SessionPayload } from './frames.ts';
import { refTo } from './json-schema.ts';
import { Instant } from './kinds.ts';
import { pageOf } from './lists.ts';

/** The most events of one `POST /v1/events`. */
export const MAX_EVENTS = 1000;

const event = Type.Unsafe<unknown>(refTo('Event'));

export const Events = Type.Union([event, Type.Array(event, { maxItems: MAX_EVENTS })], {
  description: `One event, or at most ${MAX_EVENTS}.`,
});

export const EventResults = Type.Object(
  { results: Type.Array(Type.Union([AckPayload, Type.Object({ error: ErrorPayload })])) },
  { description: 'What became of each event, in order: its ack, or its error.' },
);

export const EventList = Type.Object(
  { ...pageOf(Type.Unsafe<unknown>(refTo('EventFrame'))), epoch: SessionPayload.properties.epoch },
  { description: "A page of a scope's log: the frames as they were delivered." },
);

export const Health = Type.Object(
  {
    status: Type.Literal('ok'),
    version: Type.String(),
    uptime: Type.Integer({ minimum: 0, description: 'seconds' }),
  },
  { description: 'The process lives.' },
);

const state = Type.String({ description: '`ok`, or in a few words what is wrong.' });
const part = (description: string) => Type.Optional(Type.Object({ state }, { description }));
/** With `since`: when it began to be so, ok or not. */
const tie = (description: string) => Type.Optional(Type.Object({ state, since: Instant }, { description }));

export const ReadinessParts = Type.Object(
  {
    database: Type.Object(
      {
        state,
        epoch: Type.String({ description: 'The epoch of the log, as `session` has it.' }),
        schema: Type.String({ description: 'The last migration of its tables that this node knows.' }),
      },
      { description: 'Whether it answers, and can be written to.' },
    ),
    disk: part('The disk of an embedded database: whether there is room left. Absent where it is not on this machine.'),
    drain: Type.Object({ state }, { description: 'Whether this node is about to end.' }),
    nodes: tie('Whether what this node publishes to the others is heard: it proves that to itself every second.'),
    events: tie('The same of what other servers publish.'),
    stream: tie('Whether the stream of other servers is read.'),
    dialect: tie('Whether services of another system are heard, and told what happens. Absent where there are none.'),
    writes: tie('Whether Redis takes writes.'),
    rights: tie('Whether the user of Redis may do all that it must.'),
    strangers: tie('Whether another platform publishes under the same names.'),
  },
  {
    description:
      'Each part of the node. Those from `nodes` on are of Redis, since when each is as it is: absent where there is none, and as long as they have not been looked at.',
  },
);

export const Readiness = Type.Object(
  {
    status: Type.Literal('ready'),
    database: Type.Literal('ok'),
    redis: Type.Optional(
      Type.Union([Type.Literal('ok'), Type.Literal('trouble')], { description: 'Absent where there is none.' }),
    ),
    troubles: Type.Optional(
      Type.Record(Type.String(), Type.String(), { description: 'What is wrong with Redis, in words, by part.' }),
    ),
    parts: ReadinessParts,
  },
  { description: 'The server can serve.' },
);

export const SchemaList = Type.Object(
  { items: Type.Array(Type.Object({ name: Type.String(), url: Type.String(), description: Type.String() })) },
  { description: 'The schemas that are published.' },
);

/** The body of a 204. */
export const Nothing = Type.Unsafe<void>({ type: 'null', description: 'Done.' });
