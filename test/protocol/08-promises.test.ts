/** [P-8] What an ack promises, on one node. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import Database from 'better-sqlite3';
import type { Client } from '../support/client.ts';
import { overriding } from '../support/faulty-store.ts';
import type { Frame } from '../support/frame.ts';
import { DEALER, inFolder, startServer, type TestServer, withServer } from '../support/server.ts';
import { inVersion1 } from '../support/version-one.ts';

const FAST = { settings: { RATE_LIMIT: 'off', AUTO_MUTE: 'off' }, timing: { closeTimeout: 5 } };
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const say = (message: string, groupId?: string) => ({ type: 'UPDATE_MSG', ...(groupId && { groupId }), message });
const botSays = (message: string, groupId: string) => ({ ...say(message, groupId), user: 'bot' });

/** The payloads of the next acks (or errors) of a client, so many. */
async function answers(client: Client, count: number): Promise<Frame['payload'][]> {
  const payloads: Frame['payload'][] = [];
  while (payloads.length < count) {
    const { payload } = await client.next(({ channel }) => channel === 'ack' || channel === 'error');
    payloads.push(payload);
  }
  return payloads;
}
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

describe('[P-8.1] an ack', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer(FAST);
  });
  after(() => server.close());

  test('has id, scope, seq, at and duplicate of what is stored, as its event has them', async () => {
    const [guest, witness] = [await server.customer('g1'), await server.server()];
    guest.send('customer_message', say('hello'), 'my-id.1');
    const { payload } = await guest.next('ack');
    const { id, scope, seq, at } = await witness.next('CHAT_MSG');
    assert.deepEqual(payload, { id: 'my-id.1', scope: 'g1', seq: 1, at, duplicate: false });
    assert.deepEqual([id, scope, seq], ['my-id.1', 'g1', 1]);
    assert.match(at ?? '', INSTANT);
  });

  test('has the id alone of what has no seq', async () => {
    const guest = await server.customer('g2');
    await guest.ask('customer_message', say('hello'));
    for (const [channel, payload] of [
      ['typing', { type: 'TYPING', typing: true }],
      ['read', { type: 'READ', seq: 1 }],
      ['ping', {}],
    ] as const) {
      guest.send(channel, payload, `id-${channel}`);
      const frame = await guest.next(({ payload }) => payload.id === `id-${channel}`);
      assert.deepEqual(frame, { channel: 'ack', payload: { id: `id-${channel}` } });
    }
  });

  test('comes once for a frame with an id, and never for one without', async () => {
    const guest = await server.customer('g3');
    for (let count = 0; count < 5; count += 1) guest.send('customer_message', say('without'));
    await guest.ask('customer_message', say('with'), 'last');
    await guest.settled();
    const acks = guest.frames.filter(({ channel }) => channel === 'ack' || channel === 'error');
    assert.deepEqual(
      acks.map(({ payload }) => payload.id),
      ['last'],
    );
  });

  test('comes when another process can read the event in the database', () =>
    inFolder((folder) =>
      withServer(
        { ...FAST, settings: { ...FAST.settings, DATABASE_URL: `sqlite:${folder}/telle.db` } },
        async (own) => {
          const other = new Database(`${folder}/telle.db`, { readonly: true });
          try {
            const row = other.prepare('select scope, seq, sender, payload from events where id = ?');
            const guest = await own.customer('g1');
            for (const id of ['one', 'two', 'three']) {
              const { scope, seq } = await guest.ask('customer_message', say(id), id);
              const payload = JSON.stringify({
                ...{ type: 'CHAT_MSG', dealerId: DEALER, groupId: 'g1', user: 'customer' },
                ...{ muted: false, unread: seq, message: id },
              });
              const { payload: kept, ...found } = Object(row.get(id));
              assert.deepEqual(
                { ...found, payload: JSON.stringify(inVersion1(JSON.parse(kept))) },
                { scope, seq, sender: 'customer:g1', payload },
              );
            }
          } finally {
            other.close();
          }
        },
      ),
    ));
});

