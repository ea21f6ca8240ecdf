/** [P-11.1] `GET /metrics`: each number goes up and down with what it counts, and names nobody. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, test } from 'node:test';
import { Metrics } from '../../src/metrics.ts';
import type { Store } from '../../src/store/store.ts';
import { ask } from '../support/ask.ts';
import { overriding } from '../support/faulty-store.ts';
import { clientJoin } from '../support/joins.ts';
import { Reading, readMetrics } from '../support/metrics.ts';
import { freePort } from '../support/port.ts';
import { assertProblem } from '../support/problem.ts';
import { telle } from '../support/process.ts';
import { DEALER, inFolder, type TestServer, withServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/** Nobody is missed for long, and nobody waits for who is cut. */
const timing = { presenceGrace: 0, closeTimeout: 5 };

/** By how much a number grew while something was done. */
async function grown(server: TestServer, name: string, labels: Record<string, string>, done: () => Promise<unknown>) {
  const before = (await readMetrics(server)).sum(name, labels);
  await done();
  return (await readMetrics(server)).sum(name, labels) - before;
}

/** Nothing falls due: what is counted is what the test has done. */
const nothingDue = (store: Store): Store => overriding(store, { dueDealers: async () => [] });
const withMetrics = (use: (server: TestServer) => Promise<void>) => () =>
  withServer({ timing, wrapStore: nothingDue }, use);
const said = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', groupId: 'g1', message, ...more });
const post = async (server: TestServer, body: object) =>
  ask(server, '/v1/events', { method: 'POST', token: await server.token('server', 'crm'), body });

