import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decide } from '../../src/domain/decide.ts';
import { MAX_FIELDS, MAX_MERGED_BYTES } from '../../src/domain/records.ts';
import { fieldsOf } from '../../src/domain/size.ts';
import { type Command, NEW_GROUP, type State } from '../../src/domain/state.ts';

const IDS = { dealerId: 'd1', groupId: 'g1' } as const;
const STATE: State = {
  dealer: true,
  removed: false,
  group: NEW_GROUP,
  erased: null,
  places: new Set(),
  nodes: new Set(),
  user: null,
  lead: null,
  intent: null,
};
const NOWHERE: State = { ...STATE, dealer: false, group: null };

const ask = (state: State, body: Command['body'], role: Command['role'] = 'customer') =>
  decide(state, { role, sender: 'somebody', key: null, body }, { autoMute: true });

function taken(state: State, body: Command['body'], role?: Command['role']) {
  const decision = ask(state, body, role);
  if ('refusal' in decision) assert.fail(`refused: ${decision.refusal.message}`);
  return decision;
}

function refused(state: State, body: Command['body'], role?: Command['role']) {
  const decision = ask(state, body, role);
  if (!('refusal' in decision)) assert.fail('taken');
  return decision.refusal.code;
}

const kept = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('a record', () => {
  it('UPDATE_USER merges into the group’s one user, and is told as it came', () => {
    const body = { type: 'UPDATE_USER', ...IDS, message: { name: 'Ann', phone: '1' } } as const;
    const { events, state } = taken({ ...STATE, user: { name: 'A', email: 'a@x' } }, body);
    assert.deepEqual(events, [body]);
    assert.deepEqual(kept(state.user), { name: 'Ann', email: 'a@x', phone: '1' });
    assert.deepEqual([state.lead, state.intent], [null, null]);
  });

  it('UPDATE_LEAD merges into the group’s one lead, vehicle and all', () => {
    const body = { type: 'UPDATE_LEAD', ...IDS, message: { status: 'hot', vehicle: { year: 2026 } } } as const;
    const { events, state } = taken({ ...STATE, lead: { vehicle: { make: 'VW' } } }, body, 'admin');
    assert.deepEqual(events, [body]);
    assert.deepEqual(kept(state.lead), { status: 'hot', vehicle: { make: 'VW', year: 2026 } });
    assert.equal(state.user, null);
  });

  it('UPDATE_PAGEVIEW is told, and keeps nothing', () => {
    const body = { type: 'UPDATE_PAGEVIEW', ...IDS, message: { url: 'https://x.example/' } } as const;
    assert.deepEqual(taken(STATE, body), { events: [body], state: STATE });
  });

  it('CREATE_LEAD_INTENT adds an intent, open unless it says otherwise [P-6.5]', () => {
    const create = (message: { intent: string; status?: string }) =>
      kept(taken(STATE, { type: 'CREATE_LEAD_INTENT', ...IDS, message }).state.intent);
    assert.deepEqual(create({ intent: 'buy' }), { status: 'open', intent: 'buy' });
    assert.deepEqual(create({ intent: 'buy', status: 'won' }), { status: 'won', intent: 'buy' });
  });

  it('CREATE_LEAD_INTENT of one that is there is its update, and does not open it again', () => {
    const state = { ...STATE, intent: { intent: 'buy', status: 'won', notes: 'n' } };
    const body = { type: 'CREATE_LEAD_INTENT', ...IDS, message: { intent: 'buy', notes: 'm' } } as const;
    assert.deepEqual(kept(taken(state, body).state.intent), { intent: 'buy', status: 'won', notes: 'm' });
  });

  it('UPDATE_LEAD_INTENT merges into the intent, and is refused where there is none', () => {
    const body = { type: 'UPDATE_LEAD_INTENT', ...IDS, message: { intent: 'buy', status: 'lost' } } as const;
    assert.equal(refused(STATE, body), 'unknown_intent');
    const { events, state } = taken({ ...STATE, intent: { intent: 'buy', status: 'open' } }, body);
    assert.deepEqual(events, [body]);
    assert.deepEqual(kept(state.intent), { intent: 'buy', status: 'lost' });
  });

  it('that would grow beyond its bounds is refused, and to just there taken', () => {
    const frame = JSON.stringify({ name: '', email: '' }).length;
    const user = { name: 'x'.repeat(MAX_MERGED_BYTES - frame - 10) };
    const update = (text: string) => ({ type: 'UPDATE_USER', ...IDS, message: { email: text } }) as const;
    assert.equal(JSON.stringify(taken({ ...STATE, user }, update('x'.repeat(10))).state.user).length, MAX_MERGED_BYTES);
    assert.equal(refused({ ...STATE, user }, update('x'.repeat(11))), 'too_large');
    assert.equal(refused({ ...STATE, user }, update('é'.repeat(6))), 'too_large', 'bytes are counted, not characters');
  });
});

