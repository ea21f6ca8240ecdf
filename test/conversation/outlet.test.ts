/** [P-9] Whatever is sent to a socket, by whomever, goes out by one way, which knows who is too slow. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Outlet } from '../../src/conversation/outlet.ts';
import { Hub } from '../../src/hub/hub.ts';
import type { Publication } from '../../src/hub/publication.ts';
import { MemorySocket } from '../support/memory-socket.ts';
import { CREDENTIAL } from '../support/peers.ts';

const MAX_BACKLOG = 1000;
const FRAME = '{"channel":"pong","payload":{}}';

let socket: MemorySocket;
let outlet: Outlet;
let sent: number;

beforeEach(() => {
  socket = new MemorySocket();
  sent = 0;
  outlet = new Outlet(socket, MAX_BACKLOG, () => {
    sent += 1;
  });
});

describe('a slow consumer', () => {
  it('is closed with 4508 once more is unsent than the backlog allows, and not before', async () => {
    socket.unsent = MAX_BACKLOG;
    outlet.send(FRAME);
    await setImmediate();
    assert.equal(socket.closedWith, null);
    socket.unsent = MAX_BACKLOG + 1;
    outlet.send(FRAME);
    await setImmediate();
    assert.equal(socket.closedWith, 4508);
    assert.equal(outlet.closedWith, 4508);
  });

  it('is not who has taken it all by the next turn of the event loop, and may be one later', async () => {
    socket.unsent = MAX_BACKLOG + 1;
    outlet.send(FRAME);
    socket.unsent = 0;
    await setImmediate();
    assert.equal(socket.closedWith, null);
    socket.unsent = MAX_BACKLOG + 1;
    outlet.send(FRAME);
    await setImmediate();
    assert.equal(socket.closedWith, 4508);
  });

  it('is one too who takes none of the answers to control frames, which its transport sends', async () => {
    socket.unsent = MAX_BACKLOG + 1;
    outlet.checkBacklog();
    await setImmediate();
    assert.equal(socket.closedWith, 4508);
  });

  const place = { role: 'server', dealerId: 'd1' } as const;
  const event: Publication = {
    type: 'CHAT_MSG',
    dealerId: 'd1',
    groupId: 'g1',
    scope: 'g1',
    seq: 1,
    at: 1,
    frame: FRAME,
    answer: null,
  };
  const sends: Readonly<Record<string, (hub: Hub) => void>> = {
    'an event': (hub) => {
      hub.open(hub.enter(place, outlet, CREDENTIAL), new Map());
      hub.deliver(event);
    },
    'what was held for it while it joined': (hub) => {
      const seat = hub.enter(place, outlet, CREDENTIAL);
      socket.unsent = 0;
      hub.deliver(event);
      socket.unsent = MAX_BACKLOG + 1;
      hub.open(seat, new Map());
    },
    'an ack': (hub) => hub.deliver({ ...event, answer: { peer: outlet, frame: FRAME } }),
  };
  for (const [what, send] of Object.entries(sends)) {
    it(`is found by ${what} of the hub's`, async () => {
      socket.unsent = MAX_BACKLOG + 1;
      send(new Hub(MAX_BACKLOG));
      assert.equal(socket.frames.length, 1);
      await setImmediate();
      assert.equal(socket.closedWith, 4508);
    });
  }
});

describe('a socket that is no more', () => {
  it('is sent nothing, and whoever waits for that is told', () => {
    outlet.close(4401, 'so');
    let isGone = false;
    outlet.send(FRAME, () => {
      isGone = true;
    });
    assert.deepEqual([socket.frames, sent, isGone], [[], 0, true]);
  });

  it('is said to be closed by the code with which it was first', () => {
    outlet.close(4400, 'so');
    outlet.close(4429, 'and so');
    assert.equal(outlet.closedWith, 4400);
  });
});

it('counts what it sends', () => {
  outlet.send(FRAME);
  outlet.send(FRAME);
  assert.equal(sent, 2);
});
