/** The log: each line names the request or the connection that it is about, and nobody outside can fill it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import WebSocket from 'ws';
import { LineBounds } from '../../src/log.ts';

import { ask } from '../support/ask.ts';
import { overriding } from '../support/faulty-store.ts';
import { adminJoin } from '../support/joins.ts';
import { LogSink } from '../support/log.ts';
import { DEALER, startServer, type TestServer, withServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const timing = { closeTimeout: 5 };
const headers = { 'x-request-id': 'mine:1' };
const WORDS = 'a word that nobody else is to read';

/** A group that nothing can be decided about. */
const UNDECIDABLE = new Proxy(Object.create(null), { get: () => assert.fail('a fault of the server’s own') });

/** A store that has no other. */
const indecisive: NonNullable<Parameters<typeof startServer>[0]>['wrapStore'] = (store) =>
  overriding(store, {
    commit: (needs, run) =>
      store.commit(needs, (rows) => {
        const groups = new Map([...rows.groups.keys(), `${DEALER}/g1`].map((key) => [key, UNDECIDABLE]));
        return run({ ...rows, groups });
      }),
  });

const said = { type: 'UPDATE_MSG', groupId: 'g1', user: 'bot', message: WORDS };

describe('a line about a request has its id', () => {
  test('whatever it is about: what was answered, refused, or done', () => {
    const log = new LogSink();
    return withServer({ timing, logTo: log }, async (server) => {
      const operator = server.token('server', 'ops', { dealer: '*' });
      await ask(server, `/v1/dealers/${DEALER}/groups`, { headers });
      await ask(server, `/v1/dealers/${DEALER}/export`, { headers, token: operator });
      const told = log.records().filter(({ reqId }) => reqId === 'mine:1');
      assert.deepEqual(
        told.map(({ msg }) => msg),
        ['refused', 'request', 'done', 'request'],
      );
    });
  });

  test('also what the journal says of its events', () => {
    const log = new LogSink();
    return withServer({ timing, logTo: log, wrapStore: indecisive }, async (server) => {
      const token = server.token('server', 'crm');
      await ask(server, '/v1/events', { method: 'POST', token, headers, body: said });
      const [fault] = log.records().filter(({ msg }) => msg === 'UPDATE_MSG was not decided');
      assert.equal(fault?.reqId, 'mine:1');
      assert.doesNotMatch(log.text, new RegExp(WORDS));
    });
  });
});

describe('a line about a socket has the id of its connection', () => {
  test('which its handshake is answered with, and may have brought', async () => {
    const log = new LogSink();
    const server = await startServer({ timing, logTo: log, wrapStore: indecisive });
    try {
      const url = `ws://${await server.listen()}/ws`;
      const socket = new WebSocket(url, { headers });
      const [upgrade] = await once(socket, 'upgrade');
      assert.equal(upgrade.headers['x-request-id'], 'mine:1');
      const token = server.token('server', 'crm');
      const send = (channel: string, payload: object, id?: string) =>
        socket.send(JSON.stringify({ channel, payload, ...(id !== undefined && { id }) }));
      send('admin_join', adminJoin({ token: 'none' }));
      await once(socket, 'close');
      const other = new WebSocket(url, { headers: { 'x-request-id': 'not one' } });
      const [made] = await once(other, 'upgrade');
      const own = String(made.headers['x-request-id']);
      assert.match(own, /^[\da-f-]{36}$/);
      other.send(JSON.stringify({ channel: 'server_join', payload: { type: 'SERVER_JOIN', dealerId: DEALER, token } }));
      other.send(JSON.stringify({ channel: 'event', payload: { ...said, dealerId: DEALER } }));
      await until('it was told', async () => /was not decided/.test(log.text));
      other.close();
      await until('both have gone', async () => (log.text.match(/socket closed/g) ?? []).length === 2);
      const told = (id: string) =>
        log
          .records()
          .filter(({ connection }) => connection === id)
          .map(({ msg }) => msg);
      assert.deepEqual(told('mine:1'), ['refused', 'socket closed']);
      assert.deepEqual(told(own), ['UPDATE_MSG was not decided', 'socket closed']);
      assert.ok(!log.text.includes(WORDS) && !log.text.includes(token), 'no text, no token');
    } finally {
      await server.close();
    }
  });
});

describe('the log under attack', () => {
  const withLog = (use: (server: TestServer, log: LogSink) => Promise<void>) => () => {
    const log = new LogSink();
    return withServer({ timing, logTo: log, settings: { LOG_LEVEL: 'info', RATE_LIMIT: 'off' } }, (server) =>
      use(server, log),
    );
  };
  const of = (log: LogSink, kind: string) =>
    log
      .records()
      .filter(({ of: each }) => each === kind)
      .reduce((sum, { count }) => sum + Number(count), 0);

  test(
    'has so many lines a second of refused requests and joins, and says how many it left out',
    withLog(async (server, log) => {
      const began = performance.now();
      for (let n = 0; n < 400; n += 1) await ask(server, '/v1/dealers', { from: `10.0.${n >> 8}.${n & 255}` });
      await until('the last second is told', async () => {
        const told = log.records().filter(({ msg, status }) => msg === 'request' && status === 401).length;
        return told + of(log, 'request 401') === 400;
      });
      const seconds = Math.ceil((performance.now() - began) / 1000) + 1;
      for (const kind of ['request', 'refused']) {
        const lines = log.records().filter(({ msg }) => msg === kind).length;
        assert.ok(lines >= 50 && lines <= 50 * seconds, `${lines} of ${kind} in ${seconds} s`);
      }
      assert.ok(of(log, 'refused unauthorized') > 0);
    }),
  );

  test(
    'leaves out nothing that was served',
    withLog(async (server, log) => {
      for (let n = 0; n < 300; n += 1) await ask(server, '/health');
      assert.equal(log.records().filter(({ msg }) => msg === 'request').length, 300);
    }),
  );

  test('counts what it left out where the second is not over when the server ends', async () => {
    const log = new LogSink();
    await withServer({ timing, logTo: log }, async (server) => {
      for (let n = 0; n < 60; n += 1) await ask(server, '/nowhere');
    });
    assert.equal(of(log, 'request 404') + log.records().filter(({ status }) => status === 404).length, 60);
  });

  test('tells apart no more kinds than it can keep', () => {
    const told: object[] = [];
    const bounds = new LineBounds((fields) => void told.push(fields));
    let written = 0;
    for (let n = 0; n < 2000; n += 1) written += Number(bounds.take(`kind ${n}`));
    assert.equal(written, 1050);
    bounds.end();
    assert.deepEqual(told, [{ of: 'others', count: 950 }]);
  });
});
