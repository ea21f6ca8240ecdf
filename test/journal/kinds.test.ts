/**
 * Every kind of event that there is, whoever sends it: all that is sent is told on, and read wherever it is to be read; and
 * nothing of it is anywhere once its conversation is erased [P-11.4].
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Kind, type TSchema } from '@sinclair/typebox';
import { IDENTITY } from '../../schemas/accepted.ts';
import { OF_NO_GROUP } from '../../schemas/events/kind.ts';
import type { Role } from '../../schemas/kinds.ts';
import { ACCEPTED, EVENT_TYPES, KINDS, SENDS } from '../../schemas/table.ts';
import type { Client } from '../support/client.ts';
import { DATABASES, type DatabaseKind, openDatabase } from '../support/database.ts';
import type { Frame } from '../support/frame.ts';
import { sampleOf } from '../support/samples.ts';
import { DEALER, type TestServer, withServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/** The beginning of every canary, which is in nothing else. */
const CANARY = 'canary';
const GROUP = `${CANARY}0group`;
/** An intent is updated by its name: all have the same. */
const INTENT = `${CANARY}0intent`;

let count = 0;
const canary = (): string => {
  count += 1;
  return `${CANARY}${count}x`;
};

const TEXTUAL: ReadonlySet<string> = new Set(['Text', 'Plain', 'String']);

/** A value of a schema that has a canary in each of its texts, and in a field that its records do not name. */
function filled(schema: TSchema, given: Readonly<Record<string, unknown>> = {}): unknown {
  const { [Kind]: kind, anyOf, items, pattern, properties, additionalProperties } = schema;
  if (kind === 'Union') return filled(anyOf[0]);
  if (kind === 'Array') return [filled(items)];
  if (TEXTUAL.has(kind) && (kind === 'Plain' || pattern === undefined)) return canary();
  if (!properties) return sampleOf(schema);
  const fields = Object.entries<TSchema>(properties).map(([name, field]) => {
    const value = Object.hasOwn(given, name) ? given[name] : name === 'intent' ? INTENT : filled(field);
    return [name, value];
  });
  return Object.fromEntries(additionalProperties === true ? [...fields, [canary(), canary()]] : fields);
}

interface Sent {
  readonly id: string;
  readonly type: string;
  /** What was told of it. */
  readonly frame: Frame;
  /** What it says besides who sent it, and where: what is to be told on, and what is not. */
  readonly told: Readonly<Record<string, unknown>>;
  readonly dropped: Readonly<Record<string, unknown>>;
}

const canariesIn = (value: unknown): string[] => JSON.stringify(value).match(/canary\d+\w+/g) ?? [];

/** The frame by which somebody else hears of it: a stored one has its id, any other is the next of its kind. */
async function heard(observer: Client, id: string, types: readonly string[]): Promise<Frame> {
  return observer.next((frame) => frame.id === id || (frame.seq === undefined && types.includes(frame.payload.type)));
}

/** What ends something comes last: a bot that is muted, or a chat that is closed, has nobody asked for [P-12.8]. */
const ENDS: readonly string[] = ['MUTE_BOT', 'CLOSE_CHAT'];
const endsIn = ({ properties }: TSchema): number => Number(ENDS.includes(properties.type.const));

/** Sends everything that a role may send, by whoever is joined in it. */
async function sendAll(role: Role, sender: Client, observer: Client): Promise<Sent[]> {
  const sent: Sent[] = [];
  for (const [channel, schemas] of Object.entries(SENDS[role])) {
    for (const schema of schemas.toSorted((one, other) => endsIn(one) - endsIn(other))) {
      const type: string = schema.properties.type.const;
      // [P-18.2] Text that grows is a bot's.
      const by = role === 'server' && type === 'TYPING' ? 'bot' : role;
      const user = by !== 'server' && schema.properties.user ? { user: by } : {};
      const given = { type, dealerId: DEALER, groupId: GROUP, adminId: 'a1', ...user };
      const body = Object(filled(schema, given));
      const id = canary();
      assert.equal((await sender.ask(channel, body, id)).channel, 'ack', `${role}'s ${type}`);
      const frame = await heard(observer, id, typesOf(type));
      const drops: readonly string[] = ACCEPTED.get(type)?.drops ?? [];
      const others: readonly string[] = IDENTITY;
      const fields = Object.entries(body).filter(([name]) => !others.includes(name));
      const told = Object.fromEntries(fields.filter(([name]) => !drops.includes(name)));
      const dropped = Object.fromEntries(fields.filter(([name]) => drops.includes(name)));
      sent.push({ id, type, frame, told, dropped });
    }
  }
  return sent;
}

/** The types of events that a payload of a type can become. */
const typesOf = (accepted: string): string[] =>
  EVENT_TYPES.filter((type) => Object.hasOwn(KINDS[type].accepts, accepted));

