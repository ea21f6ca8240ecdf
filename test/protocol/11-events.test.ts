/** [P-11.2] `POST /v1/events`: other servers speak over HTTP. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { overriding } from '../support/faulty-store.ts';
import { assertProblem } from '../support/problem.ts';
import { DEALER, startServer, type TestServer, withServer } from '../support/server.ts';
import { inVersion1 } from '../support/version-one.ts';

let server: TestServer;
/** The token of a server of the dealer. */
let token: string;
const post = (body: unknown) => server.http('POST', '/v1/events', { token, body });
/** Posts JSON text as it is. */
const postText = async (payload: string) => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await server.app.inject({ method: 'POST', url: '/v1/events', headers, payload });
  return { status: response.statusCode, headers: response.headers, body: response.json() };
};
const say = (groupId: string, message = 'hello') => ({
  type: 'UPDATE_MSG',
  dealerId: DEALER,
  groupId,
  user: 'bot',
  message,
});
const tail = async (scope: string) => (await server.store.tails(DEALER, [scope])).get(scope);

describe('[P-11.2] POST /v1/events', () => {
  before(async () => {
    server = await startServer({ timing: { closeTimeout: 5 } });
    token = await server.token('server', 'crm');
  });
  after(() => server.close());

  test('takes one payload, answers 200 with its ack, and delivers it', async () => {
    const witness = await server.admin();
    const { status, headers, body } = await post({ ...say('g1'), id: 'k1' });
    const { id, scope, seq, at, payload } = await witness.next('CHAT_MSG');
    assert.deepEqual([status, body], [200, { results: [{ id: 'k1', scope: 'g1', seq: 1, at, duplicate: false }] }]);
    assert.match(String(headers['content-type']), /^application\/json/);
    assert.deepEqual([id, scope, seq], ['k1', 'g1', 1]);
    const told = { dealerId: DEALER, groupId: 'g1', user: 'bot', muted: false, unread: 0, message: 'hello' };
    assert.deepEqual(inVersion1(payload), { type: 'CHAT_MSG', ...told });
  });

  test('names what had no id by the id of its event, and what has no seq by an id alone', async () => {
    const witness = await server.admin();
    const { body } = await post([say('g2'), { type: 'TYPING', groupId: 'g2', typing: true }]);
    const [stored, passing] = body.results;
    assert.equal(stored.id, (await witness.next('CHAT_MSG')).id);
    await witness.next('TYPING');
    assert.deepEqual([Object.keys(passing), typeof passing.id], [['id'], 'string']);
    const named = await post({ type: 'TYPING', groupId: 'g2', typing: true, id: 'k2' });
    assert.deepEqual(named.body, { results: [{ id: 'k2' }] });
  });

  test('takes an array in its order, and answers in it', async () => {
    const { status, body } = await post(
      Array.from({ length: 100 }, (_, index) => ({ ...say('g3', `${index}`), id: `o${index}` })),
    );
    assert.equal(status, 200);
    const given = body.results.map(({ id, seq }: { id: string; seq: number }) => `${id} ${seq}`);
    assert.deepEqual(
      given,
      Array.from({ length: 100 }, (_, index) => `o${index} ${index + 1}`),
    );
    const stored = await server.store.events(DEALER, 'g3', { limit: 200 });
    assert.deepEqual(
      stored.map(({ payload }) => JSON.parse(payload).message),
      Array.from({ length: 100 }, (_, index) => `${index}`),
    );
  });

  test('takes a repeat for one: of the same request, of another, and of the socket of the same server', async () => {
    const event = { ...say('g4'), id: 'k4' };
    const { body } = await post([event, event]);
    const [first, again] = body.results;
    assert.deepEqual(again, { ...first, duplicate: true });
    assert.deepEqual((await post(event)).body.results, [again]);
    const crm = await server.server();
    assert.deepEqual(await crm.ask('event', say('g4'), 'k4'), { channel: 'ack', ...again });
    assert.equal(await tail('g4'), 1);
  });

  test('answers 207 where some were refused, each with its ack or its error in order', async () => {
    const { status, body } = await post([
      { ...say('g5'), id: 'ok-1' },
      { ...say('g5'), message: 5, id: 'bad' },
      { ...say('g5'), dealerId: 'd2', id: 'foreign' },
      { type: 'MUTE_BOT', groupId: 'g5', adminId: 'a1', id: 'ok-2' },
      { ...say('g5'), id: 'muted' },
      { ...say('g5'), id: 'a b' },
      null,
      'text',
      [],
      { type: 'UPDATE_LEAD_INTENT', groupId: 'g5', message: { intent: 'none' } },
      { ...say('g5'), message: 'x'.repeat(20_000), id: 'large' },
      { ...say('g5'), user: 'customer', id: 'ok-3' },
    ]);
    assert.equal(status, 207);
    const brief = body.results.map(
      ({ id, seq, error }: Record<string, unknown> & { error?: { id?: string; code: string } }) =>
        error ? `${error.id} ${error.code}` : `${id} ${seq}`,
    );
    assert.deepEqual(brief, [
      'ok-1 1',
      'bad invalid_payload',
      'foreign forbidden',
      'ok-2 2',
      'muted bot_muted',
      'undefined invalid_payload',
      'undefined invalid_payload',
      'undefined invalid_payload',
      'undefined invalid_payload',
      'undefined unknown_intent',
      'large too_large',
      'ok-3 3',
    ]);
    const { message, details, ...error } = body.results[1].error;
    assert.deepEqual(error, { id: 'bad', code: 'invalid_payload', retryable: false });
    assert.deepEqual([typeof message, details.length, details[0].path], ['string', 1, '/message']);
  });

  test('answers 207 where all of several were refused, and 200 where none was sent', async () => {
    const { status, body } = await post([{}, {}]);
    assert.deepEqual([status, body.results.length, body.results[1].error.code], [207, 2, 'invalid_payload']);
    const none = await post([]);
    assert.deepEqual([none.status, none.body], [200, { results: [] }]);
  });

  test('answers the status of the problem where a single one is refused, alone or in an array', async () => {
    await post([
      { type: 'MUTE_BOT', groupId: 'muted', adminId: 'a1' },
      { type: 'CLOSE_CHAT', groupId: 'closed', adminId: 'a1' },
    ]);
    const cases: readonly (readonly [unknown, number, string])[] = [
      [{ ...say('g6'), message: '' }, 400, 'invalid_payload'],
      [{ type: 'READ', groupId: 'g6', seq: 1, user: 'customer' }, 400, 'invalid_payload'],
      [null, 400, 'invalid_payload'],
      [{ ...say('g6'), dealerId: 'd2' }, 403, 'forbidden'],
      [{ type: 'UPDATE_LEAD_INTENT', groupId: 'g6', message: { intent: 'none' } }, 404, 'unknown_intent'],
      [say('muted'), 409, 'bot_muted'],
      [say('closed'), 409, 'group_closed'],
      [{ ...say('g6'), message: 'x'.repeat(20_000) }, 413, 'too_large'],
    ];
    for (const [payload, status, code] of cases) {
      for (const body of [payload, [payload]]) assertProblem(await post(body), status, code);
    }
    const { details } = assertProblem(await post({ ...say('g6'), message: '' }), 400, 'invalid_payload');
    assert.equal(details[0].path, '/message');
    assert.equal(await tail('g6'), 0);
  });

  test('takes 1000 at once; of 1001 it takes none, and answers 413', async () => {
    const events = Array.from({ length: 1001 }, () => say('g7'));
    assertProblem(await post(events), 413, 'too_large');
    assert.equal(await tail('g7'), 0);
    assert.equal((await post(events.slice(1))).status, 200);
    assert.equal(await tail('g7'), 1000);
  });

  test('counts an event as what it says, in however many bytes that is written; but one of far too many is not read', async () => {
    const message = '\u4f60'.repeat(4000); // 12 KB, twice as many as some write it
    const escaped = JSON.stringify({ ...say('g9'), message, id: 'long' }).replaceAll(message[0] ?? '', '\\u4f60');
    assert.ok(escaped.length > 20_000);
    const spaced = JSON.stringify({ ...say('g9'), id: 'spaced' }).replace(',', `,${' '.repeat(200_000)}`);
    const { status, body } = await postText(
      `\ufeff [${escaped},${spaced},${JSON.stringify({ ...say('g9'), id: 'last' })}]`,
    );
    assert.equal(status, 207);
    assert.deepEqual(
      [body.results[0].id, body.results[1].error.code, body.results[2].id],
      ['long', 'too_large', 'last'],
    );
    assert.equal(
      JSON.parse((await server.store.events(DEALER, 'g9', { limit: 1 }))[0]?.payload ?? '').message,
      message,
    );
    assertProblem(await postText(spaced), 413, 'too_large');
  });

  test('takes nothing where a part of the body is no JSON', async () => {
    for (const text of [`[${JSON.stringify(say('g10'))},`, `[${JSON.stringify(say('g10'))},x]`]) {
      assertProblem(await postText(text), 400, 'invalid_payload');
    }
    assert.equal(await tail('g10'), 0);
  });

  test('is for servers: 401 without a good token, 403 for customers and admins, and nothing is stored', async () => {
    const url = '/v1/events';
    assertProblem(await server.http('POST', url, { body: say('g8') }), 401, 'unauthorized');
    const expired = await server.token('server', 'crm', { ttl: -10 });
    assertProblem(await server.http('POST', url, { body: say('g8'), token: expired }), 401, 'token_expired');
    for (const [role, sub] of [
      ['customer', 'g8'],
      ['admin', 'a1'],
    ] as const) {
      const other = await server.token(role, sub);
      assertProblem(await server.http('POST', url, { body: say('g8'), token: other }), 403, 'forbidden');
    }
    assert.equal(await tail('g8'), 0);
  });

  test('makes new dealers and groups for a server of all dealers', async () => {
    const operator = await server.token('server', 'ops', { dealer: '*' });
    const body = ['n1', 'n2'].map((dealerId) => ({ ...say('g1'), dealerId }));
    const { status } = await server.http('POST', '/v1/events', { token: operator, body });
    assert.equal(status, 200);
    for (const dealerId of ['n1', 'n2'])
      assert.deepEqual(await server.store.dealer(dealerId), { dealerId, origins: [] });
    const { dealerId: _, ...nameless } = say('g1');
    assertProblem(await server.http('POST', '/v1/events', { token: operator, body: nameless }), 400, 'invalid_payload');
  });

  test('is 400 where the body is no JSON, or none', async () => {
    for (const text of ['', '{', '{"type":']) assertProblem(await postText(text), 400, 'invalid_payload');
  });
});

