/** [P-13.2] Who is told that a dealer is open, and what is looked at when, by plain values. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decide } from '../../src/domain/decide.ts';
import { type Command, NEW_RULES, type Rules, type State } from '../../src/domain/state.ts';
import { NOW, stateOf, taken } from './deciding.ts';

const SECOND = 1000;
const dealerId = 'd1';
/** Open until ten minutes past three, which is six minutes away. */
const settings: Rules['settings'] = {
  hours: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], open: '00:00', close: '03:10' }],
};
const CLOSES = Date.UTC(2026, 0, 2, 3, 10);

const ask = (state: State, body: Command['body']) =>
  taken(decide(state, { role: 'server', sender: 'server:timers', key: null, body }, { autoMute: true }));

/** The first admin comes. */
const comes = (rules: Partial<Rules>, at = NOW) =>
  ask(stateOf({}, { at, rules: { ...NEW_RULES, settings, ...rules } }), {
    type: 'ADMIN_JOIN',
    dealerId,
    adminId: 'a1',
    online: true,
    node: 'n1',
  });

describe('[P-13.2] an admin who comes or leaves', () => {
  it('has the dealer looked at when its hours turn', () => {
    assert.equal(comes({ lookAt: null }).state.rules.lookAt, CLOSES);
    assert.equal(comes({ lookAt: NOW + SECOND }).state.rules.lookAt, NOW + SECOND, 'what comes before stays');
  });

  it('leaves it to be looked at where that is due: its settings have changed, or its hours turned', () => {
    assert.equal(comes({ lookAt: 0 }).state.rules.lookAt, 0);
    assert.equal(comes({ lookAt: NOW }).state.rules.lookAt, NOW);
  });

  it('tells that it has closed in place of the look that would have, and the next opening is told', () => {
    const { events, state } = comes({ lookAt: CLOSES, isOpen: true }, CLOSES + SECOND);
    const told = events.find(({ type }) => type === 'AVAILABILITY');
    const opens = Date.UTC(2026, 0, 3);
    assert.deepEqual(told, {
      type: 'AVAILABILITY',
      dealerId,
      open: false,
      admins: true,
      changesAt: new Date(opens).toISOString(),
    });
    const looked = ask({ ...state, present: 1 }, { type: 'WAKE_DEALER', dealerId });
    assert.deepEqual([looked.events, looked.state.rules.lookAt], [[], opens], 'it was told');
    const opened = ask({ ...looked.state, at: opens }, { type: 'WAKE_DEALER', dealerId });
    assert.deepEqual(
      opened.events.map((event) => 'open' in event && event.open),
      [true],
    );
  });
});
