/** [P-6.1, P-9] How large a record is, and how much work an update of it was. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fieldsOf, textOf, weightOfUpdate } from '../../src/domain/size.ts';

describe('the weight of an update', () => {
  it('is 128 bytes for each of its fields, where nothing is kept of it', () => {
    assert.equal(weightOfUpdate({}, []), 0);
    assert.equal(weightOfUpdate({ a: 1, b: { c: 2 } }, []), 3 * 128);
  });

  it('is that of the larger side of the record, with its text, where that is more', () => {
    const [small, large] = [{ a: 'x' }, { a: 'x'.repeat(1000), b: null }];
    const weight = 2 * 128 + JSON.stringify(large).length;
    assert.equal(weightOfUpdate({ a: 1 }, [small, large]), weight);
    assert.equal(weightOfUpdate({ a: 1 }, [large, small]), weight);
    assert.equal(weightOfUpdate({ a: 1, b: 2, c: 3 }, [small]), 3 * 128);
  });
});

describe('a record', () => {
  it('has the fields of what is in it, and its text', () => {
    assert.deepEqual([{}, { a: null }, { a: [1, { b: 2 }] }].map(fieldsOf), [0, 1, 4]);
    const record = { a: 1 };
    assert.equal(textOf(record), '{"a":1}');
    assert.equal(textOf(record), '{"a":1}');
  });
});
