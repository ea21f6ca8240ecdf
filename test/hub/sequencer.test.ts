/** [P-8.3] What comes from several nodes, out of order, twice or not at all, is delivered in the order of each scope. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Outlet } from '../../src/conversation/outlet.ts';
import { Hub } from '../../src/hub/hub.ts';
import type { Publication } from '../../src/hub/publication.ts';
import { type Log, Sequencer } from '../../src/hub/sequencer.ts';
import { Readings } from '../../src/store/readings.ts';
import { MemorySocket } from '../support/memory-socket.ts';
import { TestPeer } from '../support/peers.ts';
import { Inbox } from '../support/until.ts';

/** Long enough ago that nothing of then is new to anybody. */
const LONG_AGO = Date.now() - 24 * 3_600_000;

/** By how much clocks of nodes differ at most, in ms. */
const LATENESS = 60_000;

/** Unsent bytes after which a socket reads too slowly. */
const MAX_BACKLOG = 1000;

/** A log of one dealer, as another node has it; it fails as often as it is told to. */
class TestLog implements Log {
  readonly events: { readonly scope: string; readonly seq: number; readonly at: number }[] = [];
  readonly reads: string[] = [];
  failures = 0;
  /** What the node is storing itself. */
  storing: Promise<void> = Promise.resolve();

  settled(): Promise<void> {
    return this.storing;
  }

  write(scope: string, upTo: number, at = Date.now()): void {
    for (let seq = this.#tail(scope) + 1; seq <= upTo; seq += 1) this.events.push({ scope, seq, at });
  }

  /** Erases what a group has said up to a seq; what came after goes on counting. */
  erase(scope: string, upTo: number): void {
    const left = this.events.filter((event) => event.scope !== scope || event.seq > upTo);
    this.events.splice(0, this.events.length, ...left);
  }

  #tail(scope: string): number {
    return this.events.reduce((last, event) => (event.scope === scope ? Math.max(last, event.seq) : last), 0);
  }

