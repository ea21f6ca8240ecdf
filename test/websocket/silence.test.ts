/** [P-2.6] Sockets on which nobody says anything, behind proxies that cut what is silent. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startBalancer } from '../support/balancers.ts';
import { clientJoin } from '../support/joins.ts';
import { withServer } from '../support/server.ts';

/** How long the proxies of this test let a socket be silent. */
const IDLE = '3s';

describe('[P-2.6] a socket that is silent', { timeout: 60_000, concurrency: true }, () => {
  for (const name of ['nginx', 'haproxy'] as const) {
    test(`is kept by ${name} where PING_INTERVAL is less than its timeout`, () =>
      withServer({ settings: { PING_INTERVAL: '1s' } }, async (server) => {
        const balancer = await startBalancer(name, [await server.listen()], IDLE);
        try {
          const customer = await server.dial(balancer.at);
          customer.send('client_join', clientJoin());
          const { payload } = await customer.next('session');
          assert.equal(payload.pingInterval, 1000);
          await once(customer.socket, 'ping');
          await Promise.race([pause(6000), customer.closed]);
          await customer.settled();
        } finally {
          await balancer.stop();
        }
      }));

    test(`is cut by ${name} where it is more`, () =>
      withServer({}, async (server) => {
        const balancer = await startBalancer(name, [await server.listen()], IDLE);
        try {
          const customer = await server.dial(balancer.at);
          customer.send('client_join', clientJoin());
          assert.equal((await customer.next('session')).payload.pingInterval, 25_000);
          assert.equal(await customer.closed, 1006);
        } finally {
          await balancer.stop();
        }
      }));
  }
});
