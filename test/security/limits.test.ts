/** [P-11.6] How often somebody may ask over HTTP, and by which address they are known. */
import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import type { Settings } from '../../schemas/settings.ts';
import { type Asked, ask } from '../support/ask.ts';
import { assertProblem } from '../support/problem.ts';
import { DEALER, type TestServer, withServer } from '../support/server.ts';

/** Requests in ten seconds. */
const MAX = 300;
const GROUPS = `/v1/dealers/${DEALER}/groups`;

/** A server for a test, whose clock stands still until the test moves it on. */
const withLimits = (
  use: (server: TestServer, clock: { tick: (ms: number) => void }) => Promise<void>,
  settings: Readonly<Partial<Record<keyof Settings, string>>> = {},
) =>
  withServer({ settings }, async (server) => {
    mock.timers.enable({ apis: ['Date'], now: Date.now() });
    try {
      await use(server, { tick: (ms) => mock.timers.tick(ms) });
    } finally {
      mock.timers.reset();
    }
  });

/** The statuses of so many requests one after another, each once. */
async function statuses(server: TestServer, count: number, asked: (index: number) => Asked, url = GROUPS) {
  const seen = new Set<number>();
  for (let index = 0; index < count; index += 1) seen.add((await ask(server, url, asked(index))).status);
  return [...seen];
}

/** Asks until the limit is reached, all of it with this status, and once more, which is refused. */
async function exhaust(server: TestServer, status: number, asked: (index: number) => Asked, url = GROUPS) {
  assert.deepEqual(await statuses(server, MAX, asked, url), [status]);
  const refused = await ask(server, url, asked(MAX));
  assertProblem(refused, 429, 'rate_limited');
  const after = Number(refused.headers['retry-after']);
  assert.ok(Number.isInteger(after) && after >= 1 && after <= 10, `retry-after: ${after}`);
  return after;
}

const status = async (server: TestServer, asked: Asked, url = GROUPS) => (await ask(server, url, asked)).status;

describe('[P-11.6] 429 rate_limited', () => {
  test('is what an admin gets after 300 requests in ten seconds, until these are over', () =>
    withLimits(async (server, clock) => {
      const token = await server.token('admin', 'a1');
      clock.tick(1);
      assert.equal(await status(server, { token }), 200);
      clock.tick(4_000);
      assert.deepEqual(await statuses(server, MAX - 1, () => ({ token })), [200]);
      const refused = await ask(server, GROUPS, { token });
      assertProblem(refused, 429, 'rate_limited');
      assert.equal(refused.headers['retry-after'], '6');
      clock.tick(5_999);
      assert.equal(await status(server, { token }), 429);
      clock.tick(1);
      await exhaust(server, 200, () => ({ token }));
    }));

  test('is each one’s own: by role, dealer and name, whatever their address; a new token is the same one', () =>
    withLimits(async (server) => {
      await server.store.putDealer('d2', {});
      const token = await server.token('admin', 'a1');
      await exhaust(server, 200, (index) => ({ token, from: `198.51.100.${index % 250}` }));
      assert.equal(await status(server, { token: await server.token('admin', 'a1', { ttl: 600 }) }), 429);
      assert.equal(await status(server, { token: await server.token('admin', 'a2') }), 200);
      const elsewhere = await server.token('admin', 'a1', { dealer: 'd2' });
      assert.equal(await status(server, { token: elsewhere }, '/v1/dealers/d2/groups'), 200);
      assert.equal(await status(server, { token: await server.token('customer', 'a1') }), 403);
    }));

  test('is what a customer gets, too, and what is refused counts', () =>
    withLimits(async (server) => {
      const token = await server.token('customer', 'g1');
      await exhaust(server, 403, () => ({ token }));
      assert.equal(await status(server, { token }, `/v1/dealers/${DEALER}/scopes/g1/events`), 429);
    }));

  test('is what an address gets after 300 requests without a good token, be they what they may', () =>
    withLimits(async (server) => {
      const expired = await server.token('admin', 'a1', { ttl: -10 });
      const bad = [undefined, 'no.good.token', expired];
      const urls = [GROUPS, '/v1/dealers', '/v1/dead-letters'];
      await exhaust(server, 401, (index) => ({ token: bad[index % 3], from: '198.51.100.1' }));
      for (const url of urls) assert.equal(await status(server, { from: '198.51.100.1' }, url), 429);
      assert.equal(await status(server, { from: '198.51.100.2' }), 401);
    }));

  test('does not come to who has a good token by what others do from the same address', () =>
    withLimits(async (server) => {
      const from = '198.51.100.1';
      await exhaust(server, 401, () => ({ from }));
      assert.equal(await status(server, { from, token: await server.token('admin', 'a1') }), 200);
      assert.equal(await status(server, { from, token: await server.token('server', 'crm') }), 200);
    }));

  test('says so to the pages of the dealer’s origins', () =>
    withLimits(async (server) => {
      const token = await server.token('admin', 'a1');
      await exhaust(server, 200, () => ({ token }));
      const { status, headers } = await ask(server, GROUPS, { token, headers: { origin: 'https://shop.example' } });
      assert.deepEqual([status, headers['access-control-allow-origin']], [429, 'https://shop.example']);
    }));

  test('never comes to other servers', () =>
    withLimits(async (server) => {
      for (const dealer of [DEALER, '*']) {
        const token = await server.token('server', 'crm', { dealer });
        assert.deepEqual(await statuses(server, MAX + 20, () => ({ token })), [200]);
      }
    }));

  test('never comes to those who ask whether the server is well', () =>
    withLimits(async (server) => {
      await exhaust(server, 401, () => ({}));
      for (const url of ['/health', '/ready']) {
        assert.deepEqual(await statuses(server, MAX + 20, () => ({}), url), [200]);
      }
    }));

  test('never comes where RATE_LIMIT is off', () =>
    withLimits(
      async (server) => {
        const token = await server.token('admin', 'a1');
        assert.deepEqual(await statuses(server, MAX + 20, () => ({ token })), [200]);
        assert.deepEqual(await statuses(server, MAX + 20, () => ({})), [401]);
      },
      { RATE_LIMIT: 'off' },
    ));
});