const FORMATS = ['application/json', 'text/plain', 'text/csv', 'application/x-adf+xml'] as const;
const PLACES: Readonly<Record<string, readonly (typeof FORMATS)[number][]>> = {
  groups: ['application/json'],
  [`groups/${GROUP}`]: ['application/json'],
  [`groups/${GROUP}/transcript`]: ['application/json', 'text/plain'],
  [`scopes/${GROUP}/events`]: ['application/json'],
  'scopes/@desk/events': ['application/json'],
  'scopes/@dealer/events': ['application/json'],
  users: ['application/json'],
  leads: ['application/json', 'text/csv', 'application/x-adf+xml'],
  'lead-intents': ['application/json', 'text/csv', 'application/x-adf+xml'],
  pageviews: ['application/json'],
  erasures: ['application/json'],
  export: [],
};

/** Everything that can be read over HTTP, by where it is. */
async function readings(server: TestServer): Promise<Map<string, string>> {
  const authorization = `Bearer ${await server.freshToken('server', 'crm')}`;
  const read = new Map<string, string>();
  for (const [place, formats] of Object.entries(PLACES)) {
    for (const accept of formats.length > 0 ? formats : ['*/*']) {
      const url = `/v1/dealers/${DEALER}/${place}`;
      const { payload } = await server.app.inject({ method: 'GET', url, headers: { authorization, accept } });
      read.set(`${place} as ${accept}`, payload);
    }
  }
  return read;
}

/** Of no group, and so nobody's to erase. */
const isOfNoGroup = ({ frame }: Sent): boolean =>
  frame.payload.groupId === undefined &&
  EVENT_TYPES.some((type) => type === frame.payload.type && KINDS[type].erased === OF_NO_GROUP);

async function converse(server: TestServer): Promise<Sent[]> {
  const senders = {
    customer: await server.customer(GROUP),
    admin: await server.admin('a1'),
    server: await server.server(),
  };
  const observer = await server.admin('a2');
  return [
    ...(await sendAll('customer', senders.customer, observer)),
    ...(await sendAll('admin', senders.admin, observer)),
    ...(await sendAll('server', senders.server, observer)),
  ];
}

async function onDatabase(kind: DatabaseKind): Promise<void> {
  const database = await openDatabase(kind);
  const settings = { DATABASE_URL: database.url, RATE_LIMIT: 'off', AUTO_MUTE: 'off' } as const;
  try {
    await withServer({ settings, timing: { presenceGrace: 5, closeTimeout: 5 } }, async (server) => {
      const sent = await converse(server);
      for (const { type, frame, told, dropped } of sent) {
        const heard = Object.fromEntries(Object.keys(told).map((name) => [name, frame.payload[name]]));
        assert.deepEqual(heard, told, `all of ${type} is told`);
        for (const word of canariesIn(dropped)) assert.ok(!JSON.stringify(frame).includes(word), `${type}: ${word}`);
      }
      const stored = sent.filter(({ frame }) => frame.seq !== undefined);
      const before = await readings(server);
      const logs = before.get('export as */*') ?? '';
      for (const word of stored.flatMap(canariesOf)) assert.ok(logs.includes(word), `the export has ${word}`);
      const last = stored.findLast(({ type }) => type === 'UPDATE_MSG');
      for (const word of canariesIn(last?.told)) {
        assert.ok(before.get('groups as application/json')?.includes(word), 'the list has all of the last message');
      }

      const kept = stored.filter(isOfNoGroup).flatMap(canariesOf);
      const gone = [GROUP, INTENT, ...sent.filter((each) => !isOfNoGroup(each)).flatMap(canariesOf)];
      assert.ok((await database.wordsIn(gone)).length > 10, 'the search finds what is there');
      const token = await server.token('admin', 'a1');
      const { status } = await server.http('DELETE', `/v1/dealers/${DEALER}/groups/${GROUP}`, { token });
      assert.equal(status, 200);
      const readAfter = [...(await readings(server))].flatMap(([place, text]) =>
        gone.filter((word) => text.includes(word)).map((word) => `${place}: ${word}`),
      );
      assert.deepEqual(readAfter, [], 'nobody reads anything of it');
      let left: readonly string[] = gone;
      const isOver = async () => {
        left = await database.wordsIn(gone);
        return left.length === 0;
      };
      await until('nothing of it is left', isOver).catch(() => {});
      const from = sent.filter((each) => canariesOf(each).some((word) => left.includes(word)));
      assert.deepEqual([left, from.map(({ type }) => type)], [[], []], `nothing of it is left in ${kind}`);
      assert.deepEqual(await database.wordsIn(kept), kept, 'what is of no group stays');
    });
  } finally {
    await database.close();
  }
}

const canariesOf = ({ id, told }: Sent): string[] => [id, ...canariesIn(told)];

describe('every kind of event', { timeout: 120_000 }, () => {
  for (const kind of DATABASES) {
    it(`is told and read whole, and wholly gone when its conversation is erased: ${kind}`, () => onDatabase(kind));
  }

  it('can be sent by somebody, or by nobody on purpose', () => {
    const byNobody = EVENT_TYPES.filter((type) => Object.keys(KINDS[type].accepts).length === 0);
    assert.deepEqual(byNobody.toSorted(), ['AVAILABILITY', 'ERASE_GROUP', 'OVERDUE', 'SET_ASIDE']);
  });
});
