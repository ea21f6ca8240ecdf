/** `telle/client`: what happens when the connection breaks, or is refused. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { connect } from '../../src/client/index.ts';
import type { Store } from '../../src/store/store.ts';
import { gate, overriding } from '../support/faulty-store.ts';
import { freePort } from '../support/port.ts';
import { put, sessionOf, withScript } from '../support/script.ts';
import { type Heard, listen, messages, named, Place, SOON, tapped, withPlace } from '../support/sdk.ts';
import { DEALER } from '../support/server.ts';

const say = (message: string) => ({ type: 'UPDATE_MSG', message }) as const;
const botSays = (message: string, groupId: string) => ({ ...say(message), groupId, user: 'bot' }) as const;
/** It was given up. On a busy machine so short a time may be over before a join is answered, too: that has another reason. */
const isDead = ({ name, payload }: Heard) => name === 'offline' && payload.reason === 'no sign of life';
const range = (count: number) => Array.from({ length: count }, (_, index) => `${index}`);

describe('a connection that breaks', () => {
  let place: Place;
  before(async () => {
    place = await Place.open();
  });
  after(() => place.close());

  /** Another server's client that the proxy does not cut. */
  const beside = async () => {
    const client = place.of(
      connect({
        ...place.common,
        url: place.directUrl,
        role: 'server',
        token: await place.server.token('server', 'beside'),
      }),
    );
    await client.heard.first(1, named('session'));
    return client.client;
  };

  test('is made again, and what happened meanwhile is told once and in order', async () => {
    const { client, heard, groupId } = await place.customer();
    const crm = await beside();
    await crm.send('event', botSays('before', groupId));
    await heard.first(1, named('CHAT_MESSAGE'));
    await client.send('customer_message', say('acked, and so not told'));
    place.proxy.cut();
    const [offline] = await heard.first(1, named('offline'));
    assert.equal(offline?.payload.code, 1006);
    assert.ok(offline?.payload.retryIn <= SOON.first);
    for (const text of range(5)) await crm.send('event', botSays(text, groupId));
    await crm.send('event', { type: 'SYS_MSG', adminId: 'a1', message: 'to everybody' });
    place.proxy.mend();
    await crm.send('event', botSays('after', groupId));
    await heard.first(7, named('CHAT_MESSAGE'));
    assert.deepEqual(messages(heard), ['before', ...range(5), 'after']);
    assert.equal(heard.items.filter(named('SYS_MESSAGE')).length, 1);
    assert.equal(heard.items.some(named('gap')), false);
    assert.equal(client.seqs[groupId], 8);
    assert.equal(client.state, 'joined');
  });

  test('is made again after a pause that is random, and grows up to a bound', async () => {
    const backoff = { first: 4, most: 16 };
    const client = connect({
      url: `ws://127.0.0.1:${await freePort()}/ws`,
      role: 'customer',
      dealerId: DEALER,
      WebSocket,
      backoff,
    });
    const heard = listen(client);
    const pauses = (await heard.first(12, named('offline'))).map(({ payload }) => payload.retryIn);
    client.close();
    for (const [failures, pause] of pauses.entries()) {
      assert.ok(pause >= 0 && pause < Math.min(backoff.most, backoff.first * 2 ** failures), `${pauses}`);
    }
    assert.equal(new Set(pauses).size, pauses.length, 'no two are alike');
    assert.ok(Math.max(...pauses) > backoff.first);
  });

  for (const [what, lasts, isLonger] of [
    ['never lasts is made again after longer and longer pauses', 0, true],
    ['has lasted is made again as if it were the first time', 80, false],
  ] as const) {
    test(`that ${what}`, () =>
      withScript(
        (socket) => {
          put(socket, 'session', sessionOf());
          setTimeout(() => socket.close(1012), lasts);
        },
        async (url) => {
          const backoff = { first: 2, most: 1000 };
          const options = { url, dealerId: DEALER, WebSocket, backoff, timeout: 40 };
          const client = connect({ ...options, role: 'customer' });
          const lost = await listen(client).first(8, named('offline'));
          client.close();
          assert.equal(
            lost.some(({ payload }) => payload.retryIn > backoff.first),
            isLonger,
          );
        },
      ));
  }

  for (const [reason, least, most] of [
    ['service restart, come back in 40 ms', 30, 50],
    ['service restart, come back in 0 ms', 0, 0],
    ['service restart, come back in 3600000 ms', 0, 60],
    ['service restart', 0, 6],
  ] as const) {
    test(`that a server ends with "${reason}" is made again when it says, a little at random`, () =>
      withScript(
        (socket) => {
          put(socket, 'session', sessionOf());
          socket.close(1012, reason);
        },
        async (url) => {
          const options = { url, dealerId: DEALER, WebSocket, backoff: { first: 0.1, most: 60 } };
          const client = connect({ ...options, role: 'customer' });
          const lost = await listen(client).first(6, named('offline'));
          client.close();
          const pauses = lost.map(({ payload }) => payload.retryIn);
          assert.ok(
            pauses.every((pause) => pause >= least && pause <= most),
            `${pauses}`,
          );
          if (most > 0 && most < 60) assert.equal(new Set(pauses).size, pauses.length, 'no two are alike');
        },
      ));
  }

  test('that brings an event again tells it once', () =>
    withScript(
      (socket, { channel }, before) => {
        if (channel !== 'client_join') return;
        const recovered = { g1: true, '@dealer': true };
        put(socket, 'session', sessionOf(before === 0 ? {} : { seqs: { g1: 3, '@dealer': 0 }, recovered }));
        for (const seq of before === 0 ? [1, 2, 2] : [1, 2, 3]) {
          put(socket, 'CHAT_MESSAGE', { message: `${seq}` }, { id: `k${seq}`, scope: 'g1', seq, at: '' });
        }
        if (before === 0) socket.close(1012);
      },
      async (url) => {
        const client = connect({ url, role: 'customer', dealerId: DEALER, WebSocket, backoff: SOON });
        const heard = listen(client);
        await heard.first(1, ({ payload }) => payload?.message === '3');
        assert.deepEqual(messages(heard), ['1', '2', '3']);
        client.close();
      },
    ));

  test('keeps what is sent meanwhile, in order, up to a bound', async () => {
    const { client, heard, groupId } = await place.customer({ maxQueue: 3 });
    place.proxy.cut();
    await heard.first(1, named('offline'));
    const sends = range(3).map((text) => client.send('customer_message', say(text)));
    await assert.rejects(client.send('customer_message', say('one too many')), {
      name: 'TelleError',
      code: 'queue_full',
      retryable: true,
    });
    place.proxy.mend();
    const acks = await Promise.all(sends);
    assert.deepEqual(
      acks.map(({ scope, seq }) => [scope, seq]),
      [1, 2, 3].map((seq) => [groupId, seq]),
    );
  });

  test('does not keep who types', async () => {
    const { client, heard } = await place.customer();
    place.proxy.cut();
    await heard.first(1, named('offline'));
    await assert.rejects(client.send('typing', { type: 'TYPING', typing: true }), { code: 'offline', retryable: true });
    client.send('typing', { type: 'TYPING', typing: true }); // and nobody need look after it
    place.proxy.mend();
    await heard.first(2, named('session'));
  });

  test('that is silent is found out by a ping that nobody answers, and what it swallowed is sent again', () =>
    withPlace({ timing: { pingInterval: 30 } }, async (quick) => {
      const { client, heard, groupId } = await quick.customer({ timeout: 200 });
      quick.proxy.swallow();
      const send = client.send('customer_message', say('into the void'));
      await heard.first(1, isDead);
      const { scope, seq } = await send;
      assert.deepEqual([scope, seq], [groupId, 1]);
    }));

  test('that is silent after a send is asked early', () =>
    withPlace({}, async (slow) => {
      const { client, heard } = await slow.customer({ timeout: 200 });
      assert.equal(client.session?.pingInterval, 25_000);
      slow.proxy.swallow();
      const send = client.send('customer_message', say('into the void'));
      await heard.first(1, isDead);
      assert.equal((await send).seq, 1);
    }));

  test('that is only silent is kept', () =>
    withPlace({ timing: { pingInterval: 20 }, settings: { RATE_LIMIT: 'off' } }, async (quick) => {
      const { WebSocket, sent, received } = tapped();
      const { heard } = await quick.customer({ WebSocket });
      await received.first(3, ({ channel }) => channel === 'pong');
      assert.ok(sent.filter(({ channel }) => channel === 'ping').length >= 3);
      assert.equal(heard.items.some(named('offline')), false);
    }));

  test('that takes an ack with it gives the event in its place: the send resolves, and the event is not told', async () => {
    let hold: Promise<void> | null = null;
    const committed = gate();
    const wrapStore = (store: Store) =>
      overriding(store, {
        commit: async (...of) => {
          const locked = await store.commit(...of);
          if (hold) {
            committed.open();
            await hold;
          }
          return locked;
        },
      });
    await withPlace({ wrapStore }, async (place) => {
      const { WebSocket, sent } = tapped();
      const { client, heard, groupId } = await place.customer({ WebSocket });
      const { opened, open } = gate();
      hold = opened;
      const send = client.send('customer_message', say('acked to nobody'));
      await committed.opened;
      place.proxy.cut();
      await heard.first(1, named('offline'));
      hold = null;
      open();
      place.proxy.mend();
      const ack = await send;
      assert.deepEqual([ack.scope, ack.seq], [groupId, 1]);
      assert.equal((await client.send('customer_message', say('the next'))).seq, 2);
      assert.deepEqual(messages(heard), []);
      const ids = sent.flatMap(({ channel, id }) => (channel === 'customer_message' ? [id] : []));
      assert.ok(ids.filter((id) => id === ids[0]).length <= 2 && new Set(ids).size === 2);
    });
  });

  test('tells once that a history must be read anew, where too much happened for it to be told', async () => {
    const { client, heard, groupId } = await place.customer();
    const crm = await beside();
    await crm.send('event', botSays('seen', groupId));
    await heard.first(1, named('CHAT_MESSAGE'));
    place.proxy.cut();
    await heard.first(1, named('offline'));
    for (let at = 0; at < 501; at += 250) {
      const events = range(Math.min(250, 501 - at)).map((text) => ({ ...botSays(text, groupId), dealerId: DEALER }));
      await place.server.http('POST', '/v1/events', { token: await place.server.token('server', 'crm'), body: events });
    }
    place.proxy.mend();
    await heard.first(2, named('session'));
    await crm.send('event', botSays('after', groupId));
    await heard.first(2, named('CHAT_MESSAGE'));
    assert.deepEqual(
      heard.items.filter(named('gap')).map(({ payload }) => payload),
      [{ scope: groupId, after: 1 }],
    );
    assert.deepEqual(messages(heard), ['seen', 'after']);
    assert.equal(client.seqs[groupId], 503);
    place.proxy.cut();
    await heard.first(2, named('offline'));
    place.proxy.mend();
    await crm.send('event', botSays('later', groupId));
    await heard.first(3, named('CHAT_MESSAGE'));
    assert.equal(heard.items.filter(named('gap')).length, 1);
  });

  test('asks for the hundred scopes of the latest events, and tells that of the others nothing is known', async () => {
    const { WebSocket, sent } = tapped();
    const { heard } = await place.admin('busy', { WebSocket });
    const crm = await beside();
    const groups = range(110).map((index) => `busy${index}`);
    for (const groupId of groups) await crm.send('event', botSays('hello', groupId));
    await heard.first(groups.length, named('CHAT_MESSAGE'));
    place.proxy.cut();
    await heard.first(1, named('offline'));
    await crm.send('event', botSays('missed', groups[109] ?? ''));
    place.proxy.mend();
    await heard.first(groups.length + 1, named('CHAT_MESSAGE'));
    const joins = sent.filter(({ channel }) => channel === 'admin_join');
    assert.deepEqual(Object.keys(joins.at(-1)?.payload.since).sort(), [...groups.slice(12), '@dealer', '@desk'].sort());
    const gaps = heard.items.filter(named('gap')).map(({ payload }) => payload.scope);
    assert.deepEqual(gaps.sort(), groups.slice(0, 12).sort());
  });

  test('catches up with the scopes that the application has seen before', async () => {
    const crm = await beside();
    for (const text of range(3)) await crm.send('event', botSays(text, 'old'));
    const { heard } = await place.admin('returning', { since: { old: 1 } });
    await heard.first(2, named('CHAT_MESSAGE'));
    assert.deepEqual(messages(heard), ['1', '2']);
  });

  test('of a server of all dealers keeps the scopes of two dealers apart', async () => {
    const token = await place.server.token('server', 'all', { dealer: '*' });
    const all = place.of(connect({ ...place.common, role: 'server', dealerId: '*', token }));
    await all.heard.first(1, named('session'));
    const send = (dealerId: string, message: string) =>
      all.client.send('event', { ...botSays(message, 'same'), dealerId });
    const other = place.of(connect({ ...place.common, role: 'server', dealerId: '*', token }));
    await other.heard.first(1, named('session'));
    for (const [dealerId, message] of [
      ['x1', '1'],
      ['x1', '2'],
      ['x2', '3'],
      ['x2', '4'],
    ] as const) {
      await send(dealerId, message);
    }
    await other.heard.first(4, named('CHAT_MESSAGE'));
    assert.deepEqual(messages(other.heard), ['1', '2', '3', '4']);
  });

  test('is over after close: what waits is rejected, and nothing more is told', async () => {
    const { client, heard } = await place.customer();
    place.proxy.cut();
    await heard.first(1, named('offline'));
    const send = client.send('customer_message', say('too late'));
    client.close();
    await assert.rejects(send, { code: 'closed', retryable: false });
    await assert.rejects(client.send('customer_message', say('later still')), { code: 'closed' });
    client.send('typing', { type: 'TYPING', typing: true }); // and nobody need look after it
    client.close();
    place.proxy.mend();
    assert.equal(client.state, 'closed');
    const closed = heard.items.filter(named('closed'));
    assert.deepEqual(
      closed.map(({ payload }) => payload),
      [{ code: 1000, reason: 'closed' }],
    );
    assert.equal(heard.items.at(-1), closed[0]);
  });
});

