/** [P-11.2] A body of events is taken apart without being parsed: what comes out is what JSON would have made of it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { elementsOf } from '../../src/doors/http/elements.ts';
import { anySeed } from '../support/chance.ts';

const seed = Number(process.env.SEED ?? anySeed());
console.log(`seed ${seed}`);

/** What becomes of a body that is taken apart, each part parsed by itself; undefined where it is not JSON. */
function apart(body: string | Buffer): unknown[] | undefined {
  try {
    return [...elementsOf(Buffer.from(body))].map((text) => JSON.parse(text.toString()));
  } catch {
    return undefined;
  }
}

/** The same by JSON's own parser. */
function whole(body: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return Array.isArray(value) ? value : [value];
  } catch {
    return undefined;
  }
}

describe('the elements of a body', () => {
  test('are those of its array, however it is written', () => {
    const written = fc.tuple(fc.jsonValue(), fc.constantFrom('', ' ', '\t', 3));
    const check = ([value, space]: [unknown, string | number]) => {
      const body = JSON.stringify(value, null, space);
      assert.deepEqual(apart(body), whole(body));
    };
    fc.assert(fc.property(written, check), { seed, numRuns: 2000 });
  });

  test('are found only where all of it is JSON', () => {
    const bodies = fc
      .array(
        fc.constantFrom('[', ']', '{', '}', ',', ':', '"', '\\', ' ', '\n', '1', '"a"', '"\\"', 'null', 'é', '-'),
        {
          maxLength: 12,
        },
      )
      .map((parts) => `[${parts.join('')}]`);
    const check = (body: string) => assert.deepEqual(apart(body), whole(body));
    fc.assert(fc.property(bodies, check), { seed, numRuns: 50_000 });
  });

  const cases: [body: string, elements: unknown[] | undefined][] = [
    ['[]', []],
    [' [ ] \n', []],
    ['[1,]', undefined],
    ['[,1]', undefined],
    ['[1', undefined],
    ['[1] 2', undefined],
    ['[1]]', undefined],
    ['["a\\\\",",\\"]"]', ['a\\', ',"]']],
    ['["a', undefined],
    ['["a\\', undefined],
    ['[{]]', undefined],
    ['{"a":[1,2]}', [{ a: [1, 2] }]],
    ['', undefined],
    ['\ufeff[1,2]', [1, 2]],
  ];
  for (const [body, elements] of cases)
    test(`of ${JSON.stringify(body)}`, () => assert.deepEqual(apart(body), elements));

  test('are handed out one by one: those before a fault too', () => {
    const elements = elementsOf(Buffer.from('[1,2,"'));
    assert.deepEqual(
      [elements.next(), elements.next()].map(({ value }) => String(value)),
      ['1', '2'],
    );
  });
});
