import assert from 'node:assert/strict';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { describe, it, mock } from 'node:test';
import Database from 'better-sqlite3';
import { MEMORY } from '../../schemas/settings.ts';
import { openStore } from '../../src/app.ts';
import { MemoryBus } from '../../src/bus/memory.ts';
import { readSettings } from '../../src/cli/settings.ts';
import type { Command } from '../../src/domain/state.ts';
import { Hub } from '../../src/hub/hub.ts';
import type { Publication } from '../../src/hub/publication.ts';
import type { Outcome } from '../../src/journal/batch.ts';
import type { Store } from '../../src/store/store.ts';
import { overriding } from '../support/faulty-store.ts';
import { journalOn } from '../support/journal.ts';
import { CREDENTIAL, TestPeer } from '../support/peers.ts';
import { readSeqs } from '../support/rows.ts';
import { inFolder } from '../support/server.ts';

const IDS = { dealerId: 'd1', groupId: 'g1' } as const;

const says = (key: string | null, message = 'Hello', groupId = 'g1'): Command => ({
  role: 'server',
  sender: 'server:crm',
  key,
  body: { type: 'UPDATE_MSG', ...IDS, groupId, user: 'customer', message },
});
const adminSays = (key: string): Command => ({
  role: 'server',
  sender: 'server:crm',
  key,
  body: { type: 'UPDATE_MSG', ...IDS, user: 'admin', adminId: 'a1', message: 'Hello' },
});
const botSays = (key: string): Command => ({
  role: 'server',
  sender: 'server:bot',
  key,
  body: { type: 'UPDATE_MSG', ...IDS, user: 'bot', message: 'Hello' },
});
const customerComes = (groupId: string): Command => ({
  role: 'customer',
  sender: `customer:${groupId}`,
  key: null,
  body: {
    type: 'CLIENT_JOIN',
    dealerId: 'd1',
    groupId,
    online: true,
    node: 'n1',
    entry: { by: 'claim', id: undefined, at: 0, isHere: false },
  },
});
const types: Command = {
  role: 'server',
  sender: 'server:crm',
  key: 't1',
  body: { type: 'TYPING', ...IDS, user: 'customer', typing: true },
};

/** A journal on real SQLite, with everything that it published and what went wrong. */
async function open(file = MEMORY) {
  const sqlite = openStore(readSettings({ DATABASE_URL: `sqlite:${file}` }));
  await sqlite.migrate();
  const commits = { count: 0 };
  const store = overriding(sqlite, {
    commit: (needs, work) => {
      commits.count += 1;
      return sqlite.commit(needs, work);
    },
  });
  const hub = new Hub(Number.MAX_SAFE_INTEGER);
  const published: Publication[] = [];
  const resynced: string[] = [];
  const bus = new MemoryBus();
  bus.listen({
    deliver: (publication) => {
      published.push(publication);
      hub.deliver(publication);
    },
    missed: (dealerId) => resynced.push(dealerId),
  });
  const faults: string[] = [];
  const onFault = (_: unknown, what: string) => faults.push(what);
  const journal = journalOn(store, { bus, onFault });
  const close = async () => {
    await journal.close();
    await sqlite.close();
  };
  return { journal, store, hub, commits, published, resynced, faults, close };
}

type Opened = Awaited<ReturnType<typeof open>>;

const withJournal = (use: (opened: Opened) => Promise<void>) => async () => {
  const opened = await open();
  try {
    await use(opened);
  } finally {
    await opened.close();
  }
};

/** A socket of group g1's that hears everything. */
function seated(hub: Hub): TestPeer {
  const peer = new TestPeer();
  hub.open(hub.enter({ role: 'customer', ...IDS }, peer, CREDENTIAL), new Map());
  return peer;
}

const seqOf = (outcome: Outcome | undefined) => (outcome && 'ack' in outcome ? (outcome.ack?.seq ?? null) : undefined);
const codeOf = (outcome: Outcome | undefined) => (outcome && 'refusal' in outcome ? outcome.refusal.code : undefined);
/** What a socket got, as `channel:seq`. */
const got = ({ texts }: TestPeer) =>
  texts.map((text) => {
    const { channel, seq, payload } = JSON.parse(text);
    return `${channel}:${seq ?? payload.seq ?? ''}`;
  });
const allIn = (store: Store) => readSeqs(store, 'd1', 'g1', { limit: 100_000 });