describe('[P-11.1] GET /metrics counts', () => {
  test(
    'connections by role: those not joined yet are of none, and who has gone is not there',
    withMetrics(async (server) => {
      const connections = async () => (await readMetrics(server)).by('telle_connections', 'role');
      const [customer] = [await server.connect()];
      assert.deepEqual(await connections(), { none: 1 });
      customer.send('client_join', clientJoin({ groupId: 'g1' }));
      await customer.next('session');
      await customer.settled();
      const all = [customer, await server.admin('a1'), await server.admin('a2'), await server.server()];
      for (const client of all) await client.settled();
      assert.deepEqual(await connections(), { none: 0, customer: 1, admin: 2, server: 1 });
      await Promise.all(all.map((client) => client.close()));
      await until('all have gone', async () => (await readMetrics(server)).sum('telle_connections') === 0);
      assert.deepEqual(await connections(), { none: 0, customer: 0, admin: 0, server: 0 });
    }),
  );

  test(
    'joins by role, and what was refused by code, a join or a frame or a request',
    withMetrics(async (server) => {
      const customer = await server.customer('g1');
      for (const client of [customer, await server.admin(), await server.server()]) await client.settled();
      assert.deepEqual((await readMetrics(server)).by('telle_joins_total', 'role'), {
        customer: 1,
        admin: 1,
        server: 1,
      });
      const stranger = await server.connect();
      stranger.send('client_join', clientJoin({ groupId: 'g1' }));
      await stranger.closed;
      await customer.ask('customer_message', { type: 'UPDATE_MSG' });
      customer.socket.send('no envelope');
      await customer.settled();
      await ask(server, '/v1/dealers');
      const reading = await readMetrics(server);
      assert.equal(reading.sum('telle_joins_total'), 3);
      assert.deepEqual(reading.by('telle_refusals_total', 'code'), {
        unauthorized: 2,
        invalid_payload: 1,
        bad_frame: 1,
      });
    }),
  );

  test(
    'events that are refused over HTTP, alone or among others',
    withMetrics(async (server) => {
      const bad = { type: 'UPDATE_LEAD_INTENT', groupId: 'g1', message: { intent: 'buy' } };
      const refused = (body: object) =>
        grown(server, 'telle_refusals_total', { code: 'unknown_intent' }, () => post(server, body));
      assert.equal(await refused(bad), 1);
      assert.equal(await refused([bad, said('hello', { user: 'bot' }), bad]), 2);
    }),
  );

  test(
    'frames in by channel, of which there are no more than the protocol has; and all frames out',
    withMetrics(async (server) => {
      const customer = await server.customer('g1');
      const admin = await server.admin();
      for (const text of ['one', 'two']) await customer.ask('customer_message', { type: 'UPDATE_MSG', message: text });
      await admin.ask('mute_bot', { type: 'MUTE_BOT', groupId: 'g1' });
      for (const channel of ['g1', DEALER, '__proto__', 'close_chat_']) await customer.ask(channel, {});
      await Promise.all([customer.settled(), admin.settled()]);
      const reading = await readMetrics(server);
      assert.deepEqual(reading.by('telle_frames_received_total', 'channel'), {
        client_join: 1,
        admin_join: 1,
        customer_message: 2,
        mute_bot: 1,
        unknown: 4,
        ping: 2,
      });
      const got = [customer, admin].map(({ frames, availability }) => frames.length + availability.length);
      assert.equal(reading.sum('telle_frames_sent_total'), (got[0] ?? 0) + (got[1] ?? 0));
      const more = () => grown(server, 'telle_frames_sent_total', { role: 'admin' }, () => admin.ask('ping', {}));
      assert.equal(await more(), 2);
    }),
  );

  test(
    'events by type: those that are stored, and those that are passed on; none that is refused or a repeat',
    withMetrics(async (server) => {
      const events = [
        said('hello', { user: 'customer', id: 'k1' }),
        said('hello', { user: 'customer', id: 'k1' }),
        { type: 'MUTE_BOT', groupId: 'g1', adminId: 'a1' },
        said('I am silent', { user: 'bot' }),
        { type: 'UPDATE_LEAD', groupId: 'g1', message: { name: 'Ann' } },
        { type: 'CREATE_LEAD_INTENT', groupId: 'g1', message: { intent: 'buy' } },
        { type: 'TYPING', groupId: 'g1', typing: true },
        { type: 'SYS_MSG', adminId: 'a1', message: 'closed today' },
      ];
      assert.equal((await post(server, events)).status, 207);
      assert.deepEqual((await readMetrics(server)).by('telle_events_total', 'type'), {
        CHAT_MSG: 1,
        MUTE_STATUS: 1,
        UPDATE_LEAD: 1,
        CREATE_LEAD_INTENT: 1,
        TYPING: 1,
        SYS_MSG: 1,
      });
    }),
  );

  test(
    'batches: how many commands each had, and how long it took to commit it',
    withMetrics(async (server) => {
      for (const text of ['one', 'two', 'three']) {
        assert.equal((await post(server, [said(text, { user: 'bot' })])).status, 200);
      }
      const one = await readMetrics(server);
      assert.deepEqual([one.sum('telle_batch_size_count'), one.sum('telle_batch_size_sum')], [3, 3]);
      assert.equal(one.sum('telle_batch_size_bucket', { le: '1' }), 3);
      const hundred = Array.from({ length: 100 }, (_, index) => said(`${index}`, { user: 'bot' }));
      assert.equal((await post(server, hundred)).status, 200);
      const all = await readMetrics(server);
      // A slow machine takes the hundred in more than one turn, and so in more than one batch.
      const batches = all.sum('telle_batch_size_count');
      assert.ok(batches > 3 && batches < 103, `${batches} batches`);
      assert.equal(all.sum('telle_batch_size_sum'), 103);
      assert.equal(all.sum('telle_batch_size_bucket', { le: '128' }), batches);
      assert.equal(all.sum('telle_commit_seconds_count'), batches);
      const seconds = all.sum('telle_commit_seconds_sum');
      assert.ok(seconds > 0 && seconds < 10, `${seconds} s`);
    }),
  );

  test('batches by their size, each in the buckets that it fits into', async () => {
    const metrics = new Metrics();
    for (const size of [1, 5, 100]) metrics.committed({ size, seconds: 0.001, types: [] });
    const reading = new Reading(await metrics.text());
    const upTo = (le: string) => reading.sum('telle_batch_size_bucket', { le });
    assert.deepEqual(['1', '4', '8', '64', '128'].map(upTo), [1, 1, 2, 2, 3]);
  });

  test(
    'recoveries, scope by scope: those that were whole, and those that were not',
    withMetrics(async (server) => {
      const token = await server.token('customer', 'g1');
      await post(server, [said('one', { user: 'bot' }), said('two', { user: 'bot' })]);
      const recoveries = async () => (await readMetrics(server)).by('telle_recoveries_total', 'outcome');
      await (await server.customer('g1', { token })).settled();
      assert.deepEqual(await recoveries(), {});
      await (await server.customer('g1', { token, since: { g1: 1, '@dealer': 0 } })).settled();
      assert.deepEqual(await recoveries(), { whole: 2 });
      await (await server.customer('g1', { token, since: { g1: 99, '@dealer': 0 } })).settled();
      assert.deepEqual(await recoveries(), { whole: 3, 'not whole': 1 });
    }),
  );

  test(
    'who is here: each person once, however many sockets they have',
    withMetrics(async (server) => {
      const present = async () => (await readMetrics(server)).by('telle_presence', 'role');
      assert.deepEqual(await present(), { customer: 0, admin: 0 });
      const first = await server.customer('g1');
      const { token } = first.session;
      const others = [await server.customer('g1', { token }), await server.customer('g2'), await server.admin()];
      await server.server();
      for (const client of others) await client.settled();
      assert.deepEqual(await present(), { customer: 2, admin: 1 });
      await first.close();
      await until(
        'it is closed',
        async () => (await readMetrics(server)).sum('telle_connections', { role: 'customer' }) === 2,
      );
      assert.deepEqual(await present(), { customer: 2, admin: 1 });
      await Promise.all(others.map((client) => client.close()));
      await until('all have gone', async () => (await readMetrics(server)).sum('telle_presence') === 0);
    }),
  );

  test(
    'closes by code, whoever closed',
    withMetrics(async (server) => {
      const [leaving, refused, binary] = [await server.customer(), await server.connect(), await server.connect()];
      leaving.socket.close(1000);
      refused.send('client_join', clientJoin({ dealerId: 'nobody' }));
      binary.socket.send(Buffer.from([1]));
      assert.deepEqual(await Promise.all([refused.closed, binary.closed]), [4404, 1003]);
      await until('all have gone', async () => (await readMetrics(server)).sum('telle_closes_total') === 3);
      assert.deepEqual((await readMetrics(server)).by('telle_closes_total', 'code'), { 1000: 1, 4404: 1, 1003: 1 });
    }),
  );

  test('slow consumers, as closes with 4508', () =>
    withServer({ timing, settings: { MAX_SOCKET_BACKLOG: '16384' } }, async (server) => {
      const slow = await server.customer('g1');
      await slow.settled();
      slow.socket.pause();
      const long = Array.from({ length: 20 }, () => said('x'.repeat(4000), { user: 'bot' }));
      assert.equal((await post(server, long)).status, 200);
      // It reads nothing, its end neither: it is cut.
      await until('it has gone', async () => (await readMetrics(server)).sum('telle_closes_total') === 1);
      assert.deepEqual((await readMetrics(server)).by('telle_closes_total', 'code'), { 4508: 1 });
    }));

  test(
    'HTTP requests by route, method and status, and how long they took; never by path',
    withMetrics(async (server) => {
      await server.customer('g1');
      const token = await server.token('admin', 'a1');
      for (const groupId of ['g1', 'g2', 'g3']) await ask(server, `/v1/dealers/${DEALER}/groups/${groupId}`, { token });
      await ask(server, '/g1', { token });
      const reading = await readMetrics(server);
      const count = (labels: Record<string, string>) => reading.sum('telle_http_request_seconds_count', labels);
      const route = '/v1/dealers/:dealerId/groups/:groupId';
      assert.equal(count({ method: 'GET', route, status: '200' }), 1);
      assert.equal(count({ method: 'GET', route, status: '404' }), 2);
      assert.equal(count({ method: 'GET', route: 'none', status: '404' }), 1);
      assert.notEqual(reading.sum('telle_http_request_seconds_sum', { route }), 0);
    }),
  );

  test(
    'by how much the event loop is late',
    withMetrics(async (server) => {
      const loop = monitorEventLoopDelay({ resolution: 10 });
      /** What measures the loop has looked at it again. */
      const measured = async () => {
        loop.reset();
        await until('the loop is measured', async () => loop.count >= 2);
      };
      loop.enable();
      await readMetrics(server); // it tells what was since the reading before
      await measured();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      await measured();
      const late = (await readMetrics(server)).sum('nodejs_eventloop_lag_max_seconds');
      assert.ok(late > 0.2, `${late} s`);
      loop.disable();
    }),
  );
});

