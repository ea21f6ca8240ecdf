/** Who may take something out, and which format they get. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Asked, ask, varyOf } from '../support/ask.ts';
import { ANN, intent, lead, of, say } from '../support/leads.ts';
import { assertProblem } from '../support/problem.ts';
import { startServer, type TestServer } from '../support/server.ts';

const JSON_TYPE = 'application/json';
const CSV = 'text/csv';
const ADF = 'application/x-adf+xml';
const TEXT = 'text/plain';

let server: TestServer;
/** The token of a server of all dealers. */
let operator: string;
before(async () => {
  server = await startServer();
  operator = await server.token('server', 'ops', { dealer: '*' });
});
after(() => server.close());

const take = (dealerId: string, path: string, accept: string, more: Asked = {}) =>
  ask(server, of(dealerId, path), { token: operator, headers: { accept }, ...more });

describe('which format somebody gets', () => {
  const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
  before(async () => {
    await server.store.putDealer('asked', { name: 'Autohaus', phone: '030 1' });
    await say(server, [lead('asked', 'g1', ANN), intent('asked', 'g1', { intent: 'buy' })]);
  });

  type Case = readonly [accept: string | undefined, type: string | null];
  /** For lists of leads and intents, what is accepted, and what comes of it; null is 406. */
  const LISTS: readonly Case[] = [
    [undefined, JSON_TYPE],
    ['*/*', JSON_TYPE],
    [BROWSER, JSON_TYPE],
    ['application/*', JSON_TYPE],
    [CSV, CSV],
    ['TEXT/CSV', CSV],
    ['text/*', CSV],
    [ADF, ADF],
    ['text/csv, application/json', CSV],
    ['application/json, text/csv', JSON_TYPE],
    ['application/json;q=0.4, text/csv;q=0.5', CSV],
    ['text/csv;q=0.1, application/x-adf+xml;q=0.2, */*;q=0.01', ADF],
    ['text/csv;q=0, */*;q=0.1', JSON_TYPE],
    ['image/png, text/csv;q=0.001', CSV],
    ['text/csv;q=0', null],
    ['image/png', null],
    [TEXT, null],
    ['application/xml', null],
    ['nonsense', null],
  ];
  const TRANSCRIPT: readonly Case[] = [
    [undefined, JSON_TYPE],
    [BROWSER, JSON_TYPE],
    [TEXT, TEXT],
    ['text/*', TEXT],
    ['text/plain;q=0.2, application/json;q=0.1', TEXT],
    ['text/plain;q=0.1, application/json;q=0.2', JSON_TYPE],
    [CSV, null],
    [ADF, null],
  ];
  const USERS: readonly Case[] = [
    [undefined, JSON_TYPE],
    ['*/*', JSON_TYPE],
    [CSV, null],
    [ADF, null],
  ];
  const PATHS = {
    '/leads': LISTS,
    '/lead-intents': LISTS,
    '/users': USERS,
    '/groups/g1/transcript': TRANSCRIPT,
  };
  for (const [path, cases] of Object.entries(PATHS)) {
    for (const [accept, type] of cases) {
      test(`${path} with Accept: ${accept ?? '(none)'} is answered with ${type ?? '406'}`, async () => {
        const headers = accept === undefined ? {} : { accept };
        const answer = await ask(server, of('asked', path), { token: operator, headers });
        if (type === null) assertProblem(answer, 406, 'not_acceptable');
        else {
          assert.deepEqual([answer.status, answer.headers['content-type']], [200, `${type}; charset=utf-8`]);
          assert.ok(varyOf(answer).includes('accept'), `vary: ${answer.headers.vary}`);
        }
      });
    }
  }

  test('what is refused depends on Accept too, and says so', async () => {
    for (const path of Object.keys(PATHS)) {
      const answer = await take('asked', path, 'image/png');
      assertProblem(answer, 406, 'not_acceptable');
      assert.ok(varyOf(answer).includes('accept'), `${path}: vary: ${answer.headers.vary}`);
    }
  });

  test('what is refused says which formats there are', async () => {
    const { detail } = assertProblem(await take('asked', '/leads', 'image/png'), 406, 'not_acceptable');
    for (const type of [JSON_TYPE, CSV, ADF]) assert.ok(detail.includes(type), detail);
  });

  test('HEAD tells what GET would, and sends none of it', async () => {
    for (const type of [JSON_TYPE, CSV, ADF]) {
      const { status, headers, text } = await take('asked', '/leads', type, { method: 'HEAD' });
      assert.deepEqual([status, headers['content-type'], text], [200, `${type}; charset=utf-8`, '']);
    }
  });
});

describe('who may take out', () => {
  const WAYS: readonly (readonly [path: string, accept: string])[] = [
    ['/leads', CSV],
    ['/lead-intents', CSV],
    ['/leads', ADF],
    ['/lead-intents', ADF],
    ['/groups/g1/transcript', JSON_TYPE],
    ['/groups/g1/transcript', TEXT],
    ['/export', 'application/x-ndjson'],
  ];
  before(async () => {
    for (const dealerId of ['mine', 'theirs']) {
      await server.store.putDealer(dealerId, { name: `Autohaus ${dealerId}`, phone: '030 1' });
      const message = `said at ${dealerId}`;
      await say(server, [
        lead(dealerId, 'g1', { ...ANN, comments: message }),
        intent(dealerId, 'g1', { intent: 'buy', notes: message }),
        { type: 'UPDATE_MSG', dealerId, groupId: 'g1', user: 'customer', message },
      ]);
    }
  });

  for (const [path, accept] of WAYS) {
    test(`${path} as ${accept}: the dealer's admins and servers, and nothing of another dealer's is in it`, async () => {
      const granted = [
        await server.token('admin', 'a1', { dealer: 'mine' }),
        await server.token('server', 'crm', { dealer: 'mine' }),
        operator,
      ];
      for (const token of granted) {
        const { status, text } = await take('mine', path, accept, { token });
        assert.equal(status, 200, text);
        assert.ok(text.includes('said at mine') && !text.includes('theirs'), text);
      }
    });

    test(`${path} as ${accept}: nobody else, and nothing is told of what exists`, async () => {
      const asking = (token?: string, dealerId = 'mine') =>
        ask(server, of(dealerId, path), { token, headers: { accept } });
      assertProblem(await asking(), 401, 'unauthorized');
      assertProblem(await asking('no.good.token'), 401, 'unauthorized');
      const expired = await server.token('admin', 'a1', { dealer: 'mine', ttl: -10 });
      assertProblem(await asking(expired), 401, 'token_expired');
      assertProblem(await asking(await server.token('customer', 'g1', { dealer: 'mine' })), 403, 'forbidden');
      const others = [
        await server.token('admin', 'a1', { dealer: 'theirs' }),
        await server.token('server', 'crm', { dealer: 'theirs' }),
        await server.token('customer', 'g1', { dealer: 'theirs' }),
      ];
      for (const token of others) {
        const [there, nowhere] = [await asking(token), await asking(token, 'nobody')];
        assertProblem(there, 404, 'unknown_dealer');
        assert.equal(there.text, nowhere.text);
      }
      assertProblem(await asking(operator, 'nobody'), 404, 'unknown_dealer');
    });
  }
});
