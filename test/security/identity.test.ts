/** [P-5] Identity comes from the session: nobody speaks as somebody else, nor is believed what only the server knows. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { SENDS } from '../../schemas/table.ts';
import { Attacker, joinOf, type Party } from '../support/attacker.ts';
import type { Client } from '../support/client.ts';
import { DATABASES, openDatabase, type TestDatabase } from '../support/database.ts';
import { genuine } from '../support/forge.ts';
import { sampleOf } from '../support/samples.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { Tally } from '../support/tally.ts';

const DEALER = 'd';
const exp = Math.floor(Date.now() / 1000) + 3600;
const CUSTOMER: Party = { role: 'customer', dealer: DEALER, sub: 'g', exp };
const ADMIN: Party = { role: 'admin', dealer: DEALER, sub: 'alice', exp };
const BOT: Party = { role: 'server', dealer: DEALER, sub: 'bot', exp };

/** Who speaks, as a payload says it where it must. */
const userOf = ({ party: { role } }: Attacker) => (role === 'server' ? 'customer' : role);

const message = (more: object = {}) => ({ type: 'UPDATE_MSG', message: 'hello', ...more });

for (const database of DATABASES) {
  describe(`Identity comes from the session, on ${database}`, { timeout: 60_000 }, () => {
    const tally = new Tally(`Identity comes from the session, on ${database}`);
    let db: TestDatabase;
    let server: TestServer;
    let at = '';
    let customer: Attacker;
    let admin: Attacker;
    let bot: Attacker;
    let witness: Client;

    before(async () => {
      db = await openDatabase(database);
      server = await startServer({
        settings: { DATABASE_URL: db.url, RATE_LIMIT: 'off' },
        timing: { presenceGrace: 60_000, closeTimeout: 50 },
      });
      at = await server.listen();
      await server.store.putDealer(DEALER, { origins: ['*'] });
      [customer, admin, bot] = [CUSTOMER, ADMIN, BOT].map((who) => new Attacker(server, at, who)) as [
        Attacker,
        Attacker,
        Attacker,
      ];
      for (const each of [customer, admin, bot]) await each.joined();
      witness = await new Attacker(server, at, { ...BOT, sub: 'witness' }).joined();
    });
    after(async () => {
      tally.print();
      await server?.close();
      await db?.close();
    });

    /** The frames that the witness is given while something is done. */
    async function heard(done: () => Promise<unknown>) {
      await witness.settled();
      const from = witness.frames.length;
      await done();
      await witness.settled();
      return witness.frames.slice(from).filter(({ channel }) => channel !== 'pong');
    }

    /** That something is refused with this code, and that nobody hears of it. */
    async function assertRefused(asked: () => Promise<{ code?: string }>, code: string) {
      const frames = await heard(async () => assert.equal((await asked()).code, code));
      assert.deepEqual(frames, []);
    }

    /** Opens a socket that has sent one frame, and answers how that was answered and the socket closed. */
    async function tryJoin(who: Party, token: string | undefined, more: object = {}) {
      const client = await server.dial(at);
      const { channel, payload } = joinOf(who, token, more);
      const { code } = await client.ask(channel, payload);
      return { client, code, close: code === 'unauthorized' ? await client.closed : null };
    }

    test('a customer speaks on no channel but its own', () =>
      tally.scenario('a customer × the channels of others', async (attempt) => {
        for (const role of ['admin', 'server'] as const) {
          for (const [channel, schemas] of Object.entries(SENDS[role])) {
            if (Object.hasOwn(SENDS.customer, channel)) continue;
            for (const schema of schemas) {
              const payload = sampleOf(schema, { dealerId: DEALER, groupId: 'g', adminId: 'alice', user: 'admin' });
              await attempt(`${channel} ${schema.properties.type.const}`, () =>
                assertRefused(() => customer.ask(channel, payload), 'forbidden'),
              );
            }
          }
        }
        // A type of another channel, on its own.
        for (const channel of Object.keys(SENDS.customer)) {
          for (const type of [
            'UNMUTE_BOT',
            'MUTE_BOT',
            'SYS_MSG',
            'CHAT_MSG',
            'CLIENT_JOIN',
            '__proto__',
            'toString',
          ]) {
            await attempt(`${channel} ${type}`, () =>
              assertRefused(() => customer.ask(channel, message({ type })), 'invalid_payload'),
            );
          }
        }
        for (const channel of ['__proto__', 'constructor', 'hasOwnProperty', 'CHAT_MESSAGE', 'session', 'ack', '']) {
          await attempt(`channel ${channel}`, () =>
            assertRefused(() => customer.ask(channel, message()), 'unknown_channel'),
          );
        }
      }));

    test('a customer is nobody but the customer, whatever it says of itself', () =>
      tally.scenario('a customer says who it is', async (attempt) => {
        for (const user of ['admin', 'bot', 'server', 'Customer', 'customer ', '']) {
          for (const [channel, payload] of [
            ['customer_message', message({ user })],
            ['close_chat', { type: 'CLOSE_CHAT', user }],
            ['typing', { type: 'TYPING', typing: true, user }],
            ['read', { type: 'READ', seq: 1, user }],
          ] as const) {
            await attempt(`${channel} as ${user}`, () =>
              assertRefused(() => customer.ask(channel, payload), 'forbidden'),
            );
          }
        }
        for (const adminId of ['alice', 7, '', {}, null]) {
          await attempt(`with the adminId ${JSON.stringify(adminId)}`, async () => {
            const frames = await heard(() => customer.ask('customer_message', message({ adminId })));
            assert.deepEqual(
              frames.map(({ payload }) => [payload.type, payload.user, payload.adminId]),
              [['CHAT_MSG', 'customer', undefined]],
            );
          });
        }
        await attempt('with what an event has', async () => {
          const said = { dealerId: DEALER, sender: 'admin:alice', role: 'admin', session: { role: 'admin' }, at: 0 };
          const [frame] = await heard(() =>
            customer.ask('customer_message', message(said), { scope: '@dealer', seq: 9 }),
          );
          assert.deepEqual([frame?.payload.user, frame?.scope], ['customer', 'g']);
          assert.deepEqual(Object.keys(frame?.payload).sort(), [
            'dealerId',
            'groupId',
            'message',
            'muted',
            'type',
            'unread',
            'user',
            'waiting',
          ]);
        });
      }));

    test('an identity of a kind that nobody has is refused, whether the event knows the field or not', () =>
      tally.scenario('identity fields × kinds × every send', async (attempt) => {
        for (const [attacker, fields] of [
          [customer, ['dealerId', 'groupId', 'user']],
          [admin, ['dealerId', 'adminId', 'user']],
          [bot, ['dealerId']],
        ] as const) {
          for (const [channel, schemas] of Object.entries(SENDS[attacker.party.role])) {
            for (const schema of schemas) {
              const sample = sampleOf(schema, {
                dealerId: DEALER,
                groupId: 'g',
                adminId: 'alice',
                user: userOf(attacker),
              });
              // An adminId that is null names nobody: the admin's own stands in its place.
              for (const [field, value] of fields.flatMap((field) =>
                [{}, true, ...(field === 'adminId' ? [] : [null])].map((kind) => [field, kind] as const),
              )) {
                await attempt(`${channel} ${schema.properties.type.const} ${field} ${JSON.stringify(value)}`, () =>
                  assertRefused(
                    () => attacker.ask(channel, Object.assign({}, sample, { [field]: value })),
                    'invalid_payload',
                  ),
                );
              }
            }
          }
        }
      }));

    test('a customer unmutes nothing, and what it says of muted, unread and online is not believed', () =>
      tally.scenario('a customer against the mute', async (attempt) => {
        assert.equal((await admin.ask('mute_bot', { type: 'MUTE_BOT', groupId: 'g' })).channel, 'ack');
        for (const muted of [false, true]) {
          await attempt(`a message that says muted ${muted}`, async () => {
            const frames = await heard(() => customer.ask('customer_message', message({ muted, unread: 0 })));
            assert.deepEqual(
              frames.map(({ payload: { type, muted: is, unread } }) => [type, is, unread > 0]),
              [['CHAT_MSG', true, true]],
            );
          });
        }
        await attempt('a join that says so', async () => {
          const { client, code } = await tryJoin(CUSTOMER, genuine(CUSTOMER), {
            muted: false,
            online: false,
            unread: 0,
          });
          assert.equal(code, undefined);
          const { payload } = client.frames.find(({ channel }) => channel === 'session') ?? assert.fail('no session');
          assert.deepEqual([payload.muted, payload.unread > 0, payload.role], [true, true, 'customer']);
        });
        await attempt('the bot is muted still', () =>
          assertRefused(() => bot.ask('event', message({ groupId: 'g', user: 'bot' })), 'bot_muted'),
        );
        assert.equal((await admin.ask('mute_bot', { type: 'UNMUTE_BOT', groupId: 'g' })).channel, 'ack');
        await attempt('control: an unmuted bot speaks', async () => {
          const answer = await bot.ask('event', message({ groupId: 'g', user: 'bot' }));
          assert.equal(answer.channel, 'ack');
        });
      }));

    test('a customer reads nothing of the desk, live, replayed or over HTTP', () =>
      tally.scenario('a customer against the desk', async (attempt) => {
        const client = await customer.joined();
        const from = client.frames.length;
        const busy = [
          ['event', { type: 'UPDATE_USER', groupId: 'g', message: { email: 'own@mail.example' } }],
          ['event', { type: 'UPDATE_LEAD', groupId: 'g', message: { status: 'hot' } }],
          ['event', { type: 'CREATE_LEAD_INTENT', groupId: 'g', message: { intent: 'buy' } }],
          ['event', { type: 'UPDATE_PAGEVIEW', groupId: 'g', message: { url: 'https://a.example' } }],
          ['event', { type: 'UPDATE_CHAT', adminId: 'bob', user: 'admin', online: true }],
          ['event', { type: 'UPDATE_GROUP', groupId: 'another', online: true }],
          ['event', message({ groupId: 'another', user: 'customer' })],
        ] as const;
        for (const [channel, payload] of busy) assert.equal((await bot.ask(channel, payload)).channel, 'ack');
        await client.settled();
        await attempt('live', () => {
          const news = client.frames.slice(from).filter(({ channel }) => channel !== 'pong');
          assert.deepEqual(news, []);
        });
        await attempt('since', async () => {
          const joined = await tryJoin(CUSTOMER, genuine(CUSTOMER), { since: { '@desk': 0 } });
          await joined.client.settled();
          const session = joined.client.frames.find(({ channel }) => channel === 'session');
          assert.deepEqual(session?.payload.recovered, { '@desk': false });
          assert.deepEqual(joined.client.events('@desk'), []);
          assert.equal(session?.payload.seqs['@desk'], undefined);
        });
        for (const scope of ['another', '@other', '@', '*', '@desk ', '@Desk', '__proto__']) {
          await attempt(`since ${scope}`, async () => {
            const { code } = await tryJoin(CUSTOMER, genuine(CUSTOMER), { since: JSON.parse(`{"${scope}":0}`) });
            assert.equal(code, 'forbidden');
          });
        }
        for (const scope of ['@desk', '%40desk', 'another', '@other']) {
          await attempt(`HTTP ${scope}`, async () => {
            const { status } = await server.http('GET', `/v1/dealers/${DEALER}/scopes/${scope}/events`, {
              token: genuine(CUSTOMER),
            });
            assert.equal(status, 404);
          });
        }
      }));

    test('a group that exists is joined by its token alone: online, offline, closed or by a number', () =>
      tally.scenario('claims of groups that exist', async (attempt) => {
        await bot.ask('event', { type: 'UPDATE_GROUP', groupId: 7, online: false });
        await bot.ask('event', { type: 'CLOSE_CHAT', groupId: 'closed' });
        await bot.ask('event', { type: 'UPDATE_USER', groupId: '__proto__', message: { name: 'x' } });
        for (const groupId of ['g', 7, '7', 'closed', '__proto__', 'another']) {
          await attempt(`claim ${JSON.stringify(groupId)}`, () =>
            assertRefused(async () => {
              const { code, close } = await tryJoin(CUSTOMER, undefined, { groupId });
              assert.equal(close, 4401);
              return { code };
            }, 'unauthorized'),
          );
        }
        for (let round = 0; round < 5; round += 1) {
          await attempt(`twenty claim at once, ${round}`, async () => {
            const claims = Array.from({ length: 20 }, () => tryJoin({ ...CUSTOMER, sub: `race-${round}` }, undefined));
            const codes = (await Promise.all(claims)).map(({ code }) => code);
            assert.equal(codes.filter((code) => code === undefined).length, 1);
            assert.equal(codes.filter((code) => code === 'unauthorized').length, 19);
          });
        }
        await attempt('the claim that won is no key to another group', async () => {
          const { client } = await tryJoin({ ...CUSTOMER, sub: 'mine' }, undefined);
          const { token } = client.frames.find(({ channel }) => channel === 'session')?.payload ?? {};
          assert.equal(typeof token, 'string');
          assert.equal((await tryJoin(CUSTOMER, token)).code, 'unauthorized');
        });
        await attempt('a group that the server names cannot be guessed', async () => {
          const names = new Set<string>();
          for (let count = 0; count < 20; count += 1) {
            const { client } = await tryJoin(CUSTOMER, undefined, { groupId: undefined });
            names.add(client.frames.find(({ channel }) => channel === 'session')?.payload.groupId);
          }
          assert.equal(names.size, 20);
          for (const name of names)
            assert.match(name, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        });
      }));

    test('an admin is no colleague, no customer and no bot', () =>
      tally.scenario('an admin says who it is', async (attempt) => {
        for (const [channel, schemas] of Object.entries(SENDS.admin)) {
          for (const schema of schemas) {
            const own = { dealerId: DEALER, groupId: 'g', adminId: 'alice', user: 'admin' };
            const type = schema.properties.type.const;
            for (const adminId of ['bob', 'Alice', 'alice ', 0]) {
              await attempt(`${channel} ${type} as ${adminId}`, () =>
                assertRefused(() => admin.ask(channel, { ...Object(sampleOf(schema, own)), adminId }), 'forbidden'),
              );
            }
            for (const user of ['customer', 'bot']) {
              await attempt(`${channel} ${type} as ${user}`, () =>
                assertRefused(() => admin.ask(channel, { ...Object(sampleOf(schema, own)), user }), 'forbidden'),
              );
            }
          }
        }
        await attempt('without an adminId it is still itself', async () => {
          const frames = await heard(() => admin.ask('admin_message', message({ groupId: 'g' })));
          assert.deepEqual(new Set(frames.map(({ payload }) => payload.adminId)), new Set(['alice']));
        });
      }));

    test('nobody is somebody else by a second join or by a new token', () =>
      tally.scenario('a socket changes who it is', async (attempt) => {
        const others: readonly Party[] = [
          CUSTOMER,
          ADMIN,
          BOT,
          { ...BOT, dealer: '*' },
          { ...CUSTOMER, sub: 'another' },
        ];
        for (const who of [CUSTOMER, ADMIN, BOT]) {
          for (const other of others.filter((each) => each !== who)) {
            await attempt(`${who.role} joins again as ${other.role} ${other.sub}`, async () => {
              const { client } = await tryJoin(who, genuine(who));
              const { channel, payload } = joinOf(other, genuine(other));
              assert.equal((await client.ask(channel, payload)).code, 'already_joined');
              assert.equal(client.frames.filter((frame) => frame.channel === 'session').length, 1);
            });
            await attempt(`${who.role} refreshes as ${other.role} ${other.sub}`, async () => {
              const { client } = await tryJoin(who, genuine(who));
              assert.equal((await client.ask('refresh', { token: genuine(other) })).code, 'unauthorized');
              assert.equal(await client.closed, 4401);
            });
          }
        }
      }));

    test("nobody's id takes the place of somebody else's", () =>
      tally.scenario('the same id from many senders', async (attempt) => {
        await bot.ask('event', { type: 'UPDATE_GROUP', groupId: 'ids', online: true });
        const senders: readonly Party[] = [
          { ...CUSTOMER, sub: 'ids' },
          ADMIN,
          { ...ADMIN, sub: 'ids' },
          { ...ADMIN, sub: 'customer:ids' },
          { ...BOT, sub: 'ids' },
          { ...BOT, sub: 'admin:alice' },
          { ...BOT, sub: 'customer:ids' },
          { ...BOT, sub: 'alice' },
        ];
        const channels = { customer: 'customer_message', admin: 'admin_message', server: 'event' };
        const seqs = new Set<number>();
        for (const who of senders) {
          await attempt(`${who.role} ${who.sub}`, async () => {
            const { client } = await tryJoin(who, genuine(who));
            const user = who.role === 'server' ? { user: 'customer' } : {};
            const answer = await client.ask(channels[who.role], message({ groupId: 'ids', ...user }), 'the-same-id');
            assert.deepEqual([answer.channel, answer.duplicate], ['ack', false], JSON.stringify(answer));
            assert.ok(!seqs.has(answer.seq));
            seqs.add(answer.seq);
          });
        }
      }));

    test('a server is of its dealer, and does not read for others', () =>
      tally.scenario('a server says who it is', async (attempt) => {
        for (const dealerId of ['other', '*', 'D', 0]) {
          for (const schema of SENDS.server.event ?? []) {
            const payload = sampleOf(schema, { dealerId, groupId: 'g', adminId: 'alice', user: 'admin' });
            await attempt(`${schema.properties.type.const} of ${dealerId}`, () =>
              assertRefused(() => bot.ask('event', payload), 'forbidden'),
            );
          }
        }
        for (const user of ['admin', 'customer']) {
          await attempt(`READ as ${user}`, () =>
            assertRefused(
              () => bot.ask('event', { type: 'READ', groupId: 'g', adminId: 'alice', user, seq: 1 }),
              'invalid_payload',
            ),
          );
        }
        await attempt('a join to all dealers', async () => {
          const { code, close } = await tryJoin({ ...BOT, dealer: '*' }, genuine(BOT));
          assert.deepEqual([code, close], ['unauthorized', 4401]);
        });
      }));
  });
}