describe('[P-8.2, P-8.3] seq', () => {
  test('is 1, 2, 3, … in each scope for every reader, in one order, however many send at once', () =>
    withServer(FAST, async (server) => {
      const [one, two] = [await server.customer('g1'), await server.customer('g2')];
      const senders: readonly (readonly [Client, string, object])[] = [
        [one, 'customer_message', say('one')],
        [await server.customer('g1', { token: one.session.token }), 'customer_message', say('tab')],
        [two, 'customer_message', say('two')],
        [await server.admin('a1'), 'admin_message', say('a1', 'g1')],
        [await server.admin('a2'), 'admin_message', say('a2', 'g2')],
        [await server.admin('a3'), 'sys_message', { type: 'SYS_MSG', message: 'a3' }],
        [await server.server(), 'event', botSays('crm', 'g1')],
        [await server.server(), 'event', { type: 'UPDATE_USER', groupId: 'g2', message: { name: 'crm' } }],
      ];
      const readers = [await server.admin('a4'), await server.server(), await server.server('*')];
      const stood = await server.store.tails(DEALER, ['@desk']);
      const each = 60;
      for (let count = 0; count < each; count += 1) {
        for (const [index, [client, channel, payload]] of senders.entries()) {
          client.send(channel, payload, count % 3 === 0 ? undefined : `${index}-${count}`);
        }
        if (count % 10 === 0) await senders[count % senders.length]?.[0].settled();
      }
      for (const [index, [client]] of senders.entries())
        await client.next(({ payload }) => payload.id === `${index}-${each - 1}`);
      const tails = { g1: 4 * each, g2: 2 * each, '@dealer': each, '@desk': (stood.get('@desk') ?? 0) + each };
      const scopes = Object.keys(tails);
      assert.deepEqual(Object.fromEntries(await server.store.tails(DEALER, scopes)), tails);
      const everybody = [...readers, ...senders.map(([client]) => client)];
      for (const client of everybody) await client.settled();
      for (const [scope, tail] of Object.entries(tails)) {
        const texts = new Map<number, string>();
        for (const client of everybody) {
          const seqs = client.seqs(scope);
          if (seqs.length === 0) continue; // a customer of another group
          assert.deepEqual(seqs, upTo(tail).slice(-seqs.length), 'in order, each once, to the end');
          client.frames.forEach((frame, index) => {
            if (frame.scope !== scope || frame.seq === undefined) return;
            const text = client.texts[index] ?? '';
            assert.equal(texts.get(frame.seq) ?? text, text, 'the same event for everybody');
            texts.set(frame.seq, text);
          });
        }
        for (const reader of readers) assert.equal(reader.seqs(scope).length, scope === '@desk' ? each : tail);
      }
      assert.deepEqual([one.seqs('g2'), two.seqs('g1'), one.seqs('@desk')], [[], [], []]);
    }));

  test('goes on after a restart, and everything that was acked is there', () =>
    inFolder(async (folder) => {
      const options = { ...FAST, settings: { ...FAST.settings, DATABASE_URL: `sqlite:${folder}/telle.db` } };
      const [token, acked] = await withServer(options, async (server) => {
        const guest = await server.customer('g1');
        for (let count = 0; count < 100; count += 1) guest.send('customer_message', say(`${count}`), `id-${count}`);
        await answers(guest, 30);
        await server.app.close(); // in the midst of it
        await guest.closed;
        return [
          guest.session.token,
          guest.frames.filter(({ channel }) => channel === 'ack').map(({ payload }) => payload),
        ];
      });
      await withServer(options, async (server) => {
        const stored = await server.store.events(DEALER, 'g1', { limit: 200 });
        const receipts = stored.map(({ id, scope, seq, at }) => ({
          id,
          scope,
          seq,
          at: new Date(at).toISOString(),
          duplicate: false,
        }));
        assert.ok(acked.length >= 30);
        assert.deepEqual(receipts, acked, 'what was stored was acked, and what was acked was stored');
        const guest = await server.customer('g1', { token, since: { g1: 0 } });
        assert.equal(guest.session.seqs.g1, acked.length);
        const { seq } = await guest.ask('customer_message', say('again'));
        assert.equal(seq, acked.length + 1);
        assert.deepEqual(guest.seqs('g1'), upTo(acked.length + 1));
      });
    }));
});