describe('[P-11.1] GET /metrics tells of the server itself', () => {
  test('its memory by kind, with what its sockets do not take', () =>
    withServer({ timing }, async (server) => {
      const memory = async () => (await readMetrics(server)).by('telle_memory_bytes', 'kind');
      assert.deepEqual(Object.keys(await memory()).toSorted(), ['buffers', 'external', 'heap', 'rss', 'sockets']);
      const slow = await server.customer('g1');
      await slow.settled();
      assert.equal((await memory()).sockets, 0);
      slow.socket.pause();
      const long = Array.from({ length: 20 }, () => said('x'.repeat(4000), { user: 'bot' }));
      assert.equal((await post(server, long)).status, 200);
      const { sockets = 0, rss = 0 } = await memory();
      assert.ok(sockets > 10_000 && sockets < 200_000, `${sockets} bytes wait`);
      assert.ok(rss > 1e7, `${rss} bytes in all`);
      slow.socket.resume();
      await until('it has taken all', async () => (await memory()).sockets === 0);
    }));

  test('what is due, and how old the oldest dead letter is', () =>
    withServer({ timing: { ...timing, dueInterval: 10, erasingInterval: 60_000 } }, async (server) => {
      const age = async () => (await readMetrics(server)).sum('telle_oldest_dead_letter_seconds');
      assert.equal(await age(), 0);
      const letter = { source: 'ingress', payload: '{}', code: 'bad_frame', message: 'no', details: [] } as const;
      const [old, young] = [Date.now() - 3_600_000, Date.now()];
      await server.store.bury([
        { ...letter, deadLetterId: `${old.toString(36).padStart(9, '0')}-1`, at: old },
        { ...letter, deadLetterId: `${young.toString(36).padStart(9, '0')}-1`, at: young },
      ]);
      await until('it is seen', async () => Math.floor((await age()) / 60) === 60);
      const reading = await readMetrics(server);
      assert.deepEqual(reading.by('telle_due', 'work'), { erasure: 0, removal: 0 });
      assert.deepEqual(Object.keys(reading.by('telle_work_under_way', 'work')), ['erasing', 'retention', 'burial']);
    }));

  test('how many conversations were too old', () =>
    withServer({ timing: { ...timing, presenceGrace: 0, retentionInterval: 20 } }, async (server) => {
      await post(server, said('long ago', { user: 'bot' }));
      await server.store.putDealer(DEALER, { origins: ['*'], retentionDays: 0 });
      await until(
        'it is gone',
        async () => (await readMetrics(server)).sum('telle_retention_total', { outcome: 'erased' }) === 1,
      );
      assert.equal((await readMetrics(server)).sum('telle_retention_total', { outcome: 'failed' }), 0);
    }));

  test(
    'its build, and that nothing waits to be stored',
    withMetrics(async (server) => {
      const reading = await readMetrics(server);
      assert.deepEqual(reading.by('telle_build_info', 'node'), { [process.version]: 1 });
      assert.equal(reading.sum('telle_waiting_commands'), 0);
    }),
  );

  const commit = async () => {
    throw new Error('the disk is full');
  };
  test('each failure of its database, by what was asked', () =>
    withServer({ timing, wrapStore: (store) => overriding(nothingDue(store), { commit }) }, async (server) => {
      assert.equal((await post(server, said('hello', { user: 'bot' }))).status, 503);
      assert.deepEqual((await readMetrics(server)).by('telle_database_failures_total', 'asked'), { commit: 1 });
    }));
});

