/** What every store must do: each promise of `src/store/store.ts`, against whatever implements it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import { changesOf, needsFor } from '../support/rows.ts';
import { describeAdminReads } from './store-admin-reads.ts';
import { describeBounds } from './store-bounds.ts';
import { describeCommit } from './store-commit.ts';
import { describeCredentials } from './store-credentials.ts';
import { describeDealers } from './store-dealers.ts';
import { describeErasing } from './store-erasing.ts';
import { describeForgetting } from './store-forgetting.ts';
import { describeLetters } from './store-letters.ts';
import { describeLists } from './store-lists.ts';
import { describeLog } from './store-log.ts';
import { describePresence } from './store-presence.ts';
import { describeReading } from './store-reading.ts';
import { describeRows } from './store-rows.ts';
import { describeSearching } from './store-searching.ts';
import { describeTimers } from './store-timers.ts';
import { describeTogether } from './store-together.ts';
import type { WithStore } from './with-store.ts';

export interface Opened {
  readonly store: Store;
  close(): Promise<void>;
}

/** @param open opens a store that nobody else has, and that holds nothing; `close` closes and removes it */
export function describeStore(name: string, open: () => Promise<Opened>): void {
  const withStore: WithStore = (use) => async () => {
    const { store, close } = await open();
    try {
      await store.migrate();
      await use(store);
    } finally {
      await close();
    }
  };
  describe(`a store: ${name}`, () => {
    describeCommit(withStore);
    describeRows(withStore);
    describeTogether(withStore);
    describeReading(withStore);
    describePresence(withStore);
    describeTimers(withStore);
    describeAdminReads(withStore);
    describeDealers(withStore);
    describeLetters(withStore);
    describeLists(withStore);
    describeLog(withStore);
    describeSearching(withStore);
    describeBounds(withStore);
    describeErasing(withStore);
    describeForgetting(withStore);
    describeCredentials(withStore);

    it('rejects everything that is asked of it once it is closed, and throws nothing', async () => {
      const { store, close } = await open();
      await store.migrate().finally(close);
      await assert.rejects(store.check());
      await assert.rejects(store.commit(needsFor({}), () => changesOf({})));
      await assert.rejects(store.events('d1', 'g1', { limit: 1 }));
      await assert.rejects(store.standing('d1'));
      await assert.rejects(store.tails('d1', ['g1']));
      await assert.rejects(store.tailsSince('d1', 0));
      await assert.rejects(store.beat('n1'));
      await assert.rejects(store.presencesOf('n1', 10));
      await assert.rejects(store.dealer('d1'));
      await assert.rejects(store.dealers('', 1));
      await assert.rejects(store.putDealer('d1', {}));
      await assert.rejects(store.deleteDealer('d1'));
      await assert.rejects(store.deadLetters('', { limit: 1 }));
      await assert.rejects(store.groups('d1', {}, { limit: 1 }));
      await assert.rejects(store.group('d1', 'g1'));
      await assert.rejects(store.adminReads('d1', 'a1', ['g1']));
      await assert.rejects(store.dueGroups(0, 1));
      await assert.rejects(store.dueDealers(0, 1));
      await assert.rejects(store.pendingGroups('d1', '', 1));
      await assert.rejects(store.records('users', 'd1', { limit: 1 }));
      await assert.rejects(store.pageviews('d1', { limit: 1 }));
      await assert.rejects(store.erasures('d1', { limit: 1 }));
      await assert.rejects(store.erasure('d1', 'e1'));
      await assert.rejects(store.erasePart());
      await assert.rejects(store.scrub());
      await assert.rejects(store.log('d1', null, { limit: 1 }));
      await assert.rejects(store.logSize('d1'));
      await assert.rejects(store.idleGroups('d1', 0, { limit: 1 }));
    });
  });
}
