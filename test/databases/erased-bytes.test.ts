/** [P-11.4] Erased means overwritten: the files of an embedded database are searched for what was said, while others chat on. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { eventRows, write } from '../support/rows.ts';
import { DEALER, inFolder, withServer } from '../support/server.ts';
import { withFile } from '../support/sqlite-file.ts';
import { until } from '../support/until.ts';

/** In everything that is erased, and in nothing else. */
const WORD = 'zebra';

/** How often a word is in the files of a database. */
async function occurrences(file: string, word: string): Promise<number> {
  const files = await Promise.all(
    ['', '-wal', '-shm'].map((end) => readFile(`${file}${end}`, 'latin1').catch(() => '')),
  );
  return files.reduce((sum, bytes) => sum + bytes.split(word).length - 1, 0);
}

/** A word that is everywhere in a page, so that a part of it that stays somewhere shows. */
const text = (word: string) => `${word} `.repeat(20);

describe('the files of an SQLite database', { timeout: 120_000 }, () => {
  it('have nothing of a customer who is erased, neither in the database nor in its log, while others chat', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'telle.db');
      const settings = { DATABASE_URL: `sqlite:${file}`, RATE_LIMIT: 'off', AUTO_MUTE: 'off' };
      await withServer({ settings, timing: { presenceGrace: 5, closeTimeout: 5 } }, async (server) => {
        const guests = await Promise.all([WORD, 'g1', 'g2', 'g3'].map((groupId) => server.customer(groupId)));
        const [guest] = guests;
        let isOver = false;
        const chat = async () => {
          const said = { type: 'UPDATE_MSG', message: text('okapi') };
          while (!isOver) await Promise.all(guests.slice(1).map((each) => each.ask('customer_message', said)));
        };
        const chatting = chat().catch(() => {}); // where something fails, its sockets are closed
        const page = { url: `https://cars.example/${WORD}`, title: text(WORD) };
        for (let round = 0; round < 60; round += 1) {
          await guest?.ask('customer_message', { type: 'UPDATE_MSG', message: text(WORD) });
          await guest?.ask('customer_update', { type: 'UPDATE_PAGEVIEW', message: page });
        }
        assert.ok((await occurrences(file, WORD)) > 2_000);
        const token = await server.token('admin', 'a1');
        const { status } = await server.http('DELETE', `/v1/dealers/${DEALER}/groups/${WORD}`, { token });
        assert.equal(status, 200);
        await until('nothing of it is left', async () => (await occurrences(file, WORD)) === 0);
        isOver = true;
        await chatting;
        assert.ok((await occurrences(file, 'okapi')) > 0);
      });
    }));

  it(
    'are searched in vain once nobody reads any more in the log from before',
    withFile(async (store, file) => {
      const message = JSON.stringify({ type: 'CHAT_MSG', message: text(WORD) });
      const events = eventRows('d1', 'g1', 200).map((event) => ({ ...event, payload: message }));
      await write(store, { events });
      const reader = new Database(file);
      try {
        reader.exec('BEGIN');
        reader.prepare('SELECT count(*) FROM events').get();
        const by = 'admin:a1';
        await write(store, {
          erasures: [{ dealerId: 'd1', groupId: 'g1', erasureId: 'e1', reason: 'request', by, lastSeq: 200 }],
        });
        assert.equal(await store.erasePart(), false);
        const from = performance.now();
        assert.equal(await store.scrub(), false, 'it is asked again later');
        assert.ok(performance.now() - from < 200, 'nobody waits for it');
        assert.ok((await occurrences(file, WORD)) > 0);
        reader.exec('COMMIT');
        assert.equal(await store.scrub(), true);
        assert.equal(await occurrences(file, WORD), 0);
      } finally {
        reader.close();
      }
    }),
  );
});
