import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Fields } from '../../schemas/records.ts';
import { decide } from '../../src/domain/decide.ts';
import { MAX_FIELDS, MAX_INTENTS, MAX_MERGED_BYTES, merge } from '../../src/domain/records.ts';
import { fieldsOf } from '../../src/domain/size.ts';
import type { Command, Known, Side, State } from '../../src/domain/state.ts';
import { known } from '../support/rows.ts';
import { anyRecord } from './commands.ts';
import * as deciding from './deciding.ts';
import { IDS, NOTHING, stateOf } from './deciding.ts';

const STATE = stateOf();

const ask = (state: State, body: Command['body'], role: Command['role'] = 'customer') =>
  decide(state, { role, sender: 'somebody', key: null, body }, { autoMute: true });

const taken = (state: State, body: Command['body'], role?: Command['role']) => deciding.taken(ask(state, body, role));

const refused = (state: State, body: Command['body'], role?: Command['role']) =>
  deciding.refused(ask(state, body, role)).code;

const kept = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('a record', () => {
  it('UPDATE_USER merges into the group’s one user, and is told as it came', () => {
    const body = {
      type: 'UPDATE_USER',
      ...IDS,
      user: 'admin',
      adminId: 'a1',
      message: { name: 'Ann', phone: '1' },
    } as const;
    const { events, state } = taken({ ...STATE, user: known({ name: 'A', email: 'a@x' }) }, body, 'admin');
    assert.deepEqual(events, [body]);
    assert.deepEqual(kept(state.user?.fields), { name: 'Ann', email: 'a@x', phone: '1' });
    assert.deepEqual([state.lead, state.intent], [null, null]);
  });

  it('UPDATE_LEAD merges into the group’s one lead, vehicle and all', () => {
    const body = {
      type: 'UPDATE_LEAD',
      ...IDS,
      user: 'server',
      message: { status: 'hot', vehicle: { year: 2026 } },
    } as const;
    const { events, state } = taken({ ...STATE, lead: known({ vehicle: { make: 'VW' } }) }, body, 'admin');
    assert.deepEqual(events, [body]);
    assert.deepEqual(kept(state.lead?.fields), { status: 'hot', vehicle: { make: 'VW', year: 2026 } });
    assert.equal(state.user, null);
  });

  it('UPDATE_PAGEVIEW is told, and keeps nothing', () => {
    const body = { type: 'UPDATE_PAGEVIEW', ...IDS, user: 'customer', message: { url: 'https://x.example/' } } as const;
    assert.deepEqual(taken(STATE, body), { events: [body], state: STATE });
  });

  it('CREATE_LEAD_INTENT adds an intent, open unless it says otherwise [P-6.5]', () => {
    const create = (message: { intent: string; status?: string }) =>
      kept(taken(STATE, { type: 'CREATE_LEAD_INTENT', ...IDS, message }).state.intent?.fields);
    assert.deepEqual(create({ intent: 'buy' }), { status: 'open', intent: 'buy' });
    assert.deepEqual(create({ intent: 'buy', status: 'won' }), { status: 'won', intent: 'buy' });
  });

  it('CREATE_LEAD_INTENT of one that is there is its update, and does not open it again', () => {
    const state = { ...STATE, intent: known({ intent: 'buy', status: 'won', notes: 'n' }) };
    const body = { type: 'CREATE_LEAD_INTENT', ...IDS, message: { intent: 'buy', notes: 'm' } } as const;
    assert.deepEqual(kept(taken(state, body, 'admin').state.intent?.fields), {
      intent: 'buy',
      status: 'won',
      notes: 'm',
    });
  });

  it('UPDATE_LEAD_INTENT merges into the intent, and is refused where there is none', () => {
    const message = { intent: 'buy', status: 'lost' };
    const body = { type: 'UPDATE_LEAD_INTENT', ...IDS, user: 'server', message } as const;
    assert.equal(refused(STATE, body), 'unknown_intent');
    const { events, state } = taken({ ...STATE, intent: known({ intent: 'buy', status: 'open' }) }, body, 'admin');
    assert.deepEqual(events, [body]);
    assert.deepEqual(kept(state.intent?.fields), { intent: 'buy', status: 'lost' });
  });

  it('that would grow beyond its bounds is refused, and to just there taken', () => {
    const frame = JSON.stringify({ name: '', email: '' }).length;
    const name = 'x'.repeat(MAX_MERGED_BYTES - frame - 10);
    const update = (text: string) => ({ type: 'UPDATE_USER', ...IDS, message: { email: text } }) as const;
    for (const [role, user] of [
      ['customer', known({ name }, { name })],
      ['customer', known({ name })],
      ['server', known({ name })],
    ] as const) {
      const { state } = taken({ ...STATE, user }, update('x'.repeat(10)), role);
      assert.equal(JSON.stringify(state.user?.fields).length, MAX_MERGED_BYTES);
      assert.equal(refused({ ...STATE, user }, update('x'.repeat(11)), role), 'too_large');
      assert.equal(refused({ ...STATE, user }, update('é'.repeat(6)), role), 'too_large', 'bytes are counted');
    }
  });

  it('has one bound for both sides: what a customer says against the dealer counts, too', () => {
    const user = known({ name: 'x'.repeat(MAX_MERGED_BYTES - 100) });
    const update = { type: 'UPDATE_USER', ...IDS, message: { name: 'y'.repeat(100) } } as const;
    assert.equal(refused({ ...STATE, user }, update), 'too_large');
  });
});

