/** [P-6.5, P-7.4] What the dealer's people and programs did stands: a customer adds its own word, and takes nothing back. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { MAX_INTENTS } from '../../src/domain/records.ts';
import type { Client } from '../support/client.ts';
import { DATABASES, openDatabase, type TestDatabase } from '../support/database.ts';
import { DEALER, startServer, type TestServer } from '../support/server.ts';
import { Tally } from '../support/tally.ts';

for (const database of DATABASES) {
  describe(`A customer's word is not the dealer's, on ${database}`, { timeout: 60_000 }, () => {
    const tally = new Tally(`A customer's word is not the dealer's, on ${database}`);
    let db: TestDatabase;
    let server: TestServer;
    let admin: Client;
    let crm: Client;

    before(async () => {
      db = await openDatabase(database);
      server = await startServer({ settings: { DATABASE_URL: db.url, RATE_LIMIT: 'off' } });
      await server.store.putDealer(DEALER, { origins: ['*'], name: 'Demo Motors', email: 'sales@demo.example' });
      admin = await server.admin('alice');
      crm = await server.server();
    });
    after(async () => {
      tally.print();
      await server?.close();
      await db?.close();
    });

    const taken = async (client: Client, channel: string, payload: object) => {
      const answer = await client.ask(channel, payload);
      assert.equal(answer.channel, 'ack', `${answer.code}: ${answer.message}`);
    };
    const says = (customer: Client) => taken(customer, 'customer_message', { type: 'UPDATE_MSG', message: 'hello?' });
    const closes = (customer: Client) => taken(customer, 'close_chat', { type: 'CLOSE_CHAT' });
    const mutes = (groupId: string) => taken(admin, 'mute_bot', { type: 'MUTE_BOT', groupId });
    const adminCloses = (groupId: string) => taken(admin, 'close_chat', { type: 'CLOSE_CHAT', groupId });
    const serverCloses = (groupId: string, more: object = {}) =>
      taken(crm, 'event', { type: 'CLOSE_CHAT', groupId, ...more });
    const botSays = async (groupId: string) =>
      (await crm.ask('event', { type: 'UPDATE_MSG', groupId, user: 'bot', message: 'I am back' })).code;
    const updates = (customer: Client, type: string, message: object) =>
      taken(customer, 'customer_update', { type, message });
    const dealerUpdates = (groupId: string, type: string, message: object) =>
      taken(crm, 'event', { type, groupId, message });

    /** What a group's log tells of mutes and messages. */
    async function told(groupId: string) {
      const events = await server.store.events(DEALER, groupId, { limit: 100 });
      return events
        .map(({ payload }) => JSON.parse(payload))
        .filter(({ type }) => type === 'MUTE_STATUS' || type === 'CHAT_MSG')
        .map(({ type, muted, adminId, user }) => [type, muted, adminId, user]);
    }
    /** What is kept of a group in a list. */
    async function listed(list: string, groupId: string, accept = 'application/json') {
      const { statusCode, body } = await server.app.inject({
        url: `/v1/dealers/${DEALER}/${list}?groupId=${groupId}`,
        headers: { authorization: `Bearer ${await server.token('admin', 'alice')}`, accept },
      });
      assert.equal(statusCode, 200, body);
      return body;
    }
    const item = async (list: string, groupId: string) => JSON.parse(await listed(list, groupId)).items[0];

    test('a take-over is not ended by its customer, whatever it closes and writes', () =>
      tally.scenario('ends the take-over', async (attempt) => {
        const ways: readonly [string, (customer: Client, groupId: string) => Promise<void>][] = [
          ['closes', (customer) => closes(customer)],
          ['closes twice', async (customer) => [await closes(customer), await closes(customer)][0]],
          ['has a server pass its close on', (_, groupId) => serverCloses(groupId, { user: 'customer' })],
        ];
        for (const [index, [what, way]] of ways.entries()) {
          await attempt(`${what}, then writes`, async () => {
            const groupId = `taken-${index}`;
            const customer = await server.customer(groupId);
            await mutes(groupId);
            await way(customer, groupId);
            await says(customer);
            assert.equal(await botSays(groupId), 'bot_muted');
            assert.deepEqual(await told(groupId), [
              ['MUTE_STATUS', true, 'alice', undefined],
              ['CHAT_MSG', true, undefined, 'customer'],
            ]);
            const token = await server.token('admin', 'alice');
            const { body } = await server.http('GET', `/v1/dealers/${DEALER}/groups/${groupId}`, { token });
            assert.deepEqual([body.muted, body.mutedBy, body.closed], [true, 'alice', false]);
          });
        }
      }));

    test('a take-over ends with the close of an admin or a server, and the log names the customer who wrote', () =>
      tally.scenario('hides who ended it', async (attempt) => {
        const ways: readonly [string, (customer: Client, groupId: string) => Promise<void>][] = [
          ['an admin closes', (_, groupId) => adminCloses(groupId)],
          ['a server closes', (_, groupId) => serverCloses(groupId)],
          [
            'an admin closes, then the customer',
            async (customer, groupId) => [await adminCloses(groupId), await closes(customer)][0],
          ],
          [
            'the customer closes, then an admin',
            async (customer, groupId) => [await closes(customer), await adminCloses(groupId)][0],
          ],
        ];
        for (const [index, [what, way]] of ways.entries()) {
          await attempt(what, async () => {
            const groupId = `ended-${index}`;
            const customer = await server.customer(groupId);
            await mutes(groupId);
            await way(customer, groupId);
            await says(customer);
            assert.equal(await botSays(groupId), undefined);
            assert.deepEqual((await told(groupId)).slice(1, 3), [
              ['MUTE_STATUS', false, 'alice', 'customer'],
              ['CHAT_MSG', false, undefined, 'customer'],
            ]);
          });
        }
      }));

    test("a record's fields that the dealer gave are never a customer's to change or to take away", () =>
      tally.scenario('overwrites the dealer', async (attempt) => {
        const written = { status: 'qualified', comments: 'called', externalId: 'crm-1', vehicle: { vin: 'V1' } };
        const attacks: readonly object[] = [
          { status: 'lost', comments: 'spam', externalId: 'crm-666', vehicle: { vin: 'V6' } },
          { status: null, comments: null, externalId: null, vehicle: null },
          { vehicle: { vin: null } },
        ];
        for (const [type, list] of [
          ['UPDATE_USER', 'users'],
          ['UPDATE_LEAD', 'leads'],
        ] as const) {
          for (const isFirst of [false, true]) {
            for (const [index, attack] of attacks.entries()) {
              await attempt(
                `${type} ${isFirst ? 'before' : 'after'} the dealer's: ${JSON.stringify(attack)}`,
                async () => {
                  const groupId = `${list}-${isFirst}-${index}`;
                  const customer = await server.customer(groupId);
                  const steps = [() => dealerUpdates(groupId, type, written), () => updates(customer, type, attack)];
                  for (const step of isFirst ? steps.reverse() : steps) await step();
                  assert.deepEqual((await item(list, groupId)).fields, written);
                },
              );
            }
          }
        }
      }));

    test("an intent's status that the dealer set is not the customer's to win or lose", () =>
      tally.scenario('wins its own intent', async (attempt) => {
        for (const type of ['UPDATE_LEAD_INTENT', 'CREATE_LEAD_INTENT']) {
          for (const status of ['won', null]) {
            await attempt(`${type} ${status}`, async () => {
              const groupId = `intent-${type}-${status}`;
              const customer = await server.customer(groupId);
              await updates(customer, 'CREATE_LEAD_INTENT', { intent: 'buy', notes: 'soon' });
              await dealerUpdates(groupId, 'UPDATE_LEAD_INTENT', { intent: 'buy', status: 'lost' });
              await updates(customer, type, { intent: 'buy', status });
              const { fields } = await item('lead-intents', groupId);
              assert.deepEqual(fields, { intent: 'buy', notes: 'soon', status: 'lost' });
            });
          }
        }
      }));

    test('ADF gives no external id but the dealer’s', () =>
      tally.scenario('names itself in the CRM', async (attempt) => {
        const known = { name: 'Ann Lee', email: 'ann@x.example', vehicle: { year: 2024, make: 'VW', model: 'Golf' } };
        for (const type of ['UPDATE_LEAD', 'UPDATE_USER']) {
          for (const dealers of ['crm-1', null]) {
            await attempt(`${type} beside ${dealers}`, async () => {
              const groupId = `adf-${type}-${dealers}`;
              const customer = await server.customer(groupId);
              await updates(customer, 'UPDATE_LEAD', known);
              if (dealers !== null) await dealerUpdates(groupId, 'UPDATE_USER', { externalId: dealers });
              await updates(customer, type, { externalId: 'crm-666' });
              const xml = await listed('leads', groupId, 'application/x-adf+xml');
              assert.ok(!xml.includes('crm-666'), xml);
              assert.equal(xml.includes('<id source="external">crm-1</id>'), dealers !== null);
            });
          }
        }
      }));

    test('the desk can tell the customer’s word, and what it says against the dealer’s', () =>
      tally.scenario('passes for the dealer', async (attempt) => {
        await attempt('in a list', async () => {
          const customer = await server.customer('told');
          await updates(customer, 'UPDATE_LEAD', { name: 'Ann', phone: '1', status: 'hot' });
          await dealerUpdates('told', 'UPDATE_LEAD', { phone: '2', source: 'web' });
          await updates(customer, 'UPDATE_LEAD', { source: 'fair', phone: '2' });
          const { fields, customer: word } = await item('leads', 'told');
          assert.deepEqual(fields, { name: 'Ann', phone: '2', status: 'hot', source: 'web' });
          assert.deepEqual(word, { name: 'Ann', status: 'hot', source: 'fair' });
        });
        await attempt('where it has none', async () => {
          await dealerUpdates('crm', 'UPDATE_LEAD', { name: 'Ann' });
          assert.deepEqual(Object.keys(await item('leads', 'crm')), [
            'dealerId',
            'groupId',
            'fields',
            'createdAt',
            'updatedAt',
          ]);
        });
      }));

    test(`a group takes ${MAX_INTENTS} intents, and no more through any door`, () =>
      tally.scenario('adds an intent too many', async (attempt) => {
        const create = (intent: string, more: object = {}) => ({
          type: 'CREATE_LEAD_INTENT',
          message: { intent },
          ...more,
        });
        const groupId = 'wishes';
        const customer = await server.customer(groupId);
        const words = Array.from({ length: MAX_INTENTS + 10 }, (_, n) => `wish ${n}`);
        const expected = words.map((_, n) => (n < MAX_INTENTS ? 'taken' : 'too_large'));
        await attempt('a customer', async () => {
          const answers: unknown[] = [];
          for (const word of words) answers.push((await customer.ask('customer_update', create(word))).code ?? 'taken');
          assert.deepEqual(answers, expected);
        });
        await attempt('a server that adds them all at once', async () => {
          const { body } = await server.http('POST', '/v1/events', {
            token: await server.token('server', 'crm'),
            body: words.map((word) => create(word, { dealerId: DEALER, groupId: 'at-once' })),
          });
          const results: { error?: { code: string } }[] = body.results;
          assert.deepEqual(
            results.map(({ error }) => error?.code ?? 'taken'),
            expected,
          );
        });
        await attempt('an admin', async () => {
          assert.equal((await admin.ask('admin_update', create('more', { groupId }))).code, 'too_large');
        });
        await attempt('a server', async () => {
          assert.equal((await crm.ask('event', create('more', { groupId }))).code, 'too_large');
        });
        await attempt('a server over HTTP', async () => {
          const body = create('more', { dealerId: DEALER, groupId });
          const { status } = await server.http('POST', '/v1/events', {
            token: await server.token('server', 'crm'),
            body,
          });
          assert.equal(status, 413);
        });
        await attempt('only what it has', async () => {
          await updates(customer, 'CREATE_LEAD_INTENT', { intent: 'wish 1', notes: 'still taken' });
          await dealerUpdates(groupId, 'UPDATE_LEAD_INTENT', { intent: 'wish 2', status: 'won' });
        });
      }));

    test('a customer who fills a record does not keep the dealer from writing it', () =>
      tally.scenario('crowds the dealer out', async (attempt) => {
        await attempt('64 KiB of its own', async () => {
          const customer = await server.customer('full');
          for (let part = 0; part < 8; part += 1) {
            const { code } = await customer.ask('customer_update', {
              type: 'UPDATE_LEAD',
              message: { [`part ${part}`]: 'x'.repeat(8100) },
            });
            assert.equal(code, undefined);
          }
          const { code } = await customer.ask('customer_update', {
            type: 'UPDATE_LEAD',
            message: { more: 'x'.repeat(8100) },
          });
          assert.equal(code, 'too_large');
          await dealerUpdates('full', 'UPDATE_LEAD', { comments: 'c'.repeat(8000) });
          assert.equal((await item('leads', 'full')).fields.comments.length, 8000);
        });
      }));
  });
}
