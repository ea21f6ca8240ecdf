/** [P-11.4] What was erased is nowhere: every table is searched for everything that its customer ever said or was called. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Body } from '../../schemas/accepted.ts';
import type { Command } from '../../src/domain/state.ts';
import type { Store } from '../../src/store/store.ts';
import { journalOn } from '../support/journal.ts';

/** A word that is in everything of the customer, and in nothing else. */
export const WORD = 'zebra';
const GROUP = `${WORD}-1`;

const at = { dealerId: 'd1', groupId: GROUP };
const profile = { name: WORD, email: `${WORD}@mail.example`, pets: [{ [WORD]: WORD }] };
const byAdmin = { user: 'admin', adminId: 'a1' } as const;

/** Whatever can be said by and of a customer. */
const BODIES: readonly Body[] = [
  { type: 'UPDATE_MSG', ...at, user: 'customer', message: `I am ${WORD}` },
  { type: 'UPDATE_MSG', ...at, user: 'bot', message: `Hello ${WORD}` },
  { type: 'UPDATE_CHAT', ...at, ...byAdmin, online: true },
  { type: 'UPDATE_MSG', ...at, ...byAdmin, message: `Hello ${WORD}` },
  { type: 'UPDATE_CHAT', ...at, user: 'customer', online: true },
  { type: 'UPDATE_GROUP', ...at, online: true },
  { type: 'UPDATE_USER', ...at, message: profile },
  { type: 'UPDATE_PAGEVIEW', ...at, message: { url: `https://cars.example/${WORD}` } },
  { type: 'UPDATE_LEAD', ...at, message: { comments: WORD, vehicle: { vin: WORD } } },
  { type: 'CREATE_LEAD_INTENT', ...at, message: { intent: WORD, notes: WORD } },
  { type: 'UPDATE_LEAD_INTENT', ...at, message: { intent: WORD, status: WORD } },
  { type: 'CLOSE_CHAT', ...at, user: 'customer' },
  { type: 'UPDATE_MSG', ...at, user: 'customer', message: `${WORD} again` },
];

/** Has a conversation of a customer whose every word is {@link WORD}, beside one that has nothing of it. */
export async function converseAndErase(store: Store, meanwhile: () => Promise<void>): Promise<void> {
  await store.putDealer('d1', { name: 'Demo' });
  const journal = journalOn(store);
  const append = async (body: Command['body'], key: string | null = null) => {
    const role = body.type === 'CLIENT_JOIN' ? 'customer' : 'server';
    const sender = body.type === 'ERASE_GROUP' ? 'admin:a1' : `customer:${GROUP}`;
    const outcome = await journal.append({ role, sender, key, body });
    assert.ok(!('refusal' in outcome), JSON.stringify(outcome));
  };
  await append({
    type: 'CLIENT_JOIN',
    ...at,
    online: true,
    node: 'n1',
    entry: { by: 'claim', id: undefined, at: 0, isHere: false },
  });
  for (const [index, body] of BODIES.entries()) await append(body, `${WORD}-${index}`);
  const other: Command['body'] = {
    type: 'UPDATE_MSG',
    ...at,
    groupId: 'g2',
    user: 'customer',
    message: 'I am an okapi',
  };
  await journal.append({ role: 'server', sender: 'server:crm', key: null, body: other });
  const why = { code: 'invalid_payload', message: 'name: expected a string', details: [], at: 1 } as const;
  const refused = { type: 'UPDATE_USER', ...at, message: { name: 5, nickname: WORD } };
  await store.bury([{ deadLetterId: 'l1', source: 'ingress', payload: JSON.stringify(refused), ...why }]);
  await meanwhile();
  await append({ type: 'ERASE_GROUP', ...at, erasureId: 'receipt-1', reason: 'request' });
  await journal.close();
}

interface Opened {
  readonly store: Store;
  /** Every row of every table, by the table's name, as text. */
  readonly dump: () => Promise<Map<string, string>>;
  close(): Promise<void>;
}

/** @param open opens an empty store of its own, which can be looked into by another way */
export function describeTraces(name: string, open: () => Promise<Opened>): void {
  describe(`what was erased from ${name}`, () => {
    it('is in no table any more, and everything else still is', async () => {
      const { store, dump, close } = await open();
      const tablesWith = async (word: string) =>
        [...(await dump())].flatMap(([table, text]) => (text.includes(word) ? [table] : [])).toSorted();
      try {
        await store.migrate();
        const everywhere = ['chats', 'dead_letters', 'events', 'groups', 'lead_intents', 'leads', 'presences', 'users'];
        await converseAndErase(store, async () => assert.deepEqual(await tablesWith(WORD), everywhere));
        assert.deepEqual(await tablesWith(WORD), []);
        assert.deepEqual(await tablesWith('okapi'), ['events']);
        assert.deepEqual(await tablesWith('receipt-1'), ['erasing', 'erasures', 'events']);
        assert.equal(await store.scrub(), true);
        assert.deepEqual(await tablesWith('receipt-1'), ['erasures', 'events']);
      } finally {
        await close();
      }
    });
  });
}
