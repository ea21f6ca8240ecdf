/** Which vehicles a lead is about, what is wanted of each, and how ADF says so. */
import type { Fields } from '../../../schemas/records.ts';
import { inTurns } from '../../commands/turns.ts';
import { MAX_INTENTS } from '../../domain/records.ts';
import { isJsonObject } from '../../protocol/checker.ts';
import { commentsOf, linesOf, type Words, wordOf, wordsOf } from './adf-text.ts';

export interface Intent {
  readonly intent: string;
  readonly fields: Fields;
}

/** A vehicle that somebody wants, or gives in payment. */
export interface Vehicle {
  /** The record that tells of it first: a JSON pointer within the prospect. */
  readonly path: string;
  /** Facts of all records about it. */
  readonly words: Words;
  /** Intents about it, the first one first. */
  readonly intents: readonly Intent[];
}

/** Elements of a vehicle in ADF, in the DTD's order. */
const ELEMENTS = ['year', 'make', 'model', 'vin', 'stock', 'trim'] as const;
/** Those that the DTD requires: where they are not known, they are empty. */
const REQUIRED = ['year', 'make', 'model'] as const;
const isRequired = (name: string): boolean => REQUIRED.some((required) => required === name);

/** ADF's words for intents. */
const INTERESTS: Words = new Map([
  ['buy', 'buy'],
  ['lease', 'lease'],
  ['test_drive', 'test-drive'],
  ['trade_in', 'trade-in'],
]);

/** Where the lead's own vehicle is. */
export const LEAD_VEHICLE = '/lead/vehicle';

const isComplete = ({ words }: Vehicle): boolean => REQUIRED.every((name) => words.has(name));

const vehicleWordsOf = (fields: Fields | null): Words =>
  wordsOf(isJsonObject(fields?.vehicle) ? fields.vehicle : null, [...ELEMENTS, 'condition']);

/**
 * Tells whether two records are of one vehicle: by VIN, else by stock number, else where they do not contradict each
 * other.
 */
function areSame(a: Words, b: Words): boolean {
  const decisive = ['vin', 'stock'].find((name) => a.has(name) && b.has(name));
  const compared = decisive ? [decisive] : [...REQUIRED, 'trim', 'condition'];
  return compared.every((name) => {
    const [one, other] = [a.get(name), b.get(name)];
    return one === undefined || other === undefined || one.toLowerCase() === other.toLowerCase();
  });
}

/** Intents about a vehicle of the customer's own. */
const NOT_WANTED: ReadonlySet<string> = new Set(['trade_in', 'service']);

/**
 * The most vehicles that are wanted: the lead's and one an intent. Of a group that an earlier version let have more
 * intents, each would be compared with all before it.
 */
const MAX_WANTED = 1 + MAX_INTENTS;

/** A vehicle of which intents may still tell. */
interface Wanted extends Vehicle {
  words: Words;
  readonly intents: Intent[];
}

/** Adds what one more intent tells: of the vehicle that its record describes, else of the lead's. */
function addIntent(wanted: Wanted[], own: Wanted, intent: Intent): void {
  const isSubject = ({ path, words }: Vehicle) =>
    own.words.size > 0 ? areSame(words, own.words) : path === LEAD_VEHICLE && INTERESTS.has(intent.intent);
  const subject = wanted.find(isSubject);
  if (subject) {
    subject.words = new Map([...own.words, ...subject.words]);
    subject.intents.push(intent);
  } else if (own.words.size > 0 && wanted.length < MAX_WANTED) wanted.push(own);
}

/** Tells whether lead or intents name a vehicle that is wanted. */
export const namesVehicle = (lead: Fields | null, intents: readonly Intent[]): boolean =>
  vehicleWordsOf(lead).size > 0 ||
  intents.some(({ intent, fields }) => !NOT_WANTED.has(intent) && vehicleWordsOf(fields).size > 0);

/**
 * Sorts intents by the vehicles that they are about. The vehicle of a `service` is the customer's own, and no prospect.
 * @param viewed the vehicle that the customer looked at, which is the lead's where nothing else names one
 * @returns the vehicles that ADF can name, and the first in any case, though nothing is known of it: the lead's own, then those of intents, then what
 *   is traded in; and the intents that are about none of them. Everybody else has turns meanwhile.
 */
export async function vehiclesOf(lead: Fields | null, intents: readonly Intent[], viewed: Fields | null) {
  const own = vehicleWordsOf(lead);
  const words = own.size > 0 ? own : vehicleWordsOf({ vehicle: viewed });
  const wanted: Wanted[] = words.size > 0 ? [{ path: LEAD_VEHICLE, words, intents: [] }] : [];
  const traded: Vehicle[] = [];
  await inTurns(intents.entries(), ([index, intent]) => {
    const own = { path: `/intents/${index}/vehicle`, words: vehicleWordsOf(intent.fields), intents: [intent] };
    if (intent.intent === 'trade_in') traded.push(own);
    else if (intent.intent !== 'service') addIntent(wanted, own, intent);
  });
  const known: Vehicle[] = [...wanted, ...traded].filter((vehicle, index) => index === 0 || isComplete(vehicle));
  const vehicles = known.length > 0 ? known : [{ path: LEAD_VEHICLE, words, intents: [] }];
  const placed = new Set(vehicles.flatMap((vehicle) => vehicle.intents));
  return { vehicles, others: intents.filter((intent) => !placed.has(intent)) };
}

/**
 * Everything that an intent holds, a line each.
 * @param interest what an element says already is intended
 * @param said what elements say already of its vehicle
 */
function linesOfIntent({ intent, fields }: Intent, interest?: string, said?: Words): string[] {
  const { vehicle, ...others } = fields;
  const name = wordOf(intent);
  return [
    ...(interest !== undefined && INTERESTS.get(intent) === interest ? [] : linesOf('intent', intent)),
    ...linesOf(name, others, new Map([['intent', name]])),
    ...linesOf(`${name} vehicle`, vehicle, said),
  ];
}

/** Lines of several intents, each by {@link linesOfIntent}. Everybody else has turns meanwhile. */
export const linesOfIntents = async (intents: readonly Intent[], interest?: string, said?: Words): Promise<string[]> =>
  (await inTurns(intents, (intent) => linesOfIntent(intent, interest, said))).flat();

/** Elements in the DTD's order; one that is undefined is not there. */
export async function vehicleElement({ path, words, intents }: Vehicle, lead: Fields | null) {
  const [interest = 'buy'] = intents.flatMap(({ intent }) => INTERESTS.get(intent) ?? []);
  const condition = words.get('condition')?.toLowerCase();
  const said = new Map(words);
  // ADF knows new and used alone. What is traded in has been used, whatever is said of it.
  if (condition !== 'used' && (condition !== 'new' || interest === 'trade-in')) said.delete('condition');
  return {
    '@_interest': interest,
    '@_status': interest === 'trade-in' ? 'used' : said.get('condition')?.toLowerCase(),
    ...Object.fromEntries(ELEMENTS.map((name) => [name, words.get(name) ?? (isRequired(name) ? '' : undefined)])),
    comments: commentsOf([
      ...(path === LEAD_VEHICLE ? linesOf('', lead?.vehicle, said) : []),
      ...(await linesOfIntents(intents, interest, said)),
    ]),
  };
}
