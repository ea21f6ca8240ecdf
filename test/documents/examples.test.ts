/** The examples of the documents come true: the story is played on a real server, and so are the HTTP exchanges. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ERASURE, examplesOf, NOBODY_HERE, SETTING_ASIDE, STORY, TOO_LATE } from '../../schemas/examples.ts';
import { CODE, EXCHANGES, type Exchange, LETTER } from '../../schemas/http-examples.ts';
import type { Role } from '../../schemas/kinds.ts';
import { FRAMES } from '../../schemas/published.ts';
import { ACTORS, type Actor, CAST, DEALER, type Frame, GROUP, TOKEN } from '../../schemas/story.ts';
import { DELIVERIES, SENDS } from '../../schemas/table.ts';
import { TIMING } from '../../src/timing.ts';
import type { Client } from '../support/client.ts';
import { assertAsExample } from '../support/examples.ts';
import { startServer, DEALER as TEST_DEALER, type TestServer } from '../support/server.ts';

const NAMES: Readonly<Record<Actor, string>> = { widget: GROUP, alice: 'alice', bot: 'crm' };

describe('the story', () => {
  let server: TestServer;
  const clients = new Map<Actor, Client>();
  /** What each has got and not yet been asked for. */
  const read = new Map<Actor, number>();
  const tokens = new Map<Actor, string>();

  before(async () => {
    server = await startServer({ settings: { RATE_LIMIT: 'off' }, timing: { ...TIMING, presenceGrace: 50 } });
    await server.store.putDealer(DEALER, {});
    for (const actor of ACTORS) {
      clients.set(actor, await server.connect());
      tokens.set(actor, await server.token(CAST[actor], NAMES[actor], { dealer: DEALER }));
    }
  });
  after(() => server.close());

  const clientOf = (actor: Actor): Client => {
    const client = clients.get(actor);
    assert.ok(client);
    return client;
  };

  /** The next frame that somebody gets, whatever it is. */
  async function next(actor: Actor): Promise<Frame> {
    const [client, at] = [clientOf(actor), read.get(actor) ?? 0];
    const frame = client.frames[at] ?? (await client.next((each) => client.frames.indexOf(each) >= at));
    read.set(actor, at + 1);
    return frame;
  }

  for (const { by, title, sends, then } of STORY) {
    test(title, async () => {
      const { channel, payload, id } = sends;
      const token = payload.token === TOKEN && { token: tokens.get(by) };
      clientOf(by).send(channel, { ...payload, ...token }, id);
      for (const { to, frame } of then) {
        for (const actor of to) assertAsExample(await next(actor), frame, `${actor} gets`);
      }
      const answer = then.find(({ frame }) => ['ack', 'error'].includes(frame.channel));
      assert.equal(answer?.frame.payload.id, id);
    });
  }

  test('holds everything that anybody got', async () => {
    for (const actor of ACTORS) {
      const client = clientOf(actor);
      await client.settled();
      assert.deepEqual(
        client.frames.slice(read.get(actor)).map((frame) => frame.channel),
        ['pong'],
      );
    }
  });

  test(ERASURE.title, async () => {
    const token = await server.token('admin', 'alice', { dealer: DEALER });
    assert.equal((await server.http('DELETE', ERASURE.path, { token })).status, 200);
    for (const actor of ERASURE.told.to) {
      assertAsExample(await clientOf(actor).next('ERASE_GROUP'), ERASURE.told.frame, `${actor} gets`);
    }
    assert.equal(await clientOf('widget').closed, 4403);
  });

  test(SETTING_ASIDE.title, async () => {
    const { groupId, told } = SETTING_ASIDE;
    await server.customer(groupId, { dealerId: DEALER });
    await server.customer(groupId, { dealerId: DEALER, token: server.token('customer', groupId, { dealer: DEALER }) });
    for (const actor of told.to) {
      assertAsExample(await clientOf(actor).next('SET_ASIDE'), told.frame, `${actor} gets`);
    }
  });

  test(TOO_LATE.title, async () => {
    await server.store.putDealer(DEALER, { origins: ['*'], answerWithin: { bot: 1 } });
    const customer = await server.customer(TOO_LATE.groupId, { dealerId: DEALER });
    await customer.ask('customer_message', { type: 'UPDATE_MSG', message: 'Hello?' });
    for (const actor of TOO_LATE.told.to) {
      assertAsExample(await clientOf(actor).next('OVERDUE'), TOO_LATE.told.frame, `${actor} gets`);
    }
  });

  test(NOBODY_HERE.title, async () => {
    await clientOf('alice').close();
    await clientOf('bot').next(
      ({ payload }) => payload.type === 'UPDATE_CHAT' && payload.online === false && !payload.groupId,
    );
    await clientOf('bot').settled();
    assertAsExample(clientOf('bot').availability.at(-1), NOBODY_HERE.told.frame, 'bot gets');
  });
});

describe('the story has an example of', () => {
  for (const [role, channels] of Object.entries(SENDS) as [Role, (typeof SENDS)[Role]][]) {
    for (const [channel, schemas] of Object.entries(channels)) {
      for (const { properties } of schemas) {
        const type: string = properties.type.const;
        test(`a ${role} sending ${type} on ${channel}, acked`, () => {
          const acked = STORY.filter(
            ({ by, sends, then }) =>
              CAST[by] === role &&
              sends.channel === channel &&
              sends.payload.type === type &&
              then.some(({ frame }) => frame.channel === 'ack' && frame.payload.id === sends.id),
          );
          assert.notEqual(acked.length, 0);
        });
      }
    }
  }

  for (const [type, { channel }] of Object.entries(DELIVERIES)) {
    test(`${type} delivered on ${channel}`, () => {
      const frames = [
        ...STORY.flatMap(({ then }) => then),
        ERASURE.told,
        SETTING_ASIDE.told,
        TOO_LATE.told,
        NOBODY_HERE.told,
      ].map(({ frame }) => frame);
      assert.ok(frames.some((frame) => frame.channel === channel && frame.payload.type === type));
    });
  }

  test('every other frame, such as session, error and pong', () => {
    for (const kind of Object.values(FRAMES).flat()) {
      assert.notEqual(examplesOf(kind).length, 0, `${kind.sender} ${kind.channel} ${kind.type}`);
    }
  });
});

describe('the HTTP examples', () => {
  let server: TestServer;

  before(async () => {
    server = await startServer();
    await server.store.deleteDealer(TEST_DEALER);
    await server.store.bury([{ ...LETTER, at: Date.parse(LETTER.at) }]);
  });
  after(() => server.close());

  const TOKENS = {
    operator: () => server.token('server', 'operator', { dealer: '*' }),
    bot: () => server.token('server', 'crm', { dealer: DEALER }),
    alice: () => server.token('admin', 'alice', { dealer: DEALER }),
  } as const satisfies Record<NonNullable<Exchange['as']>, () => string>;

  /** The code that was made last. */
  let code = '';
  const withCode = (body: unknown) => JSON.parse(JSON.stringify(body).replaceAll(CODE, code));

  for (const { title, as, operation, path, body, status, answer } of EXCHANGES) {
    test(`${operation} ${status}: ${title}`, async () => {
      const [method] = operation.split(' ') as ['GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'];
      const response = await server.http(method, path, {
        ...(as && { token: TOKENS[as]() }),
        ...(body !== undefined && { body: withCode(body) }),
      });
      if (operation.endsWith('/codes')) code = response.body.code;
      assert.equal(response.status, status, JSON.stringify(response.body));
      assertAsExample(response.body, answer ?? '', operation);
    });
  }
});
