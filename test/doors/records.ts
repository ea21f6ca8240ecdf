/** Users, leads and intents by chance: what the protocol takes, as it is kept after being merged. */
import type { TSchema } from '@sinclair/typebox';
import fc from 'fast-check';
import { CreateLeadIntent, UpdateLead, UpdateUser } from '../../schemas/accepted.ts';
import { RefusedError } from '../../schemas/errors.ts';
import type { Fields } from '../../schemas/records.ts';
import { merge } from '../../src/domain/records.ts';
import { checker } from '../../src/protocol/checker.ts';
import { HOSTILE } from '../support/hostile.ts';

const PERSON = ['name', 'firstName', 'lastName', 'email', 'phone', 'externalId', 'locale'];
const LEAD = ['source', 'status', 'comments', 'consent'];
const INTENT = ['status', 'preferredTime', 'notes'];
const VEHICLE = ['year', 'make', 'model', 'trim', 'vin', 'stock', 'condition'];

const text = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('Ann', 'Lee', 'Golf', '2024', 'used', 'New', 'VW') },
  { weight: 2, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: fc.string() },
);
const value = fc.oneof(
  { weight: 12, arbitrary: text },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.oneof(fc.integer(), fc.boolean()) },
);
const others = fc.dictionary(text, fc.jsonValue({ maxDepth: 2, stringUnit: 'binary' }), { maxKeys: 3 });

/** Most of some fields, and a few that nobody knows. */
const recordOf = (names: readonly string[]): fc.Arbitrary<Fields> =>
  fc
    .tuple(fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), fc.boolean(), fc.boolean(), value))), others)
    .map(([known, others]) => ({
      ...others,
      ...Object.fromEntries(known.flatMap(([name, a, b, value]) => (a || b ? [[name, value]] : []))),
    }));

const withVehicle = (record: fc.Arbitrary<Fields>): fc.Arbitrary<Fields> =>
  fc
    .tuple(record, fc.option(recordOf(VEHICLE), { freq: 4 }))
    .map(([fields, vehicle]) => (vehicle ? { ...fields, vehicle } : fields));

/** Whether the protocol takes an update with this record. */
function takes(type: string, schema: TSchema): (message: Fields) => boolean {
  const check = checker(schema);
  return (message) => {
    try {
      check({ type, dealerId: 'd1', groupId: 'g1', message });
      return true;
    } catch (error) {
      if (error instanceof RefusedError) return false;
      throw error;
    }
  };
}

/** What is kept of an update, or of two in turn. */
const kept = (updates: fc.Arbitrary<Fields>): fc.Arbitrary<Fields> =>
  fc.tuple(updates, fc.option(updates, { freq: 1 })).map(([first, then]) => merge(merge(null, first), then ?? {}));

const isIntent = takes('CREATE_LEAD_INTENT', CreateLeadIntent);
const word = fc
  .oneof(
    { weight: 6, arbitrary: fc.constantFrom('buy', 'lease', 'test_drive', 'trade_in', 'finance', 'service') },
    { weight: 1, arbitrary: fc.constantFrom(...HOSTILE) },
  )
  .filter((intent) => isIntent({ intent }));

const anyIntent = (intent: string): fc.Arbitrary<Fields> =>
  kept(
    withVehicle(recordOf(INTENT))
      .map((fields) => ({ ...fields, intent }))
      .filter(isIntent),
  );

export const anyUser = kept(recordOf(PERSON).filter(takes('UPDATE_USER', UpdateUser)));
export const anyLead = kept(withVehicle(recordOf([...PERSON, ...LEAD])).filter(takes('UPDATE_LEAD', UpdateLead)));
/** The intents of one group: each word once. */
export const anyIntents = fc
  .uniqueArray(word, { maxLength: 4 })
  .chain((words) =>
    fc.tuple(...words.map((intent) => fc.record({ intent: fc.constant(intent), fields: anyIntent(intent) }))),
  );
