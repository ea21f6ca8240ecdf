/** What customers write, and a dealer's name, in a lead as ADF: text, whatever is in it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DealerSettings } from '../../schemas/dealers.ts';
import type { Fields } from '../../schemas/records.ts';
import { adfOf, type Prospect } from '../../src/doors/http/adf.ts';
import { checker } from '../../src/protocol/checker.ts';
import { anyIntents, anyLead, anyUser } from '../doors/records.ts';
import { type Leaf, readAdf } from '../support/adf.ts';
import { HOSTILE } from '../support/hostile.ts';

const DEALER = { dealerId: 'd1', name: 'Demo Motors', email: 'sales@demo.example', phone: '030 1' };

const prospect = (more: Partial<Prospect> = {}): Prospect => ({
  groupId: 'g1',
  user: null,
  lead: { name: 'Ann Lee', email: 'ann@x.example', vehicle: { year: 2024, make: 'VW', model: 'Golf' } },
  intents: [],
  viewed: null,
  requestedAt: Date.UTC(2026, 10, 20, 13, 21, 27, 344),
  ...more,
});
const intent = (word: string, fields: Fields = {}) => ({ intent: word, fields: { intent: word, ...fields } });

/** The document alone, where there is one. */
const documentOf = async (...of: Parameters<typeof adfOf>): Promise<string> =>
  (await adfOf(...of)).made ?? assert.fail('no prospect');

/** XML 1.0, production 2: the characters that a document may hold. */
const isChar = (char: string): boolean => {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x20) return '\t\n\r'.includes(char);
  return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || code >= 0x10000;
};

/** As a reader may compare it: what XML cannot say left out, and space by space. */
const comparable = (text: string): string => [...text].filter(isChar).join('').replace(/\s+/g, ' ').trim();

const spaced = (leaves: readonly Leaf[]) => leaves.map(({ path, text }) => ({ path, text: comparable(text) }));

describe('whatever customers write', () => {
  it('is text, in every field that they could write it in', async () => {
    const everywhere = (text: string) => {
      const said = `a${text}`; // behind a letter, so that nothing is empty
      const fields = ['firstName', 'lastName', 'email', 'phone', 'externalId', 'comments', said];
      const vehicle = ['year', 'make', 'model', 'vin', 'stock', 'trim'];
      const all = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, said]));
      return prospect({ lead: { ...all(fields), vehicle: all(vehicle) }, intents: [intent(said, { notes: said })] });
    };
    const documents = readAdf(await documentOf(DEALER, [everywhere(''), ...HOSTILE.map(everywhere)]));
    const [harmless = [], ...others] = documents;
    assert.equal(others.length, HOSTILE.length);
    for (const [index, leaves] of others.entries()) {
      const said = comparable(`a${HOSTILE[index]}`);
      const expected = harmless.map(({ path, text }) => ({
        path,
        text: text.replace(/^a$|(?<=: )a$|^a(?=[: ])|(?<=\n)a(?=[: ])/gm, () => said),
      }));
      assert.deepEqual(spaced(leaves), spaced(expected), said);
    }
  });

  it('is text in the dealer’s name too', async () => {
    const isName = (name: string) => {
      try {
        return checker(DealerSettings)({ name }).name === name;
      } catch {
        return false;
      }
    };
    for (const name of HOSTILE.filter(isName)) {
      if (comparable(name) === '') continue;
      const [leaves = []] = readAdf(await documentOf({ ...DEALER, name }, [prospect()]));
      const names = leaves.filter(({ path }) => path === 'vendor/vendorname').map(({ text }) => comparable(text));
      assert.deepEqual(names, [comparable(name)]);
    }
  });

  /** All single values of a record, as text. */
  const valuesIn = (value: unknown): string[] => {
    if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(valuesIn);
    if (typeof value === 'boolean') return [value ? 'yes' : 'no'];
    return value === null || value === undefined ? [] : [comparable(String(value))];
  };

  it('comes out whole in a valid document, or is left out', async () => {
    const counts = { valid: 0, leftOut: 0 };
    const anyProspect = fc.record({
      groupId: fc.constantFrom('g1', 'g2'),
      user: fc.option(anyUser),
      lead: fc.option(anyLead, { freq: 9 }),
      intents: anyIntents,
      viewed: fc.constant(null),
      requestedAt: fc.nat(4e12),
    });
    const isTaken = async (each: Prospect) => {
      const { made } = await adfOf(DEALER, [each]);
      counts[made === null ? 'leftOut' : 'valid'] += 1;
      return made !== null;
    };
    await fc.assert(
      fc.asyncProperty(fc.array(anyProspect, { minLength: 20, maxLength: 20 }), async (given) => {
        const prospects: Prospect[] = [];
        for (const each of given) if (await isTaken(each)) prospects.push(each);
        if (prospects.length === 0) return;
        const documents = readAdf(await documentOf(DEALER, prospects));
        assert.equal(documents.length, prospects.length);
        for (const [index, { user, lead, intents }] of prospects.entries()) {
          const all = (documents[index] ?? [])
            .map(({ text }) => comparable(text))
            .join('\n')
            .toLowerCase();
          const records = [user, lead, ...intents.map(({ fields: { intent: _, ...fields } }) => fields)];
          for (const value of records.flatMap(valuesIn))
            assert.ok(all.includes(value.toLowerCase()), `${value} in ${all}`);
        }
      }),
      { numRuns: 25 },
    );
    assert.ok(counts.valid > 50 && counts.leftOut > 5, JSON.stringify(counts));
  });
});