describe('the fields of a record [P-6.1]', () => {
  const some = (count: number, from = 0) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`f${from + at}`, 1]));
  const update = (message: Record<string, unknown>) => ({ type: 'UPDATE_LEAD', ...IDS, message }) as const;

  it('are counted with those of objects within it, and with the elements of arrays', () => {
    assert.equal(fieldsOf({}), 0);
    assert.equal(fieldsOf({ name: 'Ann', email: null }), 2);
    assert.equal(fieldsOf({ vehicle: { make: 'VW', model: 'Golf' }, more: [] }), 4);
    assert.equal(fieldsOf({ list: [1, [2, 3], { a: 1 }] }), 7);
  });

  it(`are ${MAX_FIELDS} at most, whatever they are in`, () => {
    const lead = some(MAX_FIELDS - 1);
    assert.equal(fieldsOf(taken({ ...STATE, lead }, update({ last: 1 })).state.lead ?? {}), MAX_FIELDS);
    for (const message of [some(2, 1000), { vehicle: { year: 2026 } }, { list: [1] }]) {
      const decision = ask({ ...STATE, lead }, update(message));
      assert.ok('refusal' in decision);
      assert.deepEqual(
        [decision.refusal.code, decision.refusal.message],
        ['too_large', 'with this update the lead would have more than 200 fields'],
      );
    }
    assert.equal(refused(STATE, update(some(MAX_FIELDS + 1))), 'too_large');
    taken({ ...STATE, lead }, update({ f1: null, last: 1, more: 1 }));
  });

  it('may be more where they were before the bound: they may change, and become fewer, but not more', () => {
    const lead = some(4500);
    taken({ ...STATE, lead }, update({ f0: 2 }));
    const { state } = taken({ ...STATE, lead }, update({ f0: null, f1: null, name: 'Ann' }));
    assert.equal(fieldsOf(state.lead ?? {}), 4499);
    assert.equal(refused({ ...STATE, lead }, update({ one: 'more' })), 'too_large');
  });
});

describe('what is not there', () => {
  const bodies: readonly Command['body'][] = [
    { type: 'UPDATE_MSG', ...IDS, user: 'customer', message: 'Hello' },
    { type: 'UPDATE_MSG', ...IDS, user: 'bot', message: 'Hello' },
    { type: 'MUTE_BOT', ...IDS, adminId: 'a1' },
    { type: 'CLOSE_CHAT', ...IDS, user: 'customer' },
    { type: 'UPDATE_CHAT', ...IDS, user: 'admin', adminId: 'a1', online: true },
    { type: 'UPDATE_GROUP', ...IDS, online: true },
    { type: 'UPDATE_USER', ...IDS, message: {} },
    { type: 'UPDATE_LEAD', ...IDS, message: {} },
    { type: 'UPDATE_PAGEVIEW', ...IDS, message: {} },
    { type: 'CREATE_LEAD_INTENT', ...IDS, message: { intent: 'buy' } },
    { type: 'TYPING', ...IDS, user: 'customer', typing: true },
  ];

  for (const body of bodies) {
    const who = 'user' in body ? `${body.type} of the ${body.user}` : body.type;

    it(`is made by another server’s ${who}: the dealer and the group [P-6.2]`, () => {
      const { state } = taken(NOWHERE, body, 'server');
      assert.equal(state.dealer, true);
      assert.ok(state.group);
    });

    it(`is not made by anybody else’s ${who}`, () => {
      assert.equal(refused(NOWHERE, body, 'admin'), 'unknown_dealer');
      assert.equal(refused({ ...NOWHERE, dealer: true }, body, 'admin'), 'unknown_group');
    });
  }

  it('stays away where another server is refused: an intent that nobody created', () => {
    const body = { type: 'UPDATE_LEAD_INTENT', ...IDS, message: { intent: 'buy' } } as const;
    assert.equal(refused(NOWHERE, body, 'server'), 'unknown_intent');
  });

  it('is made by another server’s announcement: the dealer alone', () => {
    const body = { type: 'SYS_MSG', dealerId: 'd1', adminId: 'a1', message: 'Sale!' } as const;
    const { state } = taken(NOWHERE, body, 'server');
    assert.deepEqual([state.dealer, state.group], [true, null]);
    assert.equal(refused(NOWHERE, body, 'admin'), 'unknown_dealer');
  });

  it('keeps customers and admins from joining: there is no such dealer', () => {
    assert.equal(
      refused(NOWHERE, {
        type: 'CLIENT_JOIN',
        ...IDS,
        online: true,
        node: 'n1',
        entry: { by: 'claim', id: undefined, at: 0, isHere: false },
      }),
      'unknown_dealer',
    );
    const adminJoin = { type: 'ADMIN_JOIN', dealerId: 'd1', adminId: 'a1', online: true, node: 'n1' } as const;
    assert.equal(refused(NOWHERE, adminJoin, 'admin'), 'unknown_dealer');
  });
});
