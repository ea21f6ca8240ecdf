/** Which node has sockets of whom, and which nodes live [P-7.5]. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import { load, write } from '../support/rows.ts';
import type { WithStore } from './with-store.ts';

/** Long enough ago that every node has been silent since: a time to come. */
const ALL_ARE_SILENT = -60_000;

const arrival = (sender: string, nodeId: string, online = true, dealerId = 'd1') => ({
  dealerId,
  sender,
  nodeId,
  online,
});

const nodesOf = async (store: Store, sender: string, dealerId = 'd1') => {
  const { presences } = await load(store, { presences: [[dealerId, sender]] });
  return [...(presences.get(`${dealerId}/${sender}`) ?? [])].sort();
};

const heldBy = async (store: Store, nodeId: string) =>
  (await store.presencesOf(nodeId, 10)).map(({ dealerId, sender }) => `${dealerId}/${sender}`).sort();

export function describePresence(withStore: WithStore): void {
  describe('presences', () => {
    it(
      'are the nodes that somebody has come to and not left, in the order in which that was written',
      withStore(async (store) => {
        await write(store, {
          arrivals: [
            arrival('customer:g1', 'n1'),
            arrival('customer:g1', 'n2'),
            arrival('customer:g1', 'n1', false),
            arrival('customer:g2', 'n1'),
            arrival('customer:g1', 'n3', true, 'd2'),
          ],
        });
        assert.deepEqual(await nodesOf(store, 'customer:g1'), ['n2']);
        assert.deepEqual(await nodesOf(store, 'customer:g2'), ['n1']);
        assert.deepEqual(await nodesOf(store, 'customer:g1', 'd2'), ['n3']);
        await write(store, { arrivals: [arrival('customer:g1', 'n1'), arrival('customer:g1', 'n1')] });
        assert.deepEqual(await nodesOf(store, 'customer:g1'), ['n1', 'n2']);
        await write(store, { arrivals: [arrival('customer:g1', 'n1', false), arrival('customer:g1', 'n2', false)] });
        assert.deepEqual(await nodesOf(store, 'customer:g1'), []);
      }),
    );

    it(
      'of a node are everybody whom it has sockets of, of any dealer',
      withStore(async (store) => {
        await write(store, {
          arrivals: [
            arrival('customer:g1', 'n1'),
            arrival('admin:a1', 'n1'),
            arrival('admin:a1', 'n2'),
            arrival('customer:g1', 'n1', true, 'd2'),
            arrival('customer:g2', 'n1'),
            arrival('customer:g2', 'n1', false),
          ],
        });
        assert.deepEqual(await heldBy(store, 'n1'), ['d1/admin:a1', 'd1/customer:g1', 'd2/customer:g1']);
        assert.deepEqual(await heldBy(store, 'n2'), ['d1/admin:a1']);
        assert.deepEqual(await heldBy(store, 'n3'), []);
      }),
    );

    it(
      'of a node are read in parts, each after the last of the one before',
      withStore(async (store) => {
        const arrivals = ['d2', 'd1'].flatMap((dealerId) =>
          ['customer:g2', 'customer:g1', 'admin:a1'].map((sender) => arrival(sender, 'n1', true, dealerId)),
        );
        await write(store, { arrivals });
        const first = await store.presencesOf('n1', 4);
        const rest = await store.presencesOf('n1', 4, first.at(-1));
        assert.equal(first.length, 4);
        assert.deepEqual(
          [...first, ...rest].map(({ dealerId, sender }) => `${dealerId}/${sender}`),
          ['d1', 'd2'].flatMap((dealerId) =>
            ['admin:a1', 'customer:g1', 'customer:g2'].map((who) => `${dealerId}/${who}`),
          ),
        );
        assert.deepEqual(await store.presencesOf('n1', 4, rest.at(-1)), []);
      }),
    );

    it(
      'are not written where the batch fails',
      withStore(async (store) => {
        const twice = {
          dealerId: 'd1',
          scope: 'g1',
          seq: 1,
          id: 'k1',
          keyed: true,
          sender: 's',
          groupId: 'g1',
        } as const;
        const event = { ...twice, type: 'CHAT_MSG', payload: '{}', at: 1 } as const;
        await assert.rejects(write(store, { events: [event, event], arrivals: [arrival('customer:g1', 'n1')] }));
        assert.deepEqual(await heldBy(store, 'n1'), []);
      }),
    );
  });

  describe('nodes', () => {
    it(
      'are known after their first beat, until they are forgotten',
      withStore(async (store) => {
        assert.equal(await store.beat('n1'), false);
        assert.equal(await store.beat('n1'), true);
        assert.equal(await store.beat('n2'), false);
        await store.removeNode('n1');
        await store.removeNode('never-was');
        assert.equal(await store.beat('n1'), false);
        assert.equal(await store.beat('n2'), true);
      }),
    );

    it(
      'that are silent are others than the one that asks, and not those that were forgotten',
      withStore(async (store) => {
        for (const nodeId of ['n1', 'n2', 'n3']) await store.beat(nodeId);
        assert.deepEqual((await store.silentNodes('n1', ALL_ARE_SILENT)).sort(), ['n2', 'n3']);
        await store.removeNode('n3');
        assert.deepEqual(await store.silentNodes('n1', ALL_ARE_SILENT), ['n2']);
        assert.deepEqual(await store.silentNodes('n2', ALL_ARE_SILENT), ['n1']);
      }),
    );

    it(
      'that live are told where several may, and not those that were forgotten or have been silent',
      withStore(async (store) => {
        for (const nodeId of ['n1', 'n2', 'n3']) await store.beat(nodeId);
        await store.removeNode('n3');
        const isShared = (await store.silentNodes('n1', 60_000)).length === 0;
        assert.deepEqual((await store.livingNodes(60_000)).sort(), isShared ? ['n1', 'n2'] : []);
        assert.deepEqual(await store.livingNodes(ALL_ARE_SILENT), []);
      }),
    );

    it(
      'that were marked as dead are silent until they are heard of again, and then are known no more',
      withStore(async (store) => {
        await store.beat('n1');
        await store.beat('n2');
        await store.markDead('n1');
        await store.markDead('never-was');
        assert.deepEqual(await store.silentNodes('n2', 60_000), ['n1']);
        assert.deepEqual((await store.livingNodes(60_000)).includes('n1'), false);
        assert.equal(await store.beat('n2'), true);
        const isShared = (await store.livingNodes(60_000)).length > 0;
        // Of an embedded database nobody lives who could bury another.
        assert.equal(await store.beat('n1'), !isShared);
        assert.equal(await store.beat('n1'), true);
      }),
    );

    it(
      'keep who is at them when they are forgotten, for those to be told of',
      withStore(async (store) => {
        await store.beat('n1');
        await write(store, { arrivals: [arrival('customer:g1', 'n1')] });
        await store.removeNode('n1');
        assert.deepEqual(await heldBy(store, 'n1'), ['d1/customer:g1']);
      }),
    );
  });
}