describe('TRUST_PROXY', () => {
  const via = (from: string, ...hops: string[]): Asked => ({ from, headers: { 'x-forwarded-for': hops.join(', ') } });
  const CLIENT = '203.0.113.7';
  const OTHER = '203.0.113.8';
  const forged = (index: number) => `192.0.2.${index % 250}`;

  test('off: nobody’s word on where a request comes from is taken', () =>
    withLimits(async (server) => {
      await exhaust(server, 401, (index) => via('127.0.0.1', forged(index)));
      assert.equal(await status(server, via('198.51.100.1', '127.0.0.1')), 401);
    }));

  test('a trusted hop’s is, so that its clients are limited each by itself', () =>
    withLimits(
      async (server) => {
        await exhaust(server, 401, () => via('127.0.0.1', CLIENT));
        assert.equal(await status(server, via('127.0.0.1', OTHER)), 401);
        assert.equal(await status(server, { from: '127.0.0.1' }), 401);
      },
      { TRUST_PROXY: 'loopback' },
    ));

  test('what a client itself has put before the trusted hop’s word is not', () =>
    withLimits(
      async (server) => {
        await exhaust(server, 401, (index) => via('127.0.0.1', forged(index), '127.0.0.1', forged(index + 1), CLIENT));
        assert.equal(await status(server, via('127.0.0.1', CLIENT, OTHER)), 401);
      },
      { TRUST_PROXY: 'loopback' },
    ));

  test('the word of anybody who is no trusted hop is not', () =>
    withLimits(
      async (server) => {
        await exhaust(server, 401, (index) => via('198.51.100.1', forged(index)));
        assert.equal(await status(server, via('10.1.2.3', '198.51.100.1')), 429);
        assert.equal(await status(server, via('198.51.100.2', '198.51.100.1')), 401);
      },
      { TRUST_PROXY: '10.0.0.0/8' },
    ));

  test('several hops are gone back through, as far as they are trusted', () =>
    withLimits(
      async (server) => {
        await exhaust(server, 401, (index) => via('127.0.0.1', forged(index), CLIENT, '10.1.2.3', '10.4.5.6'));
        assert.equal(await status(server, via('10.4.5.6', CLIENT)), 429);
        assert.equal(await status(server, via('127.0.0.1', CLIENT, OTHER, '10.1.2.3')), 401);
      },
      { TRUST_PROXY: '10.0.0.0/8, 127.0.0.1' },
    ));
});
