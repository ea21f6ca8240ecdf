/** [P-2.6] Who answers its pings lives, and who does not is cut. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Heartbeat } from '../../src/doors/websocket/heartbeat.ts';
import { TIMING } from '../../src/timing.ts';
import { until } from '../support/until.ts';

const heartbeats: [Heartbeat<Pinged>, Pinged][] = [];
afterEach(() => {
  for (const [heartbeat, socket] of heartbeats.splice(0)) heartbeat.stop(socket);
});

/** A socket that is pinged, and which answers where a test says so. */
class Pinged {
  readonly pings: string[] = [];
  isCut = false;
  answers: (payload: string) => void = () => {};

  ping(payload: string): void {
    this.pings.push(payload);
    this.answers(payload);
  }

  cut(): void {
    this.isCut = true;
  }

  async pinged(times: number): Promise<void> {
    await until(`${times} pings`, async () => this.pings.length >= times);
  }
}

function started(pongTimeout: number) {
  const heartbeat = new Heartbeat<Pinged>({ ...TIMING, pingInterval: 10, pongTimeout });
  const socket = new Pinged();
  heartbeats.push([heartbeat, socket]);
  heartbeat.start(socket);
  return { heartbeat, socket };
}

describe('a socket', () => {
  it('that answers is pinged again and again, each time with what nobody can guess, and stays', async () => {
    const { heartbeat, socket } = started(60);
    socket.answers = (payload) => heartbeat.lives(socket, payload);
    await socket.pinged(10);
    assert.equal(socket.isCut, false);
    assert.equal(new Set(socket.pings).size, socket.pings.length);
    assert.ok(socket.pings.every((payload) => payload.length === 8));
  });

  it('that does not answer in time is cut', async () => {
    const { socket } = started(30);
    await until('the cut', async () => socket.isCut);
    assert.ok(socket.pings.length > 0);
  });

  it('is asked the same until it answers, and may answer any of those', async () => {
    const { heartbeat, socket } = started(60_000);
    await socket.pinged(3);
    assert.equal(new Set(socket.pings).size, 1);
    heartbeat.lives(socket, socket.pings[0] ?? '');
    const asked = socket.pings.length;
    await socket.pinged(asked + 1);
    assert.notEqual(socket.pings.at(-1), socket.pings[0]);
  });

  it('that says something else has not answered', async () => {
    const { heartbeat, socket } = started(40);
    socket.answers = () => heartbeat.lives(socket, 'something else');
    await until('the cut', async () => socket.isCut);
  });

  it('that is stopped is neither pinged nor cut any more', async () => {
    const { heartbeat, socket } = started(20);
    await socket.pinged(1);
    heartbeat.stop(socket);
    const asked = socket.pings.length;
    await sleep(60);
    assert.deepEqual([socket.pings.length, socket.isCut], [asked, false]);
  });
});
