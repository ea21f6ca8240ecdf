import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { Presence, type Who } from '../../src/hub/presence.ts';

const GRACE = 5000;
const ann: Who = { role: 'customer', dealerId: 'd1', groupId: 'g1' };
const agent: Who = { role: 'admin', dealerId: 'd1', adminId: 'g1' };

/** A presence, and who has been told to be gone; `failing` makes the next tellings reject. */
function watch() {
  const gone: Who[] = [];
  const state = { failing: 0 };
  const presence = new Presence({
    grace: GRACE,
    gone: async (who) => {
      gone.push(who);
      if (state.failing-- > 0) throw new Error('the database does not answer');
    },
  });
  return { presence, gone, state };
}

/** Lets what a rejection sets off happen. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('presence', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  it('tells that somebody is gone when the grace is over, once, and not before [P-7.5]', () => {
    const { presence, gone } = watch();
    presence.came(ann);
    presence.left(ann);
    mock.timers.tick(GRACE - 1);
    assert.deepEqual(gone, []);
    mock.timers.tick(1);
    assert.deepEqual(gone, [ann]);
    mock.timers.tick(10 * GRACE);
    assert.deepEqual(gone, [ann]);
  });

  it('does not tell of one who comes back within the grace', () => {
    const { presence, gone } = watch();
    presence.came(ann);
    presence.left(ann);
    mock.timers.tick(GRACE - 1);
    presence.came(ann);
    mock.timers.tick(10 * GRACE);
    assert.deepEqual(gone, []);
  });

  it('gives the whole grace again to one who came back and left again', () => {
    const { presence, gone } = watch();
    presence.came(ann);
    presence.left(ann);
    mock.timers.tick(GRACE - 1);
    presence.came(ann);
    presence.left(ann);
    mock.timers.tick(GRACE - 1);
    assert.deepEqual(gone, []);
    mock.timers.tick(1);
    assert.deepEqual(gone, [ann]);
  });

  it('counts sockets: only the last one’s leaving begins the grace', () => {
    const { presence, gone } = watch();
    for (let sockets = 0; sockets < 3; sockets += 1) presence.came(ann);
    presence.left(ann);
    presence.left(ann);
    mock.timers.tick(10 * GRACE);
    assert.deepEqual(gone, []);
    presence.left(ann);
    mock.timers.tick(GRACE);
    assert.deepEqual(gone, [ann]);
  });

  it('tells apart customers, admins and dealers that have the same name', () => {
    const { presence, gone } = watch();
    const other: Who = { role: 'customer', dealerId: 'd2', groupId: 'g1' };
    for (const who of [ann, agent, other]) presence.came(who);
    presence.left(agent);
    mock.timers.tick(GRACE);
    assert.deepEqual(gone, [agent]);
    presence.left(other);
    mock.timers.tick(GRACE);
    assert.deepEqual(gone, [agent, other]);
  });

  it('knows everybody who has a socket here, each once, and nobody in their grace', () => {
    const { presence } = watch();
    assert.deepEqual(presence.here(), []);
    for (const who of [ann, agent, ann]) presence.came(who);
    assert.deepEqual(presence.here(), [ann, agent]);
    presence.left(ann);
    assert.deepEqual(presence.here(), [ann, agent]);
    presence.left(ann);
    assert.deepEqual(presence.here(), [agent]);
    presence.came(ann);
    assert.deepEqual(presence.here(), [agent, ann]);
  });

  it('tells it again after another grace for as long as the telling fails', async () => {
    const { presence, gone, state } = watch();
    state.failing = 2;
    presence.came(ann);
    presence.left(ann);
    for (const times of [1, 2, 3]) {
      mock.timers.tick(GRACE - 1);
      assert.equal(gone.length, times - 1);
      mock.timers.tick(1);
      await settled();
      assert.equal(gone.length, times);
    }
    mock.timers.tick(10 * GRACE);
    await settled();
    assert.deepEqual(gone, [ann, ann, ann]);
  });

  it('does not tell again of one who came back while the telling failed', async () => {
    const { presence, gone, state } = watch();
    state.failing = 1;
    presence.came(ann);
    presence.left(ann);
    mock.timers.tick(GRACE);
    presence.came(ann);
    await settled();
    mock.timers.tick(10 * GRACE);
    assert.deepEqual(gone, [ann]);
  });

  it('tells once of one who came and left again while the telling failed', async () => {
    const { presence, gone, state } = watch();
    state.failing = 1;
    presence.came(ann);
    presence.left(ann);
    mock.timers.tick(GRACE);
    presence.came(ann);
    presence.left(ann);
    await settled();
    mock.timers.tick(10 * GRACE);
    assert.deepEqual(gone, [ann, ann]);
  });

  it('does not tell again what failed once it is closed', async () => {
    const { presence, gone, state } = watch();
    state.failing = 1;
    presence.came(ann);
    presence.left(ann);
    mock.timers.tick(GRACE);
    presence.close();
    await settled();
    mock.timers.tick(10 * GRACE);
    assert.deepEqual(gone, [ann]);
  });

  it('tells nothing more once it is closed', () => {
    const { presence, gone } = watch();
    presence.came(ann);
    presence.came(agent);
    presence.left(ann);
    presence.close();
    presence.left(agent);
    mock.timers.tick(10 * GRACE);
    assert.deepEqual(gone, []);
  });
});