/** Updates of one record in turn: whose, and what. */
type Said = readonly (readonly [Side, Fields])[];

const after = (said: Said): Known =>
  said.reduce<State>((state, [side, message]) => {
    const role = side === 'customer' ? 'customer' : 'server';
    return taken(state, { type: 'UPDATE_USER', ...IDS, message }, role).state;
  }, STATE).user ?? assert.fail('nothing is kept');

describe('[P-6.5] whose word it is', () => {
  /** What was said in turn, the merged record, and what is kept as the customer's. */
  const SAYINGS: readonly (readonly [Said, Fields, Fields])[] = [
    [[['customer', { a: 1 }]], { a: 1 }, { a: 1 }],
    [[['dealer', { a: 1 }]], { a: 1 }, {}],
    // The dealer's stands, and the customer's is kept beside it.
    [
      [
        ['dealer', { a: 1 }],
        ['customer', { a: 2, b: 3 }],
      ],
      { a: 1, b: 3 },
      { a: 2, b: 3 },
    ],
    [
      [
        ['dealer', { v: { a: 1 } }],
        ['customer', { v: { a: 2, b: 3 } }],
      ],
      { v: { a: 1, b: 3 } },
      { v: { a: 2, b: 3 } },
    ],
    [
      [
        ['dealer', { v: { a: 1 } }],
        ['customer', { v: 2 }],
      ],
      { v: { a: 1 } },
      { v: 2 },
    ],
    [
      [
        ['dealer', { v: [1] }],
        ['customer', { v: { a: 1 } }],
      ],
      { v: [1] },
      { v: { a: 1 } },
    ],
    // What both say alike is the dealer's, and no longer the customer's alone.
    [
      [
        ['dealer', { a: 1, v: { b: [2] } }],
        ['customer', { a: 1, v: { b: [2] } }],
      ],
      { a: 1, v: { b: [2] } },
      {},
    ],
    [
      [
        ['customer', { a: 1 }],
        ['dealer', { a: 1 }],
      ],
      { a: 1 },
      {},
    ],
    // The dealer's word takes the place of the customer's: right or wrong, it has been seen.
    [
      [
        ['customer', { a: 1, b: 1 }],
        ['dealer', { a: 2 }],
      ],
      { a: 2, b: 1 },
      { b: 1 },
    ],
    [
      [
        ['customer', { v: { a: 1, b: 1 } }],
        ['dealer', { v: { a: 2 } }],
      ],
      { v: { a: 2, b: 1 } },
      { v: { b: 1 } },
    ],
    [
      [
        ['customer', { v: { a: 1 } }],
        ['dealer', { v: 2 }],
      ],
      { v: 2 },
      {},
    ],
    // A null of the dealer's removes both, a customer's only its own.
    [
      [
        ['customer', { a: 1, b: 1 }],
        ['dealer', { a: null }],
      ],
      { b: 1 },
      { b: 1 },
    ],
    [
      [
        ['dealer', { a: 1 }],
        ['customer', { a: 2 }],
        ['dealer', { a: null }],
      ],
      {},
      {},
    ],
    [
      [
        ['customer', { v: { a: 1, b: 1 } }],
        ['dealer', { v: { a: null } }],
      ],
      { v: { b: 1 } },
      { v: { b: 1 } },
    ],
    [
      [
        ['dealer', { a: 1 }],
        ['customer', { a: null, v: null }],
      ],
      { a: 1 },
      {},
    ],
    [
      [
        ['dealer', { a: 1 }],
        ['customer', { a: 2 }],
        ['customer', { a: null }],
      ],
      { a: 1 },
      {},
    ],
    [
      [
        ['customer', { a: 1 }],
        ['customer', { a: null }],
      ],
      {},
      {},
    ],
    // What was taken away may be said again.
    [
      [
        ['customer', { a: 1 }],
        ['dealer', { a: null }],
        ['customer', { a: 2 }],
      ],
      { a: 2 },
      { a: 2 },
    ],
  ];
  for (const [said, fields, customer] of SAYINGS) {
    const words = said.map(([side, message]) => `the ${side} ${JSON.stringify(message)}`).join(', ');
    it(`is ${JSON.stringify(customer)} of ${JSON.stringify(fields)} the customer's, where ${words}`, () => {
      assert.deepEqual(kept(after(said)), { fields, customer });
    });
  }

  it('a field called __proto__ is a field like any other', () => {
    const update = (text: string): Fields => JSON.parse(text);
    const user = after([
      ['customer', update('{"__proto__":{"a":1,"b":2}}')],
      ['dealer', update('{"__proto__":{"a":3}}')],
    ]);
    assert.equal(JSON.stringify(user), '{"fields":{"__proto__":{"a":3,"b":2}},"customer":{"__proto__":{"b":2}}}');
  });

  it('is the customer’s within an object only so far as the dealer has not said the same', () => {
    const { fields, customer } = after([
      ['dealer', { vehicle: { make: 'VW' } }],
      ['customer', { vehicle: { make: 'VW', year: 1 } }],
    ]);
    assert.deepEqual(kept([fields, customer]), [{ vehicle: { make: 'VW', year: 1 } }, { vehicle: { year: 1 } }]);
  });

  it('an empty object called __proto__ stays when the other side speaks', () => {
    const user = known(JSON.parse('{"__proto__":{}}'));
    const { state } = taken({ ...STATE, user }, { type: 'UPDATE_USER', ...IDS, message: { name: 'Ann' } });
    assert.equal(JSON.stringify(state.user?.fields), '{"name":"Ann","__proto__":{}}');
  });

  const anySaid = fc.array(fc.tuple(fc.constantFrom<Side[]>('customer', 'dealer'), anyRecord), { maxLength: 8 });
  /** Without the objects that say nothing. */
  const telling = (fields: Fields): Fields =>
    Object.fromEntries(
      Object.entries(fields).flatMap(([name, value]) => {
        if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[name, value]];
        const inner = telling(value as Fields);
        return Object.keys(inner).length > 0 ? [[name, inner]] : [];
      }),
    );
  const mergedOf = (said: Said) => said.reduce<Fields>((record, [, message]) => merge(record, message), {});

  it('all that the dealer said stands, whatever the customer says and when', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 4 }), fc.infiniteStream(anyRecord), (dealers, customers) => {
        const said = dealers.flatMap(
          (message): Said => [
            ['customer', customers.next().value],
            ['dealer', message],
            ['customer', customers.next().value],
          ],
        );
        const { fields } = after([['customer', {}], ...said]);
        const dealer = telling(mergedOf(said.filter(([side]) => side === 'dealer')));
        assert.deepEqual(kept(merge(fields, dealer)), kept(fields));
      }),
    );
  });

  it('where one side alone speaks, the record is its updates merged', () => {
    fc.assert(
      fc.property(anySaid, fc.constantFrom<Side[]>('customer', 'dealer'), (said, side) => {
        const own: Said = [[side, {}], ...said.map(([, message]) => [side, message] as const)];
        assert.deepEqual(kept(after(own)), {
          fields: kept(mergedOf(own)),
          customer: side === 'customer' ? kept(mergedOf(own)) : {},
        });
      }),
    );
  });

  it('a customer’s word is told from the dealer’s: where both have a field, either they differ or it is hers', () => {
    fc.assert(
      fc.property(anySaid, (said) => {
        const { fields, customer } = after([['customer', {}], ...said]);
        // To take all that is hers away leaves the dealer's as it is.
        const gone = (record: Fields): Fields =>
          Object.fromEntries(
            Object.entries(record).map(([name, value]) => [
              name,
              typeof value === 'object' && value !== null && !Array.isArray(value) ? gone(value as Fields) : null,
            ]),
          );
        const left = after([['customer', {}], ...said, ['customer', gone(customer)]]);
        assert.deepEqual(kept(telling(left.customer)), {});
        assert.deepEqual(kept(merge(fields, telling(left.fields))), kept(fields));
      }),
    );
  });

  it('an intent is open by the word of whoever creates it, and the dealer’s status is the one that counts', () => {
    const create = (role: Command['role'], status?: string) =>
      taken(STATE, { type: 'CREATE_LEAD_INTENT', ...IDS, message: { intent: 'buy', ...(status && { status }) } }, role);
    const update = (state: State, status: string, role: Command['role']) =>
      taken(state, { type: 'UPDATE_LEAD_INTENT', ...IDS, message: { intent: 'buy', status } }, role).state;
    assert.deepEqual(kept(create('customer').state.intent?.customer), { status: 'open', intent: 'buy' });
    assert.equal(update(create('customer').state, 'won', 'customer').intent?.fields.status, 'won');
    assert.equal(update(create('server').state, 'won', 'customer').intent?.fields.status, 'open');
    assert.equal(update(create('customer', 'won').state, 'lost', 'admin').intent?.fields.status, 'lost');
  });

  it('a dealer’s update that has no room beside the customer’s word takes its place', () => {
    const customers = { a: 'x'.repeat(MAX_MERGED_BYTES - 100) };
    const user = known({ ...customers, name: 'Ann' }, customers);
    const message: Fields = { b: 'y'.repeat(100) };
    const update = { type: 'UPDATE_USER', ...IDS, message } as const;
    assert.deepEqual(kept(taken({ ...STATE, user }, update, 'server').state.user), {
      fields: { name: 'Ann', ...message },
      customer: {},
    });
    assert.equal(refused({ ...STATE, user }, update), 'too_large');
  });
});

