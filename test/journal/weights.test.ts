/** What a command weighs, in bytes of text, before it is stored: so much work a batch is of. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BATCH, LEAST, Weights } from '../../src/journal/weights.ts';

const at = { dealerId: 'd1', groupId: 'g1' };
const says = (message: string) => ({ type: 'UPDATE_MSG', ...at, user: 'customer', message }) as const;
const lead = (groupId = 'g1') => ({ type: 'UPDATE_LEAD', ...at, groupId, message: { name: 'Ann' } }) as const;
const erasure = { type: 'ERASE_GROUP', ...at, erasureId: 'e1', reason: 'request' } as const;

describe('a command weighs', () => {
  it('as much as the text that it carries, and the least where that is short', () => {
    const weights = new Weights();
    assert.equal(weights.of(says('x'.repeat(LEAST + 1))), LEAST + 1);
    assert.equal(weights.of(says('hello')), LEAST);
    assert.equal(weights.of({ type: 'TYPING', ...at, user: 'bot', typing: true }), LEAST);
  });

  it('as much as the JSON of an object that it carries', () => {
    const message = { url: `https://a.example/${'x'.repeat(LEAST)}` };
    const weight = new Weights().of({ type: 'UPDATE_PAGEVIEW', ...at, message });
    assert.equal(weight, JSON.stringify(message).length);
  });

  it('a whole batch where it erases', () => assert.equal(new Weights().of(erasure), BATCH));

  it('as one of a large record where it updates one that nobody knows, and then as much as that turned out', () => {
    const weights = new Weights();
    assert.equal(weights.of(lead()), 16 * 1024);
    weights.learn(lead(), 3000);
    assert.equal(weights.of(lead()), 3000);
    weights.learn(lead(), 1);
    assert.equal(weights.of(lead()), LEAST);
    assert.equal(weights.of(lead('g2')), 16 * 1024, 'another group’s is another');
    assert.equal(weights.of({ ...lead(), type: 'UPDATE_USER' }), 16 * 1024, 'so is one of another kind');
  });

  it('as one that nobody knows again, once more than 10,000 records have been weighed', () => {
    const weights = new Weights();
    for (let n = 0; n < 10_000; n += 1) weights.learn(lead(`g${n}`), 3000);
    assert.equal(weights.of(lead('g0')), 3000);
    weights.learn(lead('one more'), 4000);
    assert.deepEqual([weights.of(lead('g0')), weights.of(lead('one more'))], [16 * 1024, 4000]);
  });
});
