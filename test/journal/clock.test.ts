/** The clock of nodes that share a database: the database's, whatever this machine's says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedClock } from '../../src/journal/clock.ts';

const NOON = Date.UTC(2026, 0, 2, 12);

/** A clock beside a steady one, and a database whose time is another and which takes a while to tell it. */
function open() {
  const machine = { steady: 1_000 };
  const clock = sharedClock(() => machine.steady);
  const hear = (ahead: number, there = 0, back = 0) =>
    clock.ask(async () => {
      machine.steady += there;
      const told = machine.steady + ahead;
      machine.steady += back;
      return told;
    });
  return { machine, clock, hear };
}

test('it is the time that the database tells, and goes on by the steady clock', async () => {
  const { machine, clock, hear } = open();
  await hear(NOON);
  assert.equal(clock.now(), NOON + 1_000);
  machine.steady += 60_000;
  assert.equal(clock.now(), NOON + 61_000);
});

test('before the database has been asked, it is what this machine believes', () => {
  const { clock } = open();
  assert.ok(Math.abs(clock.now() - Date.now()) < 1_000);
});

test('an answer that takes long changes nothing that may be right, and as little as it must of what is not', async () => {
  const { machine, clock, hear } = open();
  await hear(NOON);
  await hear(NOON, 0, 4_000);
  assert.equal(clock.now(), NOON + machine.steady);
  await hear(NOON + 10_000, 500, 500);
  assert.ok(Math.abs(clock.now() - (NOON + machine.steady + 9_500)) <= 1);
  await hear(NOON, 0, 0);
  assert.equal(clock.now(), NOON + machine.steady);
});

test('where the database does not answer, it stays as it is', async () => {
  const { machine, clock, hear } = open();
  await hear(NOON);
  await assert.rejects(clock.ask(async () => Promise.reject(new Error('away'))));
  assert.equal(clock.now(), NOON + machine.steady);
});