describe('[P-8.4] a repeat', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer(FAST);
  });
  after(() => server.close());

  test('is acked with the first seq and duplicate true, and nobody hears it again', async () => {
    const [guest, witness] = [await server.customer('g1'), await server.server()];
    const first = await guest.ask('customer_message', say('hello'), 'k');
    await guest.ask('customer_message', say('between'));
    const again = await guest.ask('customer_message', say('hello, or anything else'), 'k');
    assert.deepEqual(again, { ...first, duplicate: true });
    await witness.settled();
    assert.deepEqual(
      witness.events('g1').map(({ payload }) => payload.message),
      ['hello', 'between'],
    );
    assert.equal((await guest.ask('customer_message', say('after'))).seq, 3);
  });

  test('is known from another tab, after a new join, and among others in the same moment', async () => {
    const guest = await server.customer('g2');
    const tab = await server.customer('g2', { token: guest.session.token });
    const first = await guest.ask('customer_message', say('hello'), 'k');
    assert.deepEqual(await tab.ask('customer_message', say('hello'), 'k'), { ...first, duplicate: true });
    for (const id of ['x', 'y', 'x', 'y', 'x']) guest.send('customer_message', say(id), id);
    const acks = (await answers(guest, 6)).slice(1).map(({ id, seq, duplicate }) => `${id} ${seq} ${duplicate}`);
    assert.deepEqual(acks.sort(), ['x 2 false', 'x 2 true', 'x 2 true', 'y 3 false', 'y 3 true']);
    assert.deepEqual(tab.seqs('g2'), [1, 2, 3]);
  });

  test('is none where the sender or the scope is another', async () => {
    const [guest, agent, other] = [await server.customer('g3'), await server.admin('a1'), await server.admin('a2')];
    await server.customer('g4');
    const crm = await server.server();
    const told = [
      await guest.ask('customer_message', say('a', 'g3'), 'k'),
      await agent.ask('admin_message', say('b', 'g3'), 'k'),
      await other.ask('admin_message', say('c', 'g3'), 'k'),
      await crm.ask('event', botSays('d', 'g3'), 'k'),
      await agent.ask('admin_message', say('e', 'g4'), 'k'),
      await agent.ask('sys_message', { type: 'SYS_MSG', message: 'f' }, 'k'),
    ];
    const seen = told.map(({ scope, seq, duplicate }) => `${scope} ${seq} ${duplicate}`);
    assert.deepEqual(seen, ['g3 1 false', 'g3 2 false', 'g3 3 false', 'g3 4 false', 'g4 1 false', '@dealer 1 false']);
    const desk = { type: 'UPDATE_USER', groupId: 'g3', message: {} };
    const { seq } = await agent.ask('admin_update', desk, 'k');
    assert.deepEqual(
      await agent.ask('admin_update', { ...desk, groupId: 'g4' }, 'k').then(({ seq, duplicate }) => [seq, duplicate]),
      [seq, true],
    );
  });

  test('is none where the first was refused: the id is free', async () => {
    const crm = await server.server();
    await crm.ask('event', { type: 'MUTE_BOT', groupId: 'g5', adminId: 'a1' });
    assert.equal((await crm.ask('event', botSays('a', 'g5'), 'k')).code, 'bot_muted');
    await crm.ask('event', { type: 'UNMUTE_BOT', groupId: 'g5', adminId: 'a1' });
    const { seq, duplicate } = await crm.ask('event', botSays('a', 'g5'), 'k');
    assert.deepEqual([seq, duplicate], [3, false]);
    await crm.ask('event', { type: 'MUTE_BOT', groupId: 'g5', adminId: 'a1' });
    const again = await crm.ask('event', botSays('a', 'g5'), 'k');
    assert.deepEqual([again.seq, again.duplicate], [3, true], 'it was taken, whatever has come since');
  });

  test('of what is not stored is passed on again', async () => {
    const [guest, witness] = [await server.customer('g6'), await server.server()];
    for (let count = 0; count < 2; count += 1) {
      assert.deepEqual(await guest.ask('typing', { type: 'TYPING', typing: true }, 'k'), { channel: 'ack', id: 'k' });
      await witness.next('TYPING');
    }
  });
});

describe('[P-8.5] while the database is away', () => {
  test('every send is answered unavailable and retryable, and the same id is stored once when it is back', async () => {
    let isAway = false;
    const server = await startServer({
      ...FAST,
      wrapStore: (store) =>
        overriding(store, {
          commit: async (needs, work) => {
            if (isAway) throw new Error('disk I/O error');
            return store.commit(needs, work);
          },
        }),
    });
    try {
      const [guest, agent, crm] = [await server.customer('g1'), await server.admin('a1'), await server.server()];
      await guest.ask('customer_message', say('before'));
      isAway = true;
      const sends: readonly (readonly [Client, string, object])[] = [
        [guest, 'customer_message', say('hello')],
        [guest, 'typing', { type: 'TYPING', typing: true }],
        [guest, 'read', { type: 'READ', seq: 1 }],
        [agent, 'admin_message', say('hello', 'g1')],
        [agent, 'sys_message', { type: 'SYS_MSG', message: 'hello' }],
        [crm, 'event', botSays('hello', 'g1')],
      ];
      for (const [index, [client, channel, payload]] of sends.entries()) {
        const { message, ...error } = await client.ask(channel, payload, `k${index}`);
        assert.deepEqual(error, { channel: 'error', id: `k${index}`, code: 'unavailable', retryable: true });
        assert.ok(!message.includes('disk'), 'how it failed is for the log alone');
      }
      const late = await server.connect();
      late.send('client_join', { type: 'CLIENT_JOIN', dealerId: DEALER, groupId: 'g2' });
      assert.equal((await late.next('error')).payload.code, 'unavailable');
      isAway = false;
      for (const [index, [client, channel, payload]] of sends.entries()) {
        const { channel: answer, duplicate } = await client.ask(channel, payload, `k${index}`);
        assert.deepEqual([answer, duplicate ?? false], ['ack', false]);
      }
      assert.equal((await guest.ask('customer_message', say('hello'), 'k0')).duplicate, true);
      await agent.settled();
      assert.deepEqual(agent.seqs('g1'), [1, 2, 3, 4]);
      const messages = agent.events('g1').map(({ payload }) => payload.message);
      assert.deepEqual(messages, ['before', 'hello', 'hello'], 'and its own, which was acked');
      late.send('client_join', { type: 'CLIENT_JOIN', dealerId: DEALER, groupId: 'g2' });
      assert.equal((await late.next('session')).payload.groupId, 'g2');
    } finally {
      await server.close();
    }
  });
});