describe('[P-6.5] the intents of a group', () => {
  const create = (intent: string) => ({ type: 'CREATE_LEAD_INTENT', ...IDS, message: { intent } }) as const;
  const update = (intent: string) => ({ type: 'UPDATE_LEAD_INTENT', ...IDS, message: { intent } }) as const;

  for (const role of ['customer', 'admin', 'server'] as const) {
    it(`are at most ${MAX_INTENTS}: one more of a ${role} is refused`, () => {
      const { state } = taken({ ...STATE, intents: MAX_INTENTS - 1 }, create('buy'), role);
      assert.equal(state.intents, MAX_INTENTS);
      assert.equal(refused({ ...state, intent: null }, create('lease'), role), 'too_large');
    });

    it(`may all be updated by a ${role}, also where an earlier version took more`, () => {
      const full = { ...STATE, intents: MAX_INTENTS, intent: known({ intent: 'buy' }) };
      for (const body of [create('buy'), update('buy')])
        assert.equal(taken(full, body, role).state.intents, MAX_INTENTS);
    });
  }
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
    const fields = some(MAX_FIELDS - 1);
    const lead = known(fields, fields);
    assert.equal(fieldsOf(taken({ ...STATE, lead }, update({ last: 1 })).state.lead?.fields ?? {}), MAX_FIELDS);
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
    const lead = known(some(4500), some(4500));
    taken({ ...STATE, lead }, update({ f0: 2 }));
    const { state } = taken({ ...STATE, lead }, update({ f0: null, f1: null, name: 'Ann' }));
    assert.equal(fieldsOf(state.lead?.fields ?? {}), 4499);
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
      const { state } = taken(NOTHING, body, 'server');
      assert.equal(state.dealer, true);
      assert.ok(state.group);
    });

    it(`is not made by anybody else’s ${who}`, () => {
      assert.equal(refused(NOTHING, body, 'admin'), 'unknown_dealer');
      assert.equal(refused({ ...NOTHING, dealer: true }, body, 'admin'), 'unknown_group');
    });
  }

  it('stays away where another server is refused: an intent that nobody created', () => {
    const body = { type: 'UPDATE_LEAD_INTENT', ...IDS, message: { intent: 'buy' } } as const;
    assert.equal(refused(NOTHING, body, 'server'), 'unknown_intent');
  });

  it('is made by another server’s announcement: the dealer alone', () => {
    const body = { type: 'SYS_MSG', dealerId: 'd1', adminId: 'a1', message: 'Sale!' } as const;
    const { state } = taken(NOTHING, body, 'server');
    assert.deepEqual([state.dealer, state.group], [true, null]);
    assert.equal(refused(NOTHING, body, 'admin'), 'unknown_dealer');
  });

  it('keeps customers and admins from joining: there is no such dealer', () => {
    assert.equal(
      refused(NOTHING, {
        type: 'CLIENT_JOIN',
        ...IDS,
        online: true,
        node: 'n1',
        entry: { by: 'claim', id: undefined, at: 0, isHere: false },
      }),
      'unknown_dealer',
    );
    const adminJoin = { type: 'ADMIN_JOIN', dealerId: 'd1', adminId: 'a1', online: true, node: 'n1' } as const;
    assert.equal(refused(NOTHING, adminJoin, 'admin'), 'unknown_dealer');
  });
});