describe('the journal', () => {
  it(
    'commits as one batch what comes in one turn, each decided on the one before',
    withJournal(async ({ journal, commits }) => {
      const outcomes = await Promise.all(
        [says('a'), adminSays('b'), botSays('c'), says('d')].map((c) => journal.append(c)),
      );
      assert.equal(commits.count, 1);
      assert.deepEqual(outcomes.map(seqOf), [1, 3, undefined, 4]);
      assert.equal(codeOf(outcomes[2]), 'bot_muted');
    }),
  );

  it(
    'commits in several batches what is too much for one, in the order in which it came',
    withJournal(async ({ journal, store, commits, published }) => {
      const outcomes = await Promise.all(Array.from({ length: 1000 }, () => journal.append(says(null))));
      assert.ok(commits.count > 1 && commits.count <= 20, `${commits.count} commits`);
      const order = Array.from({ length: 1000 }, (_, index) => index + 1);
      assert.deepEqual(outcomes.map(seqOf), order);
      assert.deepEqual(await allIn(store), order);
      assert.deepEqual(
        published.map(({ seq }) => seq),
        order,
      );
    }),
  );

  it(
    'commits what came together as one, with what comes beside it, and answers each in its order',
    withJournal(async ({ journal, store, commits }) => {
      const pair = (name: string) => journal.appendTogether([says(`${name}1`), says(`${name}2`)]);
      const outcomes = await Promise.all([
        ...[journal.append(says('a')), pair('b'), pair('c'), journal.append(says('d'))],
        ...[journal.appendTogether([]), pair('e')],
      ]);
      assert.deepEqual(outcomes.flat().map(seqOf), [1, 2, 3, 4, 5, 6, 7, 8]);
      assert.equal(commits.count, 1);
      const crowd = await Promise.all(Array.from({ length: 1000 }, (_, n) => pair(`f${n}-`)));
      assert.deepEqual(
        crowd.flat().map(seqOf),
        Array.from({ length: 2000 }, (_, n) => 9 + n),
      );
      assert.equal((await allIn(store)).length, 2008);
    }),
  );

  it(
    'has sent the ack, and published, by the time it answers, and stored before either [P-8.1]',
    withJournal(async ({ journal, store, hub }) => {
      const peer = seated(hub);
      const stored: Promise<number[]>[] = [];
      const send = peer.send.bind(peer);
      peer.send = (frame, onGone) => {
        stored.push(allIn(store));
        send(frame, onGone);
      };
      await journal.append(says('a'), { peer, id: 'a' });
      assert.deepEqual(got(peer), ['ack:1']);
      assert.deepEqual(await Promise.all(stored), [[1]]);
    }),
  );

  const large = 'x'.repeat(8000);
  const text = 'x'.repeat(4000);
  const heavy: Record<string, { body: (n: number) => Command['body']; most: number }> = {
    'updates of records': {
      body: (n) => ({ type: 'UPDATE_LEAD', dealerId: 'd1', groupId: `g${n}`, message: { comments: 'short' } }),
      most: 8,
    },
    'of the largest page views': {
      body: () => ({ type: 'UPDATE_PAGEVIEW', ...IDS, message: { url: large } }),
      most: 16,
    },
    'of the longest messages': {
      body: () => ({ type: 'UPDATE_MSG', ...IDS, user: 'customer', message: text }),
      most: 32,
    },
  };
  for (const [what, { body, most }] of Object.entries(heavy)) {
    it(
      `commits at most ${most} ${what} at a time, in their order`,
      withJournal(async ({ journal, commits }) => {
        const command = (n: number): Command => ({ role: 'server', sender: 'server:crm', key: `${n}`, body: body(n) });
        const outcomes = await Promise.all(Array.from({ length: 100 }, (_, n) => journal.append(command(n))));
        assert.deepEqual(
          outcomes.map(seqOf),
          Array.from({ length: 100 }, (_, n) => n + 1),
        );
        assert.equal(commits.count, Math.ceil(100 / most));
      }),
    );
  }

  it(
    'acks in place: a socket gets events and its own acks in the order of their seqs',
    withJournal(async ({ journal, hub }) => {
      const [peer, other] = [seated(hub), seated(hub)];
      await Promise.all([
        journal.append(says('a'), { peer, id: 'a' }),
        journal.append(says('b'), { peer: other, id: 'b' }),
        journal.append(adminSays('c'), { peer, id: 'c' }),
        journal.append(says('d')),
        journal.append(says('e'), { peer, id: 'e' }),
      ]);
      assert.deepEqual(got(peer), ['ack:1', 'CHAT_MESSAGE:2', 'MUTE_STATE:3', 'ack:4', 'CHAT_MESSAGE:5', 'ack:6']);
      assert.deepEqual(got(other), [
        'CHAT_MESSAGE:1',
        'ack:2',
        'MUTE_STATE:3',
        'CHAT_MESSAGE:4',
        'CHAT_MESSAGE:5',
        'CHAT_MESSAGE:6',
      ]);
    }),
  );

  it(
    'gives a socket that asked for no ack its own stored event, and nothing for what is only passed on',
    withJournal(async ({ journal, hub }) => {
      const [peer, other] = [seated(hub), seated(hub)];
      await journal.append(says(null), { peer, id: undefined });
      await journal.append(types, { peer, id: undefined });
      assert.deepEqual(got(peer), ['CHAT_MESSAGE:1']);
      assert.deepEqual(got(other), ['CHAT_MESSAGE:1', 'TYPING_STATE:']);
    }),
  );

  it(
    'says of what it publishes what it is, beside the frame',
    withJournal(async ({ journal, published }) => {
      await journal.append(says('a'));
      await journal.append(types);
      const values = published.map(({ frame: _, at, answer: __, ...values }) => ({ ...values, isStored: at !== null }));
      assert.deepEqual(values, [
        { type: 'CHAT_MSG', ...IDS, scope: 'g1', seq: 1, isStored: true },
        { type: 'TYPING', ...IDS, scope: 'g1', seq: null, isStored: false },
      ]);
      assert.equal(JSON.parse(published[0]?.frame ?? '').at, new Date(published[0]?.at ?? Number.NaN).toISOString());
    }),
  );

  it(
    'acks what is only passed on by its id alone',
    withJournal(async ({ journal, hub }) => {
      const peer = seated(hub);
      await journal.append(says('a'));
      await journal.append(types, { peer, id: 't1' });
      assert.deepEqual(JSON.parse(peer.texts.at(-1) ?? ''), { channel: 'ack', payload: { id: 't1' } });
    }),
  );

  it(
    'stores a batch that is full before the turn of the event loop is over',
    withJournal(async ({ journal, commits }) => {
      await journal.append(says('makes d1'));
      await new Promise(setImmediate);
      const before = commits.count;
      const appended = Array.from({ length: 300 }, (_, count) => journal.append(says(`${count}`)));
      await new Promise<void>(process.nextTick);
      assert.equal(commits.count, before + 1);
      await Promise.all(appended);
      assert.equal(commits.count, before + 2);
    }),
  );

  it(
    'stores a join that comes alone at the end of its turn, as anything else',
    withJournal(async ({ journal, commits }) => {
      const before = commits.count;
      // The clock stands still: whoever waited for a moment would wait until it goes on.
      const clock = mock.method(performance, 'now', () => 1000);
      const join = journal.append(customerComes('alone'));
      await new Promise(setImmediate);
      await new Promise(setImmediate);
      const after = commits.count;
      clock.mock.restore();
      await join;
      assert.equal(after, before + 1);
    }),
  );

  it(
    'gathers joins that come in one turn of the event loop after another, and lets no message wait for them',
    withJournal(async ({ journal, commits }) => {
      await journal.append(says('makes d1'));
      const before = commits.count;
      const joins: Promise<unknown>[] = [];
      // The first goes by itself.
      for (let join = 0; join < 20; join += 1) {
        joins.push(journal.append(customerComes(`j${join}`)));
        await new Promise(setImmediate);
        await new Promise(setImmediate);
      }
      await Promise.all(joins);
      assert.ok(commits.count - before < joins.length, `${commits.count - before} commits`);
      const both = [journal.append(customerComes('last')), journal.append(says('is not kept'))];
      const alone = commits.count;
      await new Promise(setImmediate);
      await new Promise(setImmediate);
      assert.equal(commits.count, alone + 1);
      await Promise.all(both);
    }),
  );

  it(
    'takes what was stored once for a repeat, though it would be refused now [P-8.4]',
    withJournal(async ({ journal }) => {
      const first = await journal.append(botSays('b1'));
      await journal.append(adminSays('a'));
      const [again, other] = await Promise.all([journal.append(botSays('b1')), journal.append(botSays('b2'))]);
      assert.ok('ack' in again && again.ack?.duplicate);
      assert.equal(seqOf(again), seqOf(first));
      assert.equal(codeOf(other), 'bot_muted');
    }),
  );

  it(
    'publishes neither a repeat nor a refusal, and leaves both to the door to answer',
    withJournal(async ({ journal, hub, published }) => {
      const peer = seated(hub);
      await journal.append(adminSays('a'), { peer, id: 'a' });
      const before = published.length;
      const repeat = await journal.append(adminSays('a'), { peer, id: 'a' });
      const refusal = await journal.append(botSays('b'), { peer, id: 'b' });
      assert.ok('ack' in repeat && repeat.ack?.duplicate);
      assert.equal(seqOf(repeat), 2);
      assert.equal(codeOf(refusal), 'bot_muted');
      assert.equal(published.length, before);
      assert.deepEqual(got(peer), ['MUTE_STATE:1', 'ack:2']);
    }),
  );

  it(
    'refuses as internal what it cannot decide, tells the fault, and goes on with the others of the batch',
    withJournal(async ({ journal, store, faults }) => {
      const message: Record<string, unknown> = { name: 1n }; // no JSON can hold it, so no door lets it in
      const body = { type: 'UPDATE_USER' as const, ...IDS, message };
      const commands: Command[] = [says('a'), { role: 'server', sender: 'server:crm', key: 'b', body }, says('c')];
      const outcomes = await Promise.all(commands.map((command) => journal.append(command)));
      assert.deepEqual(outcomes.map(seqOf), [1, undefined, 2]);
      assert.equal(codeOf(outcomes[1]), 'internal');
      assert.deepEqual(faults, ['UPDATE_USER was not decided']);
      assert.deepEqual(await allIn(store), [1, 2]);
    }),
  );

  it('refuses all of a batch as unavailable while the database fails, publishes nothing, and works again after', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'telle.db');
      const { journal, store, hub, published, resynced, close } = await open(file);
      const other = new Database(file);
      try {
        const peer = seated(hub);
        await journal.append(says('a'));
        other.exec('BEGIN IMMEDIATE');
        const outcomes = await Promise.all(['b', 'c'].map((key) => journal.append(says(key), { peer, id: key })));
        assert.deepEqual(outcomes.map(codeOf), ['unavailable', 'unavailable']);
        assert.equal(published.length, 1);
        assert.deepEqual(got(peer), ['CHAT_MESSAGE:1']);
        other.exec('ROLLBACK');
        assert.deepEqual([await journal.append(says('b')), await journal.append(says('c'))].map(seqOf), [2, 3]);
        assert.deepEqual(await allIn(store), [1, 2, 3]);
        assert.deepEqual(resynced, ['d1'], 'what may have been committed all the same is looked for, once');
      } finally {
        other.close();
        await close();
      }
    }));

  it(
    'stores what another dealer says next, though thousands of records of one dealer wait to be updated',
    withJournal(async ({ journal, commits }) => {
      await journal.append(says('makes d1'));
      const flood = Array.from({ length: 1000 }, (_, n) =>
        journal.append({
          role: 'customer',
          sender: `customer:g${n}`,
          key: null,
          body: { type: 'UPDATE_USER', dealerId: 'flooded', groupId: `g${n}`, message: { name: 'Ann' } },
        }),
      );
      await new Promise(setImmediate);
      const before = commits.count;
      const { body, ...hello } = says('a');
      await journal.append({ ...hello, body: { ...body, dealerId: 'd2' } as Command['body'] });
      assert.ok(commits.count - before <= 2, `${commits.count - before} commits`);
      await Promise.all(flood);
    }),
  );

  it(
    'lets customers behind one address take turns as one, and stores in order what a server says to several dealers',
    withJournal(async ({ journal, published }) => {
      const peer = new TestPeer();
      const comes = (sender: string, address: string | undefined, turn: string, dealerId: string, key: string) =>
        journal.append(
          {
            ...says(key),
            sender,
            turn,
            body: { type: 'UPDATE_MSG', ...IDS, dealerId, user: 'customer', message: 'x'.repeat(4000) },
          },
          { peer, id: key, address },
        );
      const flood = Array.from({ length: 90 }, (_, n) => comes(`customer:g${n}`, '192.0.2.1', 'd1', 'd1', `f${n}`));
      const platform = Array.from({ length: 9 }, (_, n) => comes('server:crm', undefined, '*', `d${n % 3}`, `p${n}`));
      await Promise.all([...flood, ...platform, comes('customer:a', '192.0.2.2', 'd1', 'd1', 'a')]);
      const order = published.map(({ frame }) => String(JSON.parse(frame).id));
      assert.ok(order.indexOf('a') < 32, `place ${order.indexOf('a')}`);
      assert.deepEqual(
        order.filter((id) => id.startsWith('p')),
        Array.from({ length: 9 }, (_, n) => `p${n}`),
      );
      assert.deepEqual(
        order.filter((id) => id.startsWith('f')),
        Array.from({ length: 90 }, (_, n) => `f${n}`),
      );
    }),
  );

  it(
    'knows after an update how heavy a record is, and stores fewer large ones at once than small ones',
    withJournal(async ({ journal, commits }) => {
      const update = (groupId: string, message: Record<string, unknown>) =>
        journal.append({ ...says(null), body: { type: 'UPDATE_LEAD', dealerId: 'd1', groupId, message } });
      const batches = async (comments: string) => {
        for (let n = 0; n < 20; n += 1) for (const part of 'abcd') await update(`g${n}`, { [part]: comments });
        const before = commits.count;
        await Promise.all(Array.from({ length: 20 }, (_, n) => update(`g${n}`, { source: 'site' })));
        return commits.count - before;
      };
      assert.equal(await batches('short'), 1);
      assert.ok((await batches('x'.repeat(8000))) >= 4);
    }),
  );

  it('has two batches under way where the store takes two, never of one dealer, and settles all before it is closed', async () => {
    const sqlite = openStore(readSettings({ DATABASE_URL: `sqlite:${MEMORY}` }));
    await sqlite.migrate();
    const underWay: string[][] = [];
    let most = 0;
    const store = overriding(sqlite, {
      atOnce: { batches: 2, apart: 1 },
      commit: async (needs, work) => {
        const dealers = [...needs.dealers.keys()];
        assert.deepEqual(
          underWay.flat().filter((dealerId) => dealers.includes(dealerId)),
          [],
        );
        underWay.push(dealers);
        most = Math.max(most, underWay.length);
        await new Promise((resolve) => setTimeout(resolve, dealers.includes('slow') ? 50 : 2));
        const locked = await sqlite.commit(needs, work);
        underWay.splice(underWay.indexOf(dealers), 1);
        return locked;
      },
    });
    const journal = journalOn(store, { onFault: () => {} });
    const outcomes: Promise<Outcome>[] = [];
    const dealerOf = (n: number) => (n % 40 === 0 ? 'slow' : `d${n % 7}`);
    for (let n = 0; n < 2000; n += 1) {
      const command = says(null);
      outcomes.push(
        journal.append({ ...command, body: { ...command.body, dealerId: dealerOf(n) } as Command['body'] }),
      );
      if (n % 20 === 0) await new Promise(setImmediate);
    }
    await journal.close();
    const settled = await Promise.all(outcomes);
    assert.equal(most, 2);
    for (const dealerId of ['slow', ...Array.from({ length: 7 }, (_, n) => `d${n}`)]) {
      const seqs = settled.filter((_, n) => dealerOf(n) === dealerId).map(seqOf);
      assert.deepEqual(
        seqs,
        seqs.map((_, n) => n + 1),
        dealerId,
      );
    }
    await sqlite.close();
  });

  it(
    'settles what it has taken before it is closed, and takes nothing after',
    withJournal(async ({ journal, store }) => {
      const taken = Array.from({ length: 600 }, () => journal.append(says(null)));
      let settled = 0;
      for (const each of taken) each.then(() => (settled += 1));
      const closed = journal.close();
      assert.equal(codeOf(await journal.append(says('late'))), 'unavailable');
      await closed;
      assert.equal(settled, 600);
      assert.ok((await Promise.all(taken)).every((outcome) => seqOf(outcome) !== undefined));
      assert.equal((await allIn(store)).length, 600);
      assert.equal(codeOf(await journal.append(says('later'))), 'unavailable');
      await journal.close();
    }),
  );

  it(
    'refuses as unavailable what is too much to wait, and takes more when that has been stored',
    withJournal(async ({ journal }) => {
      const appended: Promise<Outcome>[] = [];
      let isFull = false;
      while (!isFull && appended.length < 100_000) {
        const outcome = journal.append(types);
        appended.push(outcome);
        // A refusal of what cannot wait is there at once: nothing else settles before the next turn.
        if (appended.length % 1000 === 0)
          isFull = (await Promise.race([outcome, Promise.resolve('waits')])) !== 'waits';
      }
      const outcomes = await Promise.all(appended);
      const refused = outcomes.findIndex((outcome) => 'refusal' in outcome);
      assert.ok(refused > 1000, `${refused} may wait`);
      assert.ok(outcomes.slice(refused).every((outcome) => codeOf(outcome) === 'unavailable'));
      assert.equal(seqOf(await journal.append(says('a'))), 1);
    }),
  );
});
