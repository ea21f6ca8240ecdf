/** What is long is written in pieces: between two of them everybody else goes on. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exportOf } from '../../src/journal/export.ts';
import { piecesOf } from '../../src/journal/pieces.ts';
import { eventRow, groupRow, write } from '../support/rows.ts';
import { DEALER, withServer } from '../support/server.ts';

const KIB = 1024;

describe('what is written in pieces', () => {
  test('is all there, in order, and no item is written before its piece is asked for', () => {
    let written = 0;
    const texts = Array.from({ length: 50 }, (_, n) => String(n).padStart(KIB));
    const pieces = piecesOf(texts, (text) => {
      written += 1;
      return text;
    });
    const { value: first } = pieces.next();
    assert.equal(first, texts.slice(0, 16).join(''));
    assert.equal(written, 16);
    assert.equal([first, ...pieces].join(''), texts.join(''));
    assert.deepEqual([...piecesOf([], String)], []);
  });
});

describe('a conversation of long messages', () => {
  /** Longer than what is read with its row, and each in bytes four times as long as in characters. */
  const events = Array.from({ length: 100 }, (_, index) =>
    eventRow(DEALER, 'g1', index + 1, {
      payload: JSON.stringify({ type: 'CHAT_MSG', message: `${index} ${'\u{1F697}'.repeat(2000)}` }),
    }),
  );

  test('is read as it was written, forwards and backwards, and exported piece by piece', () =>
    withServer({}, async ({ store }) => {
      const last = events.length;
      await write(store, { events, groups: { [`${DEALER}/g1`]: groupRow({ lastSeq: last }) } });
      assert.deepEqual(await store.events(DEALER, 'g1', { limit: 1000 }), events);
      assert.deepEqual(await store.events(DEALER, 'g1', { before: last + 1, limit: 1000 }), events);
      assert.deepEqual(await store.events(DEALER, 'g1', { after: 40, limit: 3 }), events.slice(40, 43));
      let told = 0;
      const texts: string[] = [];
      for await (const lines of (await exportOf(store, DEALER)) ?? []) {
        texts.push(lines.text);
        told += lines.events;
      }
      assert.ok(Math.max(...texts.map(({ length }) => length)) < 32 * KIB, 'a piece is short');
      const lines = texts
        .join('')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      assert.equal(lines.filter(({ kind }) => kind === 'event').length, told);
      assert.equal(lines.at(-1).counts.event, told);
      assert.ok(told >= events.length);
    }));
});