describe('a client that is refused', () => {
  for (const code of [4400, 4403, 4404, 4408, 4429]) {
    test(`does not come back after ${code}`, () =>
      withScript(
        (socket) => socket.close(code, 'go away'),
        async (url) => {
          const { WebSocket, sockets } = tapped();
          const client = connect({ url, role: 'customer', dealerId: DEALER, WebSocket, backoff: SOON });
          const send = client.send('customer_message', say('hello'));
          const heard = listen(client);
          await assert.rejects(send, { code: 'closed', message: `closed: ${code} go away` });
          await heard.first(1, named('closed'));
          assert.deepEqual(heard.items.at(-1)?.payload, { code, reason: 'go away' });
          assert.deepEqual([client.state, sockets.length], ['closed', 1]);
        },
      ));
  }

  for (const code of [1001, 1011, 1012, 1013, 4508]) {
    test(`comes back after ${code}, with what it has seen`, () =>
      withScript(
        (socket, { channel, payload }, before) => {
          if (channel !== 'client_join') return;
          assert.deepEqual(payload.since, before === 0 ? {} : { g1: 7, '@dealer': 2 });
          put(
            socket,
            'session',
            sessionOf({ seqs: { g1: 7, '@dealer': 2 }, recovered: { g1: true, '@dealer': true } }),
          );
          if (before === 0) socket.close(code);
        },
        async (url) => {
          const client = connect({ url, role: 'customer', dealerId: DEALER, WebSocket, backoff: SOON });
          const heard = listen(client);
          await heard.first(2, named('session'));
          assert.equal(heard.items.find(named('offline'))?.payload.code, code);
          client.close();
        },
      ));
  }

  test('is closed where the dealer is unknown, and where the join itself is wrong', () =>
    withPlace({}, async (place) => {
      const stranger = place.of(connect({ ...place.common, role: 'customer', dealerId: 'nobody' }));
      const [unknown] = await stranger.heard.first(1, named('closed'));
      assert.deepEqual(unknown?.payload, { code: 4404, reason: 'unknown_dealer' });
      const wrong = place.of(connect({ ...place.common, role: 'customer', dealerId: 'no id!' }));
      const [invalid] = await wrong.heard.first(1, named('closed'));
      assert.equal(invalid?.payload.reason, 'invalid_payload');
    }));

  test('for a moment alone tries again', () => {
    let isAway = true;
    const wrapStore = (store: Store) =>
      overriding(store, {
        standing: (...of) => (isAway ? Promise.reject(new Error('disk I/O error')) : store.standing(...of)),
      });
    return withPlace({ wrapStore }, async (place) => {
      const { client, heard } = place.of(connect({ ...place.common, role: 'customer' }));
      const [offline] = await heard.first(1, named('offline'));
      assert.match(offline?.payload.reason, /unavailable|internal/);
      isAway = false;
      await heard.first(1, named('session'));
      assert.equal(client.state, 'joined');
    });
  });

  test('after its session, as a server that fails in between does, joins again', () =>
    withScript(
      (socket, { channel, id }, before) => {
        if (channel !== 'client_join') return;
        put(socket, 'session', sessionOf());
        if (before === 0) put(socket, 'error', { id, code: 'unavailable', message: 'try again', retryable: true });
      },
      async (url) => {
        const client = connect({ url, role: 'customer', dealerId: DEALER, WebSocket, backoff: SOON });
        await listen(client).first(2, named('session'));
        client.close();
      },
    ));

  test('is told that nobody answers its join, and tries again', () =>
    withScript(
      (socket, _, before) => before > 0 && put(socket, 'session', sessionOf()),
      async (url) => {
        const client = connect({ url, role: 'customer', dealerId: DEALER, WebSocket, backoff: SOON, timeout: 50 });
        const heard = listen(client);
        await heard.first(1, named('session'));
        assert.equal(heard.items.find(named('offline'))?.payload.reason, 'no answer');
        client.close();
      },
    ));
});