  #read(what: string): void {
    assert.ok(this.reads.length < 1000, 'the log is asked for ever');
    this.reads.push(what);
    if (this.failures === 0) return;
    this.failures -= 1;
    throw new Error('the log is away');
  }

  async tails(_: string, scopes: readonly string[]): Promise<Map<string, number>> {
    this.#read('tails');
    return new Map(scopes.map((scope) => [scope, this.#tail(scope)]));
  }

  async tailsSince(_: string, since: number): Promise<Map<string, number>> {
    this.#read('tailsSince');
    const recent = this.events.filter(({ scope, at }) => !scope.startsWith('@') && at >= since);
    return new Map(recent.map(({ scope }) => [scope, this.#tail(scope)]));
  }

  async between(_: string, scope: string, after: number, before: number, since: number): Promise<Publication[]> {
    this.#read(`${scope} ${after}-${before}`);
    const found = this.events.filter(
      (event) => event.scope === scope && event.seq > after && event.seq < before && event.at >= since,
    );
    return found.slice(0, 3).map(({ seq, at }) => event(scope, seq, { at }));
  }
}

const event = (scope: string, seq: number | null, more: Partial<Publication> = {}): Publication => ({
  type: 'CHAT_MSG',
  dealerId: 'd1',
  groupId: 'g1',
  scope,
  seq,
  at: seq,
  frame: `${scope} ${seq}`,
  answer: null,
  ...more,
});

function open(patience = 5) {
  const log = new TestLog();
  const delivered = new Inbox<Publication>();
  const hub = new Hub(MAX_BACKLOG);
  const acknowledge = (publication: Publication) => hub.acknowledge(publication);
  const clock = { now: Date.now() };
  const sequencer = new Sequencer({
    log,
    readings: new Readings(2),
    deliver: delivered.put,
    acknowledge,
    now: () => clock.now,
    patience,
    lateness: LATENESS,
  });
  const take = (scope: string, ...seqs: number[]) => {
    for (const seq of seqs) sequencer.take(event(scope, seq));
  };
  const seqs = (scope = 'g1') => delivered.items.filter((each) => each.scope === scope).map(({ seq }) => seq);
  return { log, delivered, sequencer, take, seqs, clock };
}

/** Where an admin is, who sees every group, and g1 has gone as far as 3. */
async function openDesk(patience?: number) {
  const opened = open(patience);
  opened.log.write('g1', 3);
  await opened.sequencer.followAll('d1');
  return opened;
}

describe('a sequencer', () => {
  it('delivers at once what comes in order, and what has no seq, in whatever place', async () => {
    const { sequencer, take, seqs, delivered } = await openDesk();
    take('g1', 4);
    sequencer.take(event('g1', null));
    take('g1', 5);
    take('g2', 1, 2);
    assert.deepEqual(seqs(), [4, null, 5]);
    assert.deepEqual(seqs('g2'), [1, 2]);
    assert.equal(delivered.items.length, 5);
    sequencer.close();
  });

  it('holds what overtook until what it overtook comes, and asks the log for nothing', async () => {
    const { sequencer, take, seqs, log } = await openDesk(60_000);
    const reads = log.reads.length;
    take('g1', 6, 5);
    assert.deepEqual(seqs(), []);
    take('g2', 1);
    take('g1', 4);
    assert.deepEqual(seqs(), [4, 5, 6]);
    assert.equal(log.reads.length, reads);
    sequencer.close();
  });

  it('fetches what was lost, in as many readings as it takes, and drops it when it comes after all', async () => {
    const { sequencer, take, seqs, log, delivered } = await openDesk();
    log.write('g1', 12);
    take('g1', 12);
    await delivered.first(9);
    take('g1', 7, 12, 4);
    assert.deepEqual(seqs(), [4, 5, 6, 7, 8, 9, 10, 11, 12]);
    sequencer.close();
  });

  it('drops what comes twice', async () => {
    const { sequencer, take, seqs } = await openDesk();
    take('g1', 4, 4, 3, 1, 5, 4, 5);
    assert.deepEqual(seqs(), [4, 5]);
    sequencer.close();
  });

  it("keeps the answer that is owed where the node's own event waits, and its echo comes before its turn", async () => {
    const { sequencer, take, seqs, delivered } = await openDesk(60_000);
    const answer = { peer: new TestPeer(), frame: 'ack' };
    sequencer.take(event('g1', 5, { answer }));
    take('g1', 5, 4);
    assert.deepEqual(seqs(), [4, 5]);
    assert.equal(delivered.items[1]?.answer, answer);
    sequencer.close();
  });

  it('takes the answer in place of the echo where that came first', async () => {
    const { sequencer, take, delivered } = await openDesk(60_000);
    const answer = { peer: new TestPeer(), frame: 'ack' };
    take('g1', 5);
    sequencer.take(event('g1', 5, { answer }));
    take('g1', 4);
    assert.equal(delivered.items[1]?.answer, answer);
    sequencer.close();
  });

  it('waits for what the node is storing itself before it reads the log: an ack takes the place of its event', async () => {
    const { sequencer, take, log, delivered } = await openDesk();
    const answer = { peer: new TestPeer(), frame: 'ack' };
    let stored = () => {};
    log.storing = new Promise((resolve) => {
      stored = resolve;
    });
    log.write('g1', 6);
    take('g1', 6);
    sequencer.catchUp('d1');
    // By then it would have been read and delivered: nothing but promises lies between.
    await new Promise(setImmediate);
    sequencer.take(event('g1', 5, { answer }));
    stored();
    await delivered.first(3);
    assert.deepEqual(
      delivered.items.map(({ seq, answer: owed }) => [seq, owed]),
      [
        [4, null],
        [5, answer],
        [6, null],
      ],
    );
    sequencer.close();
  });

  it('sends the ack of an event that was already delivered from the log, and not the event again', async () => {
    const { sequencer, seqs, log } = await openDesk();
    log.write('g1', 4);
    sequencer.catchUp('d1');
    const peer = new TestPeer();
    sequencer.take(event('g1', 4, { answer: { peer, frame: 'ack' } }));
    sequencer.take(event('g1', 4, { answer: { peer, frame: 'ack again' } }));
    sequencer.take(event('g1', 4, { answer: { peer, frame: null } }));
    assert.deepEqual(seqs(), [4]);
    assert.deepEqual(peer.texts, ['ack again']);
    sequencer.close();
  });

  it('closes a sender that takes such acks too slowly, like any other [P-9]', async () => {
    const { sequencer, take } = await openDesk();
    take('g1', 4);
    const socket = new MemorySocket();
    socket.unsent = MAX_BACKLOG + 1;
    const peer = new Outlet(socket, MAX_BACKLOG, () => {});
    sequencer.take(event('g1', 4, { answer: { peer, frame: '{}' } }));
    await turn();
    assert.equal(socket.closedWith, 4508);
    sequencer.close();
  });
});

describe('a sequencer that meets a group for the first time', () => {
  it('fetches what is newer than its own opening, and nothing older', async () => {
    const { sequencer, take, log, delivered, seqs } = open();
    log.write('old', 5, LONG_AGO);
    await sequencer.followAll('d1');
    log.write('old', 9);
    take('old', 9);
    await delivered.first(4);
    assert.deepEqual(seqs('old'), [6, 7, 8, 9]);
    sequencer.close();
  });

  it('delivers the first new event of a group of long ago by itself', async () => {
    const { sequencer, take, log, delivered, seqs } = open();
    log.write('old', 5, LONG_AGO);
    await sequencer.followAll('d1');
    log.write('old', 6);
    take('old', 6);
    await delivered.first(1);
    assert.deepEqual(seqs('old'), [6]);
    sequencer.close();
  });

  it('holds what comes while it opens, and delivers then what is beyond what the log had', async () => {
    const { sequencer, take, log, delivered, seqs } = open();
    log.write('g1', 3);
    const opening = sequencer.followAll('d1');
    take('g1', 3, 5, 4);
    await opening;
    await delivered.first(2);
    assert.deepEqual(seqs(), [4, 5]);
    sequencer.close();
  });

  it('opens when the log is there again, where it was away', async () => {
    const { sequencer, take, log, seqs } = open();
    log.write('g1', 3);
    log.failures = 1;
    await assert.rejects(sequencer.followAll('d1'));
    await sequencer.followAll('d1');
    take('g1', 3, 4);
    assert.deepEqual(seqs(), [4]);
    sequencer.close();
  });
});

describe('a sequencer with customers alone', () => {
  it('goes on from what they were told, and delivers at once what no one of them waits for', async () => {
    const { sequencer, take, seqs, log } = open();
    sequencer.follow('d1', 'g1');
    sequencer.know(
      'd1',
      new Map([
        ['g1', 3],
        ['@dealer', 0],
      ]),
    );
    take('g1', 5, 4);
    take('other', 7, 8);
    take('@dealer', 1);
    assert.deepEqual([seqs(), seqs('other'), seqs('@dealer')], [[4, 5], [7, 8], [1]]);
    assert.deepEqual(log.reads, []);
    sequencer.close();
  });

  it('loses nothing that overtook while one of them was being told how far the group goes', () => {
    const { sequencer, take, seqs } = open(60_000);
    sequencer.follow('d1', 'g1');
    take('g1', 5);
    sequencer.know('d1', new Map([['g1', 3]]));
    take('g1', 4);
    assert.deepEqual(seqs(), [4, 5]);
    sequencer.close();
  });

  it('keeps what the first was told: what a later one has been told is no reason to skip', () => {
    const { sequencer, take, seqs } = open(60_000);
    sequencer.follow('d1', 'g1');
    sequencer.know('d1', new Map([['g1', 3]]));
    sequencer.know('d1', new Map([['g1', 5]]));
    take('g1', 4, 5, 6);
    assert.deepEqual(seqs(), [4, 5, 6]);
    sequencer.close();
  });

  it('has one of them read again whose reading was overtaken by one that went further', () => {
    const { sequencer, take, seqs } = open(60_000);
    sequencer.follow('d1', 'g1');
    take('g1', 4);
    assert.equal(sequencer.know('d1', new Map([['g1', 4]])), true);
    assert.equal(sequencer.know('d1', new Map([['g1', 3]])), false, '4 was skipped');
    assert.equal(sequencer.know('d1', new Map([['g1', 4]])), true);
    assert.deepEqual(seqs(), []);
    sequencer.close();
  });
});

describe('a sequencer that may have missed something', () => {
  it('delivers all that the log has more, of every group and of both scopes of the dealer', async () => {
    const { sequencer, log, delivered, seqs } = await openDesk();
    sequencer.know(
      'd1',
      new Map([
        ['@dealer', 0],
        ['@desk', 0],
      ]),
    );
    log.write('g1', 8);
    log.write('new', 2);
    log.write('@desk', 4);
    log.write('@dealer', 1);
    sequencer.catchUp('d1');
    await delivered.first(12);
    assert.deepEqual(
      [seqs(), seqs('new'), seqs('@desk'), seqs('@dealer')],
      [[4, 5, 6, 7, 8], [1, 2], [1, 2, 3, 4], [1]],
    );
    sequencer.close();
  });

  it('asks again and again while the log fails, for a loss too', async () => {
    const { sequencer, take, log, delivered, seqs } = await openDesk();
    log.failures = 1;
    log.write('g1', 5);
    sequencer.catchUp('d1');
    await delivered.first(2);
    log.failures = 3;
    log.write('g1', 8);
    take('g1', 8);
    await delivered.first(5);
    assert.deepEqual([seqs(), log.failures], [[4, 5, 6, 7, 8], 0]);
    sequencer.close();
  });

  it('asks once more, and not ten times, where it is told ten times while it asks', async () => {
    const { sequencer, log, delivered } = await openDesk();
    const before = log.reads.length;
    for (let n = 0; n < 10; n += 1) sequencer.catchUp('d1');
    log.write('g1', 4);
    await delivered.first(1);
    for (let n = 0; n < 10; n += 1) sequencer.catchUp('d1');
    log.write('g1', 5);
    await delivered.first(2);
    await turn();
    assert.ok(log.reads.length - before <= 8, log.reads.slice(before).join(', '));
  });

  it('reads for many dealers a few at a time', async () => {
    const { sequencer, log } = open();
    const dealers = Array.from({ length: 600 }, (_, index) => `d${index}`);
    for (const dealerId of dealers) sequencer.follow(dealerId, 'g1');
    const reading = { now: 0, most: 0, times: 0 };
    log.tails = async () => {
      reading.now += 1;
      reading.times += 1;
      reading.most = Math.max(reading.most, reading.now);
      await turn();
      reading.now -= 1;
      return new Map();
    };
    for (const dealerId of dealers) sequencer.catchUp(dealerId);
    while (reading.times < 600 || reading.now > 0) await turn();
    assert.ok(reading.most <= 2, `${reading.most} at once`);
  });

  it('goes on after what was erased before it was seen: it never comes [P-11.4]', async (t) => {
    const { sequencer, log, delivered, seqs, take } = await openDesk();
    t.after(() => sequencer.close());
    log.write('g1', 7);
    log.erase('g1', 5);
    sequencer.catchUp('d1');
    await delivered.first(2);
    assert.deepEqual(seqs(), [6, 7]);
    log.write('g1', 11);
    log.erase('g1', 9);
    take('g1', 11);
    await delivered.first(4);
    assert.deepEqual(seqs(), [6, 7, 10, 11]);
  });

  it('delivers what was missed of a group by its seq, whatever time the node that stored it believed it to be', async () => {
    const { sequencer, log, delivered, seqs } = await openDesk();
    log.write('g1', 6, Date.now() - 20 * 60_000);
    sequencer.catchUp('d1');
    await delivered.first(3);
    assert.deepEqual(seqs(), [4, 5, 6]);
    sequencer.close();
  });

  it('looks no further back for groups that it does not know than to when it looked before', async () => {
    const { sequencer, log, clock } = await openDesk();
    const asked: number[] = [];
    const { tailsSince } = log;
    log.tailsSince = async (dealerId, since) => {
      asked.push(since);
      return tailsSince.call(log, dealerId, since);
    };
    const days = [1, 2, 3].map((day) => clock.now + day * 24 * 3_600_000);
    for (const day of days) {
      clock.now = day;
      sequencer.catchUp('d1');
      while (asked.length < days.indexOf(day) + 1) await turn();
    }
    assert.deepEqual(
      asked.slice(1),
      days.slice(0, -1).map((day) => day - LATENESS),
    );
    sequencer.close();
  });

  it('does nothing for a dealer that nobody is here of, or of whom the last has gone', async () => {
    const { sequencer, take, log, seqs } = await openDesk(60_000);
    const reads = log.reads.length;
    take('g1', 9);
    sequencer.forget('d1');
    sequencer.catchUp('d1');
    sequencer.catchUp('d2');
    assert.deepEqual([sequencer.dealers, log.reads.length, seqs()], [[], reads, []]);
    await sequencer.followAll('d1');
    take('g1', 4);
    assert.deepEqual(seqs(), [4], 'what waited is forgotten');
    sequencer.close();
  });
});

describe('a sequencer that many conversations pass', () => {
  const MANY = 20_000;

  /** Counts the scopes that are remembered: their ends are what is asked of the log where something may have been missed. */
  async function remembered({ log, sequencer }: ReturnType<typeof open>): Promise<number> {
    let count = 0;
    let isOver = false;
    const { tails } = log;
    log.tails = async (dealerId, scopes) => {
      count += scopes.length;
      isOver = scopes.length < 1_000;
      return tails.call(log, dealerId, scopes);
    };
    sequencer.catchUp('d1');
    while (!isOver) await turn();
    log.tails = tails;
    return count;
  }

  it('forgets those in which nothing happens any more, and delivers what comes in one of them later, once', async () => {
    const opened = open();
    const { sequencer, take, log, clock, seqs, delivered } = opened;
    await sequencer.followAll('d1');
    for (let n = 0; n < MANY; n += 1) sequencer.take(event(`g${n}`, 1, { at: clock.now }));
    log.write('g7', 1, clock.now);
    clock.now += 10 * LATENESS;
    log.write('g7', 2, clock.now);
    sequencer.forgetQuiet();
    await delivered.first(1, ({ scope, seq }) => scope === 'g7' && seq === 2);
    while ((await remembered(opened)) > 1_000);
    clock.now += 10 * LATENESS;
    log.write('g8', 1, clock.now - 20 * LATENESS);
    log.write('g8', 3, clock.now);
    take('g8', 3);
    await delivered.first(1, ({ scope, seq }) => scope === 'g8' && seq === 3);
    assert.deepEqual(
      [seqs('g7'), seqs('g8')],
      [
        [1, 2],
        [1, 2, 3],
      ],
    );
    sequencer.close();
  });

  it('forgets none in which something just happened', async () => {
    const opened = open();
    const { sequencer, log, clock } = opened;
    await sequencer.followAll('d1');
    clock.now += 10 * LATENESS;
    for (let n = 0; n < MANY; n += 1) sequencer.take(event(`g${n}`, 1, { at: clock.now }));
    const reads = log.reads.length;
    sequencer.forgetQuiet();
    while (!log.reads.slice(reads).includes('tailsSince')) await turn();
    assert.equal(await remembered(opened), MANY + 2);
    sequencer.close();
  });

  it('forgets each with its customer, where no desk is here', async () => {
    const opened = open();
    const { sequencer } = opened;
    sequencer.follow('d1', 'stays');
    for (let n = 0; n < MANY; n += 1) {
      sequencer.follow('d1', `g${n}`);
      sequencer.know(
        'd1',
        new Map([
          [`g${n}`, 3],
          ['@dealer', 0],
        ]),
      );
      sequencer.leave('d1', `g${n}`);
    }
    assert.equal(await remembered(opened), 2);
    sequencer.close();
  });

  it('keeps one of whom another socket is here', () => {
    const { sequencer, take, seqs } = open(60_000);
    sequencer.follow('d1', 'g1');
    sequencer.follow('d1', 'g1');
    sequencer.know('d1', new Map([['g1', 3]]));
    sequencer.leave('d1', 'g1');
    take('g1', 5, 4);
    assert.deepEqual(seqs(), [4, 5]);
    sequencer.close();
  });
});
