/** `telle/client`: whom it remembers to be, and how its token is renewed [P-3.1, P-4]. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { secondsFromNow, Tokens } from '../../src/auth/tokens.ts';
import { connect } from '../../src/client/index.ts';
import type { TokenStorage } from '../../src/client/types.ts';
import { put, sessionOf, withScript } from '../support/script.ts';
import { listen, messages, named, Place, SOON, tapped } from '../support/sdk.ts';
import { DEALER } from '../support/server.ts';

/** A storage, as a browser has one. */
function memory(): TokenStorage & { readonly items: Map<string, string> } {
  const items = new Map<string, string>();
  return {
    items,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}

/** A storage that may be looked at and not be used, as in a page whose cookies are blocked. */
const forbidden: TokenStorage = {
  getItem: () => null,
  setItem: () => {
    throw new Error('forbidden');
  },
  removeItem: () => {},
};

let place: Place;
before(async () => {
  place = await Place.open();
});
after(() => place.close());

describe('a customer', () => {
  test('finds its group again by the token that was remembered', async () => {
    const storage = memory();
    const first = await place.customer({ storage });
    first.client.close();
    assert.deepEqual([...storage.items], [[`telle/${DEALER}/`, first.client.session?.token]]);
    const second = await place.customer({ storage });
    assert.equal(second.groupId, first.groupId);
    assert.equal(storage.items.get(`telle/${DEALER}/`), second.client.session?.token);
  });

  test('that asks for a group is remembered for that one', async () => {
    const storage = memory();
    const [one, two] = [
      await place.customer({ storage, groupId: 'ours-1' }),
      await place.customer({ storage, groupId: 'ours-2' }),
    ];
    assert.deepEqual([one.groupId, two.groupId], ['ours-1', 'ours-2']);
    assert.equal(storage.items.size, 2);
    assert.equal((await place.customer({ storage, groupId: 'ours-1' })).groupId, 'ours-1');
  });

  test('whose claimed name a minted token comes for goes on under the one that its session says, then and later', async () => {
    const storage = memory();
    const options = { storage, groupId: 'customer-4711' };
    const { client, heard, groupId } = await place.customer(options);
    assert.equal(groupId, 'customer-4711');
    await client.send('customer_message', { type: 'UPDATE_MSG', message: 'I have claimed this' });
    const token = place.server.token('customer', 'customer-4711');
    const minted = await place.customer({ token });
    await heard.first(2, named('session'));
    const now = client.session?.groupId;
    assert.notEqual(now, 'customer-4711');
    assert.equal(minted.client.session?.groupId, 'customer-4711');
    const { scope } = await client.send('customer_message', { type: 'UPDATE_MSG', message: 'I go on elsewhere' });
    assert.equal(scope, now);
    const later = await place.customer(options);
    assert.equal(later.groupId, now);
    assert.deepEqual(messages(minted.heard), []);
  });

  test('without a storage, or with one that is forbidden, keeps its group over its own connections', async () => {
    for (const options of [{}, { storage: forbidden }]) {
      const { client, heard, groupId } = await place.customer(options);
      place.proxy.cut();
      await heard.first(1, named('offline'));
      place.proxy.mend();
      await heard.first(2, named('session'));
      assert.equal(client.session?.groupId, groupId);
    }
  });

  test('with a token of its dealer is not remembered', async () => {
    const storage = memory();
    const { groupId } = await place.customer({ storage, token: await place.server.token('customer', 'crm-4711') });
    assert.equal(groupId, 'crm-4711');
    assert.equal(storage.items.size, 0);
  });

  test('whose remembered token is refused is closed and forgotten: the next is somebody new', async () => {
    const storage = memory();
    const stranger = new Tokens(['a secret of another server, long enough for this']);
    const exp = secondsFromNow(60);
    storage.setItem(`telle/${DEALER}/`, await stranger.sign({ role: 'customer', dealer: DEALER, sub: 'g1', exp }));
    const { client, heard } = place.of(connect({ ...place.common, role: 'customer', storage }));
    const [closed] = await heard.first(1, named('closed'));
    assert.deepEqual(closed?.payload, { code: 4401, reason: 'unauthorized' });
    assert.equal(client.state, 'closed');
    assert.equal(storage.items.size, 0);
    await place.customer({ storage });
    assert.equal(storage.items.size, 1);
  });

  test('renews the token that Telle gave it by joining again, before it expires', () =>
    withScript(
      (socket, { payload }, before) => {
        assert.equal(payload.token, before === 0 ? undefined : 'the first');
        const expiresAt = new Date(Date.now() + (before === 0 ? 1500 : 3_600_000)).toISOString();
        put(socket, 'session', sessionOf({ token: 'the first', expiresAt }));
      },
      async (url) => {
        const client = connect({ url, role: 'customer', dealerId: DEALER, WebSocket });
        const heard = listen(client);
        await heard.first(2, named('session'));
        const [offline] = heard.items.filter(named('offline'));
        assert.deepEqual(offline?.payload, { code: 1000, reason: 'renewing the token', retryIn: 0 });
        client.close();
      },
    ));
});

describe('a token that is fetched', () => {
  test('is renewed over the same connection before it expires', async () => {
    let fetched = 0;
    let enough = () => {};
    const outlived = new Promise<void>((resolve) => {
      enough = resolve;
    });
    const token = async () => {
      fetched += 1;
      if (fetched === 5) enough();
      return place.server.token('admin', 'a1', { ttl: 3 });
    };
    const { WebSocket, sent } = tapped();
    const { client, heard } = await place.admin('a1', { token, WebSocket });
    await outlived; // half of each one's time: the first two tokens are over
    await client.send('sys_message', { type: 'SYS_MSG', message: 'still here' });
    assert.equal(heard.items.some(named('offline')), false);
    assert.ok(sent.filter(({ channel }) => channel === 'refresh').length >= 3);
  });

  test('is fetched for the first join, and not for each that follows', async () => {
    let fetched = 0;
    const token = () => {
      fetched += 1;
      return place.server.token('admin', 'a1');
    };
    const { heard } = await place.admin('a1', { token });
    place.proxy.cut();
    await heard.first(1, named('offline'));
    place.proxy.mend();
    await heard.first(2, named('session'));
    assert.equal(fetched, 1);
  });

  test('is fetched once more when it was refused, and what waits is sent', async () => {
    const tokens = [await place.server.token('admin', 'a1', { ttl: -1 }), await place.server.token('admin', 'a1')];
    const { client, heard } = place.of(
      connect({ ...place.common, role: 'admin', adminId: 'a1', token: () => tokens.shift() ?? '' }),
    );
    const send = client.send('sys_message', { type: 'SYS_MSG', message: 'hello' });
    const [offline] = await heard.first(1, named('offline'));
    assert.deepEqual(offline?.payload, { code: 4401, reason: 'token_expired', retryIn: 0 });
    assert.equal((await send).scope, '@dealer');
  });

  for (const [what, second] of [
    ['is the same again', -1],
    ['is refused too', -2],
  ] as const) {
    test(`and ${what} ends it`, async () => {
      const expired = await place.server.token('admin', 'a1', { ttl: -1 });
      const other = await place.server.token('admin', 'a1', { ttl: second });
      const { WebSocket, sockets } = tapped();
      const tokens = [expired, other];
      const { heard } = place.of(
        connect({ ...place.common, WebSocket, role: 'admin', adminId: 'a1', token: () => tokens.shift() ?? '' }),
      );
      const [closed] = await heard.first(1, named('closed'));
      assert.deepEqual(closed?.payload, { code: 4401, reason: 'token_expired' });
      assert.equal(sockets.length, other === expired ? 1 : 2);
      assert.equal(tokens.length, 0);
    });
  }

  test('and whose renewal fails for once goes on', async () => {
    let fetched = 0;
    const token = async () => {
      fetched += 1;
      if (fetched === 2) throw new Error('the backend is away');
      return place.server.token('admin', 'a1', { ttl: fetched === 1 ? 2 : 60 });
    };
    const { client, heard } = await place.admin('a1', { token });
    while (fetched < 3) await client.send('sys_message', { type: 'SYS_MSG', message: 'to wait for' });
    await client.send('sys_message', { type: 'SYS_MSG', message: 'still here' });
    assert.equal(heard.items.some(named('closed')), false);
  });

  test('and cannot be had is tried again after a pause', async () => {
    let fetched = 0;
    const token = async () => {
      fetched += 1;
      if (fetched < 3) throw new Error('the backend is away');
      return place.server.token('admin', 'a1');
    };
    const { heard } = await place.admin('a1', { token });
    const offline = heard.items.filter(named('offline'));
    assert.deepEqual(
      offline.map(({ payload }) => payload.reason),
      ['Error: the backend is away', 'Error: the backend is away'],
    );
  });

  test('given as a string is not asked for again', async () => {
    const token = await place.server.token('admin', 'a1', { ttl: -1 });
    const { WebSocket, sockets } = tapped();
    const { heard } = place.of(
      connect({ ...place.common, backoff: SOON, WebSocket, role: 'admin', adminId: 'a1', token }),
    );
    await heard.first(1, named('closed'));
    assert.equal(sockets.length, 1);
  });
});
