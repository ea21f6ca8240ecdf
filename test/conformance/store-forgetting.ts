/** [P-11.4] Erasing among everything else that is asked: what came before is forgotten, and nothing that comes after. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Command } from '../../src/domain/state.ts';
import type { Outcome } from '../../src/journal/batch.ts';
import { journalOn } from '../support/journal.ts';
import { readSeqs } from '../support/rows.ts';
import type { WithStore } from './with-store.ts';

const say = (groupId: string, message = 'Hello'): Command => ({
  role: 'server',
  sender: 'server:crm',
  key: null,
  body: { type: 'UPDATE_MSG', dealerId: 'd1', groupId, user: 'customer', message },
});
const introduce = (groupId: string, name: string): Command => ({
  role: 'server',
  sender: 'server:crm',
  key: null,
  body: { type: 'UPDATE_USER', dealerId: 'd1', groupId, message: { name } },
});
/** By the same sender as the others, whose commands go in their order. */
const erase = (groupId: string): Command => ({
  role: 'server',
  sender: 'server:crm',
  key: null,
  body: { type: 'ERASE_GROUP', dealerId: 'd1', groupId, erasureId: randomUUID(), reason: 'request' },
});

/** The seq that a command's own event got; `erased` where it was an erasure; else the code of its refusal. */
function cameTo(outcome: Outcome): number | string {
  if ('refusal' in outcome) return outcome.refusal.code;
  return outcome.ack?.seq ?? (outcome.happened.at(-1)?.type === 'ERASE_GROUP' ? 'erased' : 'nothing');
}

export function describeForgetting(withStore: WithStore): void {
  describe('an erasure through the journal', () => {
    it(
      'forgets what was asked before it and nothing that was asked after, all of it at once',
      withStore(async (store) => {
        await store.putDealer('d1', {});
        const journal = journalOn(store);
        const commands = [
          say('g1'),
          introduce('g1', 'Before'),
          say('g1'),
          say('g2'),
          erase('g1'),
          say('g1'),
          introduce('g1', 'After'),
          say('g2'),
          say('g1'),
        ];
        const outcomes = await Promise.all(commands.map((command) => journal.append(command)));
        assert.deepEqual(outcomes.map(cameTo), [1, 1, 2, 1, 'erased', 3, 2, 2, 4]);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1'), [3, 4]);
        assert.deepEqual(await readSeqs(store, 'd1', 'g2'), [1, 2]);
        assert.deepEqual(await readSeqs(store, 'd1', '@desk'), [1, 2]);
        const [user, ...others] = await store.records('users', 'd1', { limit: 10 });
        assert.deepEqual([user?.fields, others], [{ name: 'After' }, []]);
        const [receipt] = await store.erasures('d1', { limit: 10 });
        assert.deepEqual([receipt?.events, receipt?.users, receipt?.leads], [2, 1, 0]);
        const { unread, lastMessage, seq } = (await store.group('d1', 'g1')) ?? assert.fail();
        assert.deepEqual([unread, lastMessage?.seq, seq], [2, 4, 4], 'it is a new conversation that counts on');
      }),
    );

    it(
      'may follow another of the same name, and each conversation counts on from the one before',
      withStore(async (store) => {
        await store.putDealer('d1', {});
        const journal = journalOn(store);
        const commands = [
          erase('g1'),
          say('g1'),
          erase('g1'),
          erase('g1'),
          say('g1'),
          say('g1'),
          erase('g1'),
          say('g1'),
        ];
        const outcomes = await Promise.all(commands.map((command) => journal.append(command)));
        const expected = ['unknown_group', 1, 'erased', 'unknown_group', 2, 3, 'erased', 4];
        assert.deepEqual(outcomes.map(cameTo), expected);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1'), [4]);
        const receipts = await store.erasures('d1', { limit: 10 });
        assert.deepEqual(receipts.map(({ events }) => events).sort(), [1, 2]);
      }),
    );

    it(
      'keeps the ids of the forgotten from being known again',
      withStore(async (store) => {
        await store.putDealer('d1', {});
        const journal = journalOn(store);
        const keyed = [say('g1'), introduce('g1', 'Ann')].map((command) => ({ ...command, key: 'k1' }));
        const send = async () => (await Promise.all(keyed.map((command) => journal.append(command)))).map(cameTo);
        assert.deepEqual(
          [await send(), await send()],
          [
            [1, 1],
            [1, 1],
          ],
        );
        await journal.append(erase('g1'));
        assert.deepEqual(await send(), [2, 2], 'they are new');
      }),
    );

    it(
      'loses nothing of many that are said meanwhile in as many groups',
      withStore(async (store) => {
        await store.putDealer('d1', {});
        const journal = journalOn(store);
        const names = Array.from({ length: 10 }, (_, index) => `g${index}`);
        const rounds = names.flatMap((name) => [say(name), say(name), erase(name), say(name), say('steady')]);
        const outcomes = await Promise.all(rounds.map((command) => journal.append(command)));
        assert.deepEqual(
          outcomes.map(cameTo),
          names.flatMap((_, index) => [1, 2, 'erased', 3, index + 1]),
        );
        for (const name of names) assert.deepEqual(await readSeqs(store, 'd1', name), [3]);
        assert.equal((await readSeqs(store, 'd1', 'steady')).length, 10);
        assert.equal((await store.erasures('d1', { limit: 100 })).length, 10);
      }),
    );
  });
}
