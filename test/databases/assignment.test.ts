/** [P-12.4] Two agents who answer the same customer at once, on two nodes: one is taken, and of the other's nothing is stored. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MEMORY } from '../../schemas/settings.ts';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import type { Command } from '../../src/domain/state.ts';
import type { Journal } from '../../src/journal/journal.ts';
import type { Store } from '../../src/store/store.ts';
import { anySeed, Dice } from '../support/chance.ts';
import { journalOn } from '../support/journal.ts';
import { makeDatabase } from '../support/postgres.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

const ROUNDS = 10_000;
/** Rounds under way, and dealers that they are of. */
const AT_ONCE = 200;
const DEALERS = 10;

const answer = (dealerId: string, groupId: string, adminId: string): Command => ({
  ...{ role: 'admin', sender: `admin:${adminId}`, key: null },
  body: { type: 'UPDATE_MSG', dealerId, groupId, user: 'admin', adminId, message: adminId, expectAssignee: null },
});
const begin = (dealerId: string, groupId: string): Command => ({
  ...{ role: 'server', sender: 'server:crm', key: null },
  body: { type: 'UPDATE_MSG', dealerId, groupId, user: 'customer', message: 'hello' },
});

async function later(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
}

/** One customer whom two agents answer. @returns who was taken */
async function round(nodes: readonly Journal[], store: Store, dice: Dice, place: number): Promise<string> {
  const [dealerId, groupId] = [`d${place % DEALERS}`, `g${place}`];
  const one = nodes[0] ?? assert.fail('no node');
  await one.append(begin(dealerId, groupId));
  const said = await Promise.all(
    ['ann', 'bob'].map(async (adminId) => {
      const node = dice.pick(nodes);
      await later(dice.below(4));
      const outcome = await node.append(answer(dealerId, groupId, adminId));
      return { adminId, code: 'refusal' in outcome ? outcome.refusal.code : 'taken' };
    }),
  );
  assert.deepEqual(said.map(({ code }) => code).sort(), ['conflict', 'taken']);
  const { adminId = '' } = said.find(({ code }) => code === 'taken') ?? {};
  const events = await store.events(dealerId, groupId, { limit: 10 });
  const told = events.map(({ type, payload }) => [type, JSON.parse(payload).assignee ?? JSON.parse(payload).adminId]);
  const taken = [...['ASSIGNED', 'MUTE_STATUS', 'CHAT_MSG'].map((type) => [type, adminId])];
  assert.deepEqual(told, [['CHAT_MSG', undefined], ...taken]);
  return adminId;
}

const DATABASES = {
  SQLite: async () => {
    const store = openStore(readSettings({ DATABASE_URL: `sqlite:${MEMORY}` }));
    return [store, store];
  },
  Postgres: async () => {
    const settings = readSettings({ DATABASE_URL: await makeDatabase(postgres) });
    return [openStore(settings), openStore(settings)];
  },
};

describe('[P-12.4] two agents who answer at once', { timeout: 300_000 }, () => {
  for (const [database, open] of Object.entries(DATABASES)) {
    it(`are told so before anything of the second is stored: ${database}`, async () => {
      const seed = Number(process.env.ASSIGN_SEED ?? anySeed());
      console.log({ ASSIGN_SEED: seed });
      const dice = new Dice(seed);
      const stores = await open();
      const [store = assert.fail('no store')] = stores;
      await store.migrate();
      const nodes = stores.map((each) => journalOn(each, { policy: { autoMute: true, autoAssign: true } }));
      try {
        const won: Record<string, number> = { ann: 0, bob: 0 };
        for (let from = 0; from < ROUNDS; from += AT_ONCE) {
          const places = Array.from({ length: AT_ONCE }, (_, index) => from + index);
          for (const who of await Promise.all(places.map((place) => round(nodes, store, dice, place)))) {
            won[who] = (won[who] ?? 0) + 1;
          }
        }
        console.log({ database, won });
        assert.ok(
          Object.values(won).every((count) => count > ROUNDS / 10),
          'either may be first',
        );
      } finally {
        for (const node of nodes) await node.close();
        await Promise.all([...new Set(stores)].map((each) => each.close()));
      }
    });
  }
});