describe('[P-11.1] GET /metrics names nobody', () => {
  /** Everything that a series may be told apart by. */
  const LABELS = ['channel', 'role', 'code', 'type', 'outcome', 'method', 'route', 'status', 'le', 'work', 'kind'];
  /** What Node's own metrics, and the build, are told apart by. */
  const NODE_LABELS = ['type', 'space', 'kind', 'node', 'version', 'major', 'minor', 'patch', 'le'];

  test('in no label and no value, whatever they send and however they are refused', () =>
    withServer({ timing }, async (server) => {
      await server.store.putDealer('the-dealer', { origins: ['*'] });
      const at = { dealerId: 'the-dealer' };
      const customer = await server.customer('the-group', at);
      const token = await server.token('admin', 'the-admin', { dealer: 'the-dealer' });
      const admin = await server.admin('the-admin', { ...at, token });
      await customer.ask('customer_message', { type: 'UPDATE_MSG', message: 'the-message' }, 'the-id');
      await customer.ask('customer_update', { type: 'UPDATE_LEAD', message: { name: 'the-name' } });
      await customer.ask('customer_update', { type: 'CREATE_LEAD_INTENT', message: { intent: 'the-intent' } });
      await customer.ask('the-channel', {});
      await customer.ask('customer_message', { type: 'the-type', message: 'the-message' });
      await admin.ask('admin_message', { type: 'UPDATE_MSG', groupId: 'the-group', message: 'the-message' });
      const headers = { 'x-request-id': 'the-request', origin: 'https://the-origin.example' };
      for (const url of ['/groups/the-group', '/the-path', '/leads?cursor=the-cursor']) {
        await ask(server, `/v1/dealers/the-dealer${url}`, { token, headers });
      }
      await Promise.all([customer.settled(), admin.settled()]);
      const { text } = await ask(server, '/metrics');
      assert.doesNotMatch(text, /\bthe-/);
      for (const secret of [token, customer.session.token]) assert.equal(text.includes(secret.split('.')[2]), false);
      for (const { name, labels } of new Reading(text).samples) {
        const known = name.startsWith('telle_') && name !== 'telle_build_info' ? LABELS : NODE_LABELS;
        for (const label of Object.keys(labels)) assert.ok(known.includes(label), `${name} has a label ${label}`);
      }
    }));
});