describe('[P-6.1] a record over HTTP', () => {
  before(async () => {
    server = await startServer({ timing: { closeTimeout: 5 } });
    token = await server.token('server', 'crm');
  });
  after(() => server.close());
  const update = (message: string) =>
    `{"type":"UPDATE_USER","dealerId":"${DEALER}","groupId":"g1","message":${message}}`;

  for (const message of ['{"__proto__":{"admin":true},"a":1}', '{"constructor":{"prototype":{"x":1}},"a":1}']) {
    test(`keeps the fields of ${message} as they are, as a socket does`, async () => {
      const witness = await server.admin();
      const { status } = await postText(update(message));
      assert.equal(status, 200);
      await witness.next('UPDATE_USER');
      assert.ok(witness.texts.at(-1)?.includes(`"message":${message}`));
    });
  }

  test('that is bad does not take the others of its request with it', async () => {
    const { status, body } = await postText(`[${update('{"a":1}')},${update('{"__proto__":5}')},${update('{"a":2}')}]`);
    assert.ok([200, 207].includes(status), `${status}`);
    assert.deepEqual([body.results[0].scope, body.results[2].scope], ['@desk', '@desk']);
  });

  test('nested beyond all bounds is refused as a fault of the sender, and its neighbours are taken', async () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    const { status, body } = await postText(`[${update('{"a":1}')},${update(`{"a":${deep}}`)}]`);
    assert.equal(status, 207);
    assert.equal(body.results[0].scope, '@desk');
    assert.ok(['invalid_payload', 'too_large'].includes(body.results[1].error.code), body.results[1].error.code);
  });
});

describe('[P-8.5] over HTTP', () => {
  test('while the database is away an event is 503 unavailable with Retry-After, and taken once when it is back', async () => {
    let isAway = true;
    await withServer(
      {
        wrapStore: (store) =>
          overriding(store, {
            commit: async (needs, work) => {
              if (isAway) throw new Error('disk I/O error');
              return store.commit(needs, work);
            },
          }),
      },
      async (own) => {
        const request = { token: await own.token('server', 'crm'), body: { ...say('g1'), id: 'k' } };
        const { results } = assertProblem(await own.http('POST', '/v1/events', request), 503, 'unavailable');
        assert.deepEqual([results[0].error.id, results[0].error.retryable], ['k', true]);
        isAway = false;
        for (const duplicate of [false, true]) {
          const { status, body } = await own.http('POST', '/v1/events', request);
          assert.deepEqual([status, body.results[0].seq, body.results[0].duplicate], [200, 1, duplicate]);
        }
      },
    );
  });
});
