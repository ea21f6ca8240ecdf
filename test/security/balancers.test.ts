/** The load balancers as they are documented, in front of a server: the world gets its chat, each word once, and not its metrics. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { BALANCERS, startBalancer } from '../support/balancers.ts';
import { clientJoin } from '../support/joins.ts';
import { freePort } from '../support/port.ts';
import { rawHttp } from '../support/raw-http.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { Stream } from '../support/stream.ts';
import { Tally } from '../support/tally.ts';

/** `/metrics`, as somebody might write it to get past a load balancer. */
const SPELLINGS = [
  '/metrics',
  '/metrics/',
  '/metrics?',
  '/metrics?a=/health',
  '/metrics;a',
  '/metrics%3fa',
  '/metrics%23',
  '/metrics%00',
  '/metrics%2f',
  '/%6detrics',
  '/%6Detric%73',
  '/%256detrics',
  '//metrics',
  '/./metrics',
  '/health/../metrics',
  '/health/%2e%2e/metrics',
  '/health%2f..%2fmetrics',
  '/\\metrics',
  '/METRICS',
  'http://telle/metrics',
];

/** A node that reads what it is sent, and then cuts: it may have stored it. Resolves with its address, and how often it was sent to. */
async function startCutting() {
  let sent = 0;
  const server = createServer((request, response) => {
    if (request.method !== 'POST') return response.end();
    request.resume().once('end', () => {
      sent += 1;
      request.socket.destroy();
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const stop = () => new Promise((resolve) => server.close(resolve).closeAllConnections());
  return { at: `127.0.0.1:${port}`, stop, sent: () => sent };
}

describe('Load balancers', { timeout: 120_000 }, () => {
  const tally = new Tally('Load balancers');
  let server: TestServer;
  let node: string;

  before(async () => {
    server = await startServer();
    node = await server.listen();
  });
  after(async () => {
    await server.close();
    tally.print();
  });

  for (const name of BALANCERS) {
    test(`let the world chat, and keep the metrics: ${name}`, () =>
      tally.scenario(`metrics past ${name}`, async (attempt) => {
        const { at, stop } = await startBalancer(name, [node]);
        try {
          assert.match((await rawHttp(node, { path: '/metrics' })).body, /telle_connections/, 'the node itself tells');
          for (const path of SPELLINGS) {
            await attempt(path, async () => {
              const { status, body } = await rawHttp(at, { path });
              assert.doesNotMatch(body, /telle_connections/);
              assert.ok(status >= 400, String(status));
            });
          }
          await attempt('a chat', async () => {
            const customer = await server.dial(at);
            const payload = { type: 'CLIENT_JOIN', dealerId: 'd1', user: 'customer', online: true };
            customer.send('client_join', payload);
            await customer.next('session');
          });
        } finally {
          await stop();
        }
      }));

    test(`lead a stream, and what is posted to it, to one node of two: ${name}`, () =>
      tally.scenario(`streams behind ${name}`, async (attempt) => {
        const other = await startServer();
        const { at, stop } = await startBalancer(name, [node, await other.listen()]);
        try {
          for (const which of ['the first', 'the second', 'the third']) {
            await attempt(which, async () => {
              const stream = await Stream.open(at);
              stream.send('client_join', clientJoin());
              await stream.next('session');
              stream.hangUp();
            });
          }
        } finally {
          await stop();
          await other.close();
        }
      }));

    test(`do not send twice what may have been stored: ${name}`, () =>
      tally.scenario(`a POST cut behind ${name}`, async (attempt) => {
        const cutting = await startCutting();
        const { at, stop } = await startBalancer(name, [cutting.at]);
        try {
          await attempt('a POST', async () => {
            const answer = await rawHttp(at, { method: 'POST', path: '/v1/events', body: {} }).catch(() => null);
            assert.ok(answer === null || answer.status >= 500, `${answer?.status}`);
            assert.equal(cutting.sent(), 1);
          });
        } finally {
          await stop();
          await cutting.stop();
        }
      }));
  }
});
