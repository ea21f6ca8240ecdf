/** [P-3.6] What a socket missed is sent as fast as it takes it, and no faster, from real SQLite. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commandOf } from '../../src/commands/command.ts';
import { turn } from '../../src/commands/turns.ts';
import type { House } from '../../src/conversation/house.ts';
import { replay } from '../../src/conversation/replay.ts';
import type { Peer } from '../../src/hub/peer.ts';
import { withHouse } from '../support/house.ts';
import { until } from '../support/until.ts';

const BOT = { role: 'server', dealerId: 'd1', name: 'bot' } as const;

/** A socket that takes what it is sent where a test says so. */
class Reader implements Peer {
  readonly seqs: number[] = [];
  unsent = 0;
  isOpen = true;
  closedWith: number | null = null;
  takesAll = true;
  readonly #waiting: (() => void)[] = [];

  send(text: string, onGone?: () => void): void {
    this.seqs.push(JSON.parse(text).seq);
    if (this.takesAll) onGone?.();
    else if (onGone) this.#waiting.push(onGone);
  }

  /** It takes all that waits to be taken. */
  take(): void {
    for (const gone of this.#waiting.splice(0)) gone();
  }

  close(code: number): void {
    this.isOpen = false;
    this.closedWith = code;
    this.take();
  }
}

/** A log of so many messages in one group, and a replay of it. */
const withLog = (
  count: number,
  use: (reader: Reader, run: (seen: number, recovered?: boolean) => Promise<void>, house: House) => Promise<void>,
  options: Parameters<typeof withHouse>[0] = {},
) =>
  withHouse(options, async (house) => {
    const says = () => commandOf(BOT, 'event', { type: 'UPDATE_MSG', groupId: 'g1', user: 'bot', message: 'x' });
    await Promise.all(Array.from({ length: count }, () => house.journal.append(says())));
    assert.equal((await house.store.tails('d1', ['g1'])).get('g1'), count);
    const reader = new Reader();
    const run = (seen: number, recovered = true) =>
      replay(house, 'd1', { g1: seen }, { tails: new Map([['g1', count]]), recovered: { g1: recovered } }, reader);
    await use(reader, run, house);
  });

/** From one to another, both of them in it. */
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

describe('what a socket missed', () => {
  it('is sent in order, from what it has seen to what there was when it joined', () =>
    withLog(12, async (reader, run) => {
      await run(3);
      assert.deepEqual(reader.seqs, range(4, 12));
    }));

  it('is nothing where it has seen all, and where it cannot be told whole', () =>
    withLog(3, async (reader, run) => {
      await run(3);
      await run(0, false);
      assert.deepEqual(reader.seqs, []);
    }));

  it('is sent page by page: the next is read when the one before it has left', () =>
    withLog(600, async (reader, run) => {
      reader.takesAll = false;
      const done = run(0);
      await until('the first page', async () => reader.seqs.length > 0);
      for (let turns = 0; turns < 20; turns += 1) await turn();
      const first = reader.seqs.length;
      assert.ok(first < 600);
      reader.takesAll = true;
      reader.take();
      await done;
      assert.deepEqual(reader.seqs, range(1, 600));
    }));

  it('is sent one by one while more is unsent than a part of its backlog', () =>
    withLog(5, async (reader, run, { settings }) => {
      reader.takesAll = false;
      reader.unsent = settings.MAX_SOCKET_BACKLOG / 4 + 1;
      const done = run(0);
      await until('the first', async () => reader.seqs.length > 0);
      for (let turns = 0; turns < 20; turns += 1) await turn();
      assert.deepEqual(reader.seqs, [1]);
      reader.unsent -= 1;
      reader.take();
      await until('the last', async () => reader.seqs.length === 5);
      reader.take();
      await done;
    }));

  it('ends where the socket is closed', () =>
    withLog(600, async (reader, run) => {
      reader.takesAll = false;
      const done = run(0);
      await until('the first page', async () => reader.seqs.length > 0);
      const first = reader.seqs.length;
      reader.close(1000);
      await done;
      assert.equal(reader.seqs.length, first);
    }));

  it('closes as a slow consumer one that does not take it in time, and nobody who has', () =>
    withLog(
      2,
      async (reader, run) => {
        await run(0);
        await new Promise((resolve) => setTimeout(resolve, 60));
        assert.equal(reader.closedWith, null);
        reader.takesAll = false;
        await run(0);
        assert.equal(reader.closedWith, 4508);
      },
      { timing: { replayTimeout: 30 } },
    ));

  it('ends where it was erased meanwhile', () =>
    withHouse({}, async (house) => {
      const reader = new Reader();
      const missed = { tails: new Map([['g1', 5]]), recovered: { g1: true } };
      await replay(house, 'd1', { g1: 0 }, missed, reader);
      assert.deepEqual(reader.seqs, []);
    }));
});