describe('METRICS_PORT', () => {
  test('takes /metrics to a port of its own, which has nothing else, and closes with the server', async () => {
    const port = await freePort();
    const at = `http://127.0.0.1:${port}`;
    await withServer({ timing, settings: { METRICS_PORT: String(port) } }, async (server) => {
      assertProblem(await ask(server, '/metrics'), 404, 'unknown_route');
      await (await server.customer('g1')).settled();
      const response = await fetch(`${at}/metrics`);
      assert.deepEqual(
        [response.status, response.headers.get('content-type')],
        [200, 'text/plain; version=0.0.4; charset=utf-8'],
      );
      assert.equal(new Reading(await response.text()).sum('telle_joins_total'), 1);
      for (const path of ['/', '/health', `/v1/dealers/${DEALER}`, '/metrics/x']) {
        assert.equal((await fetch(at + path)).status, 404, path);
      }
      assert.equal((await fetch(`${at}/metrics`, { method: 'POST' })).status, 404);
    });
    await assert.rejects(fetch(`${at}/metrics`));
  });

  test('that is taken already is a start that fails, in one sentence that names the setting', () =>
    inFolder(async (cwd) => {
      const taken = createServer().listen(0, '127.0.0.1');
      await once(taken, 'listening');
      try {
        const port = String(Object(taken.address()).port);
        const { code, stdout, stderr } = await telle(['serve'], { cwd, env: { PORT: '0', METRICS_PORT: port } });
        assert.deepEqual([code, stdout], [1, '']);
        assert.match(stderr, /^telle: [^\n]*EADDRINUSE[^\n]*\n$/m);
        assert.ok(stderr.includes('METRICS_PORT') && !stderr.includes('127.0.0.1:0'), stderr);
      } finally {
        taken.close();
      }
    }));
});
