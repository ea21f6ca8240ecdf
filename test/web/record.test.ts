/** [P-6.5] Whose word a field is, as the desk shows it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plainName } from '../../src/web/desk/names.ts';
import { rowsOf } from '../../src/web/desk/record.ts';

const row = (name: string, text: string, isCustomers: boolean, otherwise?: string) => ({
  name,
  text,
  isCustomers,
  ...(otherwise !== undefined && { otherwise }),
});

describe('a record at the desk', () => {
  it('marks what the customer alone has said, and shows beside the dealer’s word what the customer says otherwise', () => {
    const fields = { phone: '2', email: 'a@b.example', status: 'won', vehicle: { make: 'Volvo', year: 2020 } };
    const customer = { phone: '1', email: 'a@b.example', vehicle: { make: 'Saab', year: 2020 } };
    assert.deepEqual(rowsOf({ fields, customer }), [
      row('phone', '2', false, '1'),
      row('email', 'a@b.example', true),
      row('status', 'won', false),
      row('vehicle · make', 'Volvo', false, 'Saab'),
      row('vehicle · year', '2020', true),
    ]);
  });

  it('compares lists, and what differs in kind, as a whole', () => {
    const fields = { tags: ['a', 'b'], same: ['c'], vehicle: 'a Volvo', '': '', no: null };
    const customer = { tags: ['a'], same: ['c'], vehicle: { make: 'Saab', year: 1999 } };
    assert.deepEqual(rowsOf({ fields, customer }), [
      row('tags · 0', 'a', false, 'a'),
      row('tags · 1', 'b', false),
      row('same · 0', 'c', true),
      row('vehicle', 'a Volvo', false, 'Saab, 1999'),
    ]);
  });

  it('is not led astray by a field that every object has', () => {
    const fields = JSON.parse('{"constructor":"x","__proto__":"y"}');
    assert.deepEqual(rowsOf({ fields, customer: {} }), [row('constructor', 'x', false), row('__proto__', 'y', false)]);
  });
});

describe('a customer’s name at the desk', () => {
  for (const [name, shown] of [
    ['  María   López ', 'María López'],
    ['A\r\nB\tC\u2028D', 'A B C D'],
    ['\u202eetoB\u202c', 'etoB'],
    ['Bo\u200bt\u00ad\ufeff\u2066\u2069\u061c', 'Bot'],
    ['\u3164\u115f\u2800\u200b', ''],
    ['𝔅ot 🤖', '𝔅ot 🤖'],
    [`Z${'\u0301'.repeat(50)}o`, `Z${'\u0301'.repeat(3)}o`],
    ['🤖'.repeat(100), `${'🤖'.repeat(59)}…`],
  ] as const) {
    it(`is ${JSON.stringify(shown)} of ${JSON.stringify(name.slice(0, 20))}`, () =>
      assert.equal(plainName(name), shown));
  }
});
