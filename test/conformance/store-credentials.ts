/** [P-4, P-3.1] Which tokens are taken, and what becomes of a conversation whose name is another's. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Command, Entry } from '../../src/domain/state.ts';
import { journalOn } from '../support/journal.ts';
import { readSeqs } from '../support/rows.ts';
import type { WithStore } from './with-store.ts';

const ALICE = { role: 'admin', dealer: 'd1', sub: 'alice' } as const;
const ANN = { role: 'customer', dealer: 'd1', sub: 'g1' } as const;
const HOUR = 3_600_000;

const byCustomer = (body: Command['body'], key: string | null = null): Command => ({
  role: 'customer',
  sender: 'customer:g1',
  key,
  body,
  minted: false,
});
const AT = { dealerId: 'd1', groupId: 'g1' } as const;
const join = (entry: Entry) => byCustomer({ type: 'CLIENT_JOIN', ...AT, online: true, node: 'n1', entry });
const CLAIM: Entry = { by: 'claim', id: undefined, at: 0, isHere: false };
const MINTED: Entry = { by: 'minted', spare: 'made' };

export function describeCredentials(withStore: WithStore): void {
  describe('generations', () => {
    it(
      'are 0 until one is raised; then the subject’s is the least, and everybody’s the present one',
      withStore(async (store) => {
        const nothing = { current: 0, least: 0, isSpent: false };
        assert.deepEqual(await store.generation(ALICE), nothing);
        const before = await store.now();
        const gen = await store.raise('d1', ALICE);
        assert.ok(gen >= before && gen <= (await store.now()) + 1, 'it is the time');
        assert.deepEqual(await store.generation(ALICE), { current: gen, least: gen, isSpent: false });
        assert.deepEqual(await store.generation({ ...ALICE, sub: 'bob' }), { current: gen, least: 0, isSpent: false });
        assert.deepEqual(await store.generation({ ...ALICE, role: 'server' }), { ...nothing, current: gen });
        assert.deepEqual(await store.generation({ ...ALICE, dealer: 'd2' }), nothing);
        const all = await store.raise('d1');
        assert.ok(all > gen, 'each is later than the one before');
        assert.equal((await store.generation(ANN)).least, all);
      }),
    );

    it(
      'of a customer are found by who knows the name, which is not kept',
      withStore(async (store) => {
        const gen = await store.raise('d1', ANN);
        assert.equal((await store.generation(ANN)).least, gen);
        const { raised } = await store.revokedSince(0);
        assert.ok(!JSON.stringify(raised).includes('g1'));
      }),
    );

    it(
      'are told that were raised since a time, and a dealer that is removed leaves but its own',
      withStore(async (store) => {
        await store.putDealer('d1', {});
        const gen = await store.raise('d1', ALICE);
        assert.deepEqual((await store.revokedSince(gen)).raised, [{ dealerId: 'd1', subject: 'admin:alice', gen }]);
        assert.deepEqual((await store.revokedSince(gen + 1)).raised, []);
        await store.deleteDealer('d1');
        const [left, ...others] = (await store.revokedSince(0)).raised;
        assert.deepEqual([left?.dealerId, left?.subject, others], ['d1', '', []]);
        assert.ok((left?.gen ?? 0) > gen);
      }),
    );
  });

  describe('a token that is spent', () => {
    it(
      'is spent once, for its dealer alone, and forgotten when it has ended',
      withStore(async (store) => {
        const end = (await store.now()) + HOUR;
        assert.equal(await store.spend('d1', 't1', end), true);
        assert.equal(await store.spend('d1', 't1', end), false);
        assert.equal(await store.spend('d2', 't1', end), true);
        assert.equal((await store.generation(ALICE, 't1')).isSpent, true);
        assert.equal((await store.generation(ALICE, 't2')).isSpent, false);
        await store.spend('d1', 'ended', (await store.now()) - 1);
        await store.pruneSpent();
        const { spent } = await store.revokedSince(0);
        assert.deepEqual(spent.map(({ dealerId, tokenId }) => `${dealerId} ${tokenId}`).sort(), ['d1 t1', 'd2 t1']);
      }),
    );
  });

  describe('a conversation that is set aside', () => {
    const say = (message: string, key: string) =>
      byCustomer({ type: 'UPDATE_MSG', ...AT, user: 'customer', message }, key);
    const lead = byCustomer({ type: 'UPDATE_LEAD', ...AT, message: { name: 'Mallory' } });

    it(
      'goes on under its other name with all that there was of it; the name begins anew, and counts on',
      withStore(async (store) => {
        await store.putDealer('d1', {});
        const journal = journalOn(store);
        for (const command of [join(CLAIM), say('one', 'k1'), say('two', 'k2'), lead]) await journal.append(command);
        const outcome = await journal.append(join(MINTED));
        assert.ok(!('refusal' in outcome));
        const events = await store.events('d1', 'made', { limit: 10 });
        assert.deepEqual(
          events.map(({ seq, sender, groupId, payload }) => [seq, sender, groupId, JSON.parse(payload).groupId]),
          [1, 2].map((seq) => [seq, 'customer:made', 'made', 'made']),
        );
        assert.deepEqual(await readSeqs(store, 'd1', 'g1'), [3]);
        assert.deepEqual(await store.firstAfter('d1', new Map([['g1', 0]])), new Map([['g1', 3]]));
        const groups = (await store.groups('d1', {}, { limit: 10 })).groups;
        assert.deepEqual(groups.map(({ groupId, online, seq, setAside }) => [groupId, online, seq, setAside]).sort(), [
          ['g1', true, 3, false],
          ['made', false, 2, true],
        ]);
        const leads = await store.records('leads', 'd1', { limit: 10 });
        assert.deepEqual(
          leads.map(({ groupId }) => groupId),
          ['made'],
        );
        assert.equal(await store.setAside('d1', 'g1'), 'made');
        const desk = await store.events('d1', '@desk', { limit: 10 });
        for (const { groupId, payload } of desk) assert.equal(JSON.parse(payload).groupId, groupId);
      }),
    );

    it(
      'knows its own repeats, and the new one of its name none of them; a second claim never comes between',
      withStore(async (store) => {
        await store.putDealer('d1', {});
        const journal = journalOn(store);
        for (const command of [join(CLAIM), say('one', 'k1'), join(MINTED)]) await journal.append(command);
        const again = await journal.append({ ...say('one', 'k1'), minted: true });
        assert.deepEqual('refusal' in again || again.ack?.seq, 3);
        const old = { ...say('one', 'k1'), sender: 'customer:made' };
        const body = { type: 'UPDATE_MSG', dealerId: 'd1', groupId: 'made', user: 'customer', message: 'one' } as const;
        const repeat = await journal.append({ ...old, body });
        assert.deepEqual('refusal' in repeat || repeat.ack, {
          ...('ack' in repeat && repeat.ack),
          seq: 1,
          duplicate: true,
        });
        const late = await journal.append(say('I am still here', 'k9'));
        assert.equal('refusal' in late && late.refusal.code, 'unavailable');
        assert.equal('refusal' in (await journal.append(join(CLAIM))), true);
      }),
    );

    it(
      'waits for the next batch where this one has written to it',
      withStore(async (store) => {
        await store.putDealer('d1', {});
        const journal = journalOn(store);
        await journal.append(join(CLAIM));
        const [said, joined] = await Promise.all([journal.append(say('one', 'k1')), journal.append(join(MINTED))]);
        assert.ok(said && !('refusal' in said));
        const isLater = joined && 'refusal' in joined;
        if (isLater) assert.equal(joined.refusal.code, 'unavailable');
        const done = isLater ? await journal.append(join(MINTED)) : joined;
        assert.ok(done && !('refusal' in done));
        assert.deepEqual(await readSeqs(store, 'd1', 'made'), [1]);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1'), [2]);
      }),
    );
  });
}
