/** Parts of lists that are bounded in bytes: what does not fit is not read, and what is left out is found behind it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Bounds } from '../../src/store/bounded.ts';
import type { Store } from '../../src/store/store.ts';
import { eventRow, groupRow, known, NOW, write } from '../support/rows.ts';
import type { WithStore } from './with-store.ts';

/** So many rows of each list, each longer than the one before. */
const ROWS = 30;
/** What a row may count for beside its text, in bytes. */
const MOST_BESIDE = 1024;

/** A text of three bytes a character: characters are not what counts. */
const textOf = (index: number) => '€'.repeat(index * 20);
const nameOf = (index: number) => `g${String(index).padStart(2, '0')}`;

async function fill(store: Store): Promise<void> {
  for (let index = 0; index < ROWS; index += 1) {
    const [name, text] = [nameOf(index), textOf(index)];
    const message = JSON.stringify({ type: 'CHAT_MSG', message: text });
    const view = JSON.stringify({ type: 'UPDATE_PAGEVIEW', message: { title: text } });
    await write(store, {
      groups: { [`d1/${name}`]: groupRow({ lastSeq: 1, lastMessageSeq: 1 }) },
      users: { [`d1/${name}`]: known({ text }) },
      leads: { [`d1/${name}`]: known({ text }) },
      intents: { [`d1/${name}/buy`]: known({ text }) },
      events: [
        eventRow('d1', name, 1, { payload: message }),
        eventRow('d1', '@desk', index + 1, { type: 'UPDATE_PAGEVIEW', groupId: name, payload: view }),
      ],
      at: NOW + index,
    });
  }
  await store.bury(
    Array.from({ length: ROWS }, (_, index) => ({
      deadLetterId: nameOf(index),
      source: 'ingress' as const,
      payload: textOf(index),
      code: 'invalid_payload' as const,
      message: 'type: required',
      details: [],
      at: NOW,
    })),
  );
}

/** The lists: how each is read from its beginning. */
const LISTS: Readonly<Record<string, (store: Store, bounds: Bounds) => Promise<readonly object[]>>> = {
  groups: async (store, bounds) => (await store.groups('d1', {}, bounds)).groups,
  'groups by name': (store, bounds) => store.groupsByName('d1', '', bounds),
  users: (store, bounds) => store.records('users', 'd1', bounds),
  leads: (store, bounds) => store.records('leads', 'd1', bounds),
  intents: (store, bounds) => store.records('lead_intents', 'd1', bounds),
  'leads with their users': (store, bounds) => store.recordsOfUsers('leads', 'd1', bounds),
  'page views': (store, bounds) => store.pageviews('d1', bounds),
  log: (store, bounds) => store.log('d1', null, bounds),
  'dead letters': (store, bounds) => store.deadLetters('', bounds),
};

const sizeOf = (rows: readonly object[]) =>
  rows.reduce((size, row) => size + Buffer.byteLength(JSON.stringify(row)), 0);

export function describeBounds(withStore: WithStore): void {
  describe('a part of so many bytes', () => {
    for (const [name, read] of Object.entries(LISTS)) {
      it(
        `of ${name} is the rows from the beginning that fit, but at least one, and never more than the limit`,
        withStore(async (store) => {
          await fill(store);
          const all = await read(store, { limit: 1000 });
          assert.ok(all.length >= ROWS);
          for (const bytes of [1, 300, 3000, 10_000, 30_000, 10_000_000]) {
            const part = await read(store, { limit: 1000, bytes });
            assert.deepEqual(part, all.slice(0, part.length), `${bytes} bytes`);
            assert.ok(part.length >= 1);
            const texts = part.reduce((sum, row) => sum + 3 * (JSON.stringify(row).split('€').length - 1), 0);
            assert.ok(part.length === 1 || texts <= bytes, `${texts} of ${bytes} bytes`);
            const next = all.slice(0, part.length + 1);
            const isWhole = part.length === all.length;
            assert.ok(isWhole || sizeOf(next) + MOST_BESIDE * next.length > bytes, `${part.length} are too few`);
            assert.deepEqual(await read(store, { limit: 2, bytes }), part.slice(0, 2));
          }
        }),
      );
    }
  });
}
