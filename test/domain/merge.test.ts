/** [P-6.5] Records merge as RFC 7396, JSON Merge Patch, says. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Fields } from '../../schemas/records.ts';
import { merge, same } from '../../src/domain/records.ts';
import { anyRecord } from './commands.ts';

/** As it is kept: through JSON, where a field named `__proto__` is one like any other. */
const kept = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const json = (text: string): Fields => JSON.parse(text);

/** RFC 7396, appendix A: original, patch, result. Where one of them is no object, it stands in a field. */
const EXAMPLES = [
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', 'null', undefined],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
] as const;

/** The RFC's own pseudocode (section 2), on lists of fields. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const fields = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) fields.delete(name);
    else fields.set(name, mergePatch(fields.get(name), value));
  }
  return Object.fromEntries(fields);
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

describe('merge', () => {
  for (const [original, patch, result] of EXAMPLES) {
    it(`makes of ${original} and ${patch} what RFC 7396 says: ${result ?? 'nothing'}`, () => {
      const nested = result === undefined ? '{"f":1}' : `{"x":${result},"f":1}`;
      assert.deepEqual(kept(merge(json(`{"x":${original},"f":1}`), json(`{"x":${patch}}`))), json(nested));
      if (original.startsWith('{') && patch.startsWith('{')) {
        assert.deepEqual(kept(merge(json(original), json(patch))), json(result ?? 'null'));
      }
    });
  }

  it('begins with nothing where there was no record, and keeps no null', () => {
    assert.deepEqual(kept(merge(null, json('{"a":1,"b":null,"c":{"d":null}}'))), { a: 1, c: {} });
  });

  it('takes a field named __proto__ as a field, and changes nothing else by it', () => {
    const update = json('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');
    const once = kept(merge(null, update));
    assert.equal(JSON.stringify(once), JSON.stringify(update));
    const twice = merge(json(JSON.stringify(once)), json('{"__proto__":{"more":1,"polluted":null}}'));
    assert.equal(JSON.stringify(twice), '{"__proto__":{"more":1},"constructor":{"prototype":{"polluted":true}}}');
    assert.equal(
      JSON.stringify(merge(update, json('{"__proto__":null}'))),
      JSON.stringify({ constructor: update.constructor }),
    );
    assert.equal('polluted' in {}, false);
    assert.equal(Reflect.get(merge(null, update), 'polluted'), undefined);
  });

  it('does as the RFC’s pseudocode does for any two records, and changes neither', () => {
    fc.assert(
      fc.property(fc.option(anyRecord), anyRecord, (record, update) => {
        const before = JSON.stringify([record, update]);
        assert.deepEqual(kept(merge(record, update)), kept(mergePatch(record, update)));
        assert.equal(JSON.stringify([record, update]), before);
      }),
      { numRuns: 1000 },
    );
  });

  it('is idempotent: the same update again changes nothing', () => {
    fc.assert(
      fc.property(anyRecord, anyRecord, (record, update) => {
        const once = merge(record, update);
        assert.deepEqual(kept(merge(once, update)), kept(once));
      }),
    );
  });
});

describe('same', () => {
  const TOLD_APART = [
    ['{"a":1}', '{"b":1}'],
    ['{"__proto__":{}}', '{"constructor":{}}'],
    ['[1]', '[1,2]'],
    ['[]', '{}'],
    ['{"0":1}', '[1]'],
    ['null', '{}'],
    ['"1"', '1'],
  ] as const;
  for (const [one, other] of TOLD_APART)
    it(`tells ${one} and ${other} apart`, () => {
      assert.equal(same(JSON.parse(one), JSON.parse(other)), false);
      assert.equal(same(JSON.parse(other), JSON.parse(one)), false);
    });

  it('knows a value by what it says, not by the order of its fields', () => {
    assert.ok(same(json('{"a":[{"b":1,"c":null}],"d":2}'), json('{"d":2,"a":[{"c":null,"b":1}]}')));
  });

  it('does as Node.js does for any two values of JSON', () => {
    const value = fc.jsonValue({ maxDepth: 3 }).map(kept);
    const small = fc.oneof(
      value,
      fc.constantFrom<unknown>([1, { a: [] }], { a: 1, b: [2] }, { b: [2], a: 1 }, [], {}, null),
    );
    fc.assert(
      fc.property(small, small, (one, other) => {
        assert.equal(same(one, other), isDeepStrictEqual(one, other));
        assert.ok(same(one, kept(one)));
      }),
      { numRuns: 1000 },
    );
  });
});
