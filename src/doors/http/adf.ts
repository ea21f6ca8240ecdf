/** Leads as an Auto-lead Data Format document (ADF 1.0), which dealers' CRMs take. */
import Builder from 'fast-xml-builder';
import type { Dealer } from '../../../schemas/dealers.ts';
import { type Detail, refused } from '../../../schemas/errors.ts';
import type { Fields } from '../../../schemas/records.ts';
import { inTurns } from '../../commands/turns.ts';
import { instant } from '../../protocol/encode.ts';
import { type Customer, customerOf } from './adf-customer.ts';
import { commentsOf, linesOf, type Words, wordsOf } from './adf-text.ts';
import {
  type Intent,
  LEAD_VEHICLE,
  linesOfIntents,
  REQUIRED,
  type Vehicle,
  vehicleElement,
  vehiclesOf,
} from './adf-vehicles.ts';

/** A customer with everything that is wanted, as one prospect of the document. */
export interface Prospect {
  readonly groupId: string;
  readonly user: Fields | null;
  readonly lead: Fields | null;
  readonly intents: readonly Intent[];
  /** Milliseconds since 1970. */
  readonly requestedAt: number;
}

/** Number of missing things that one refusal names. */
const MAX_DETAILS = 5;

const builder = new Builder({ ignoreAttributes: false, suppressBooleanAttributes: false, format: true });

/** Text around the prospects; each is made by itself, so that everybody else has turns between them. */
const [OPENING, CLOSING] = ['<adf>\n', '</adf>\n'];

/**
 * Makes the document, linear in what there is, and in turns with everybody else. All that lead, user and intents hold is in it: what ADF has no element for is in comments.
 * @throws `RefusedError` `not_acceptable` where nobody knows what the DTD requires; its details, at most five, are
 *   pointers into `{dealer, prospects}`
 */
export async function adfOf(dealer: Dealer, prospects: readonly Prospect[]): Promise<string> {
  const vendor = wordsOf(dealer, ['name', 'email', 'phone']);
  const entries: Entry[] = [];
  for (const prospect of prospects) entries.push(await entryOf(prospect));
  const missing = [
    ...missingInContact('/dealer', 'the dealer', vendor),
    ...(entries.length === 0 ? [{ path: '/prospects', message: 'there is no lead' }] : []),
    ...entries.flatMap(missingIn),
  ];
  if (missing.length > 0) {
    throw refused('not_acceptable', 'an ADF document needs more than is known of these leads or their dealer', {
      details: missing.slice(0, MAX_DETAILS),
    });
  }
  const made: string[] = [];
  for (const entry of entries) made.push(await prospectXml(entry, vendor));
  const head = builder.build({
    '?xml': { '@_version': '1.0', '@_encoding': 'UTF-8' },
    '?adf': { '@_version': '1.0' },
  });
  return [head, OPENING, ...made, CLOSING].join('');
}

async function prospectXml(entry: Entry, vendor: Words): Promise<string> {
  const prospect = await prospectElement(entry, vendor);
  const [xml = ''] = await inTurns([{ adf: { prospect } }], (document): string => builder.build(document));
  return xml.slice(OPENING.length, -CLOSING.length);
}

/** A prospect, read: of whom and of which vehicles it is. */
interface Entry {
  readonly prospect: Prospect;
  readonly customer: Customer;
  readonly vehicles: readonly Vehicle[];
  /** The intents that are about none of the vehicles. */
  readonly others: readonly Intent[];
}

async function entryOf(prospect: Prospect): Promise<Entry> {
  const { lead, user, intents } = prospect;
  return { prospect, customer: customerOf(lead, user), ...(await vehiclesOf(lead, intents)) };
}

function missingIn({ prospect, customer, vehicles: [vehicle] }: Entry, index: number): Detail[] {
  const path = `/prospects/${index}`;
  const whose = `group ${prospect.groupId}`;
  return [
    ...missingInContact(`${path}/lead`, whose, customer.words),
    ...REQUIRED.filter((name) => !vehicle?.words.has(name)).map((name) => ({
      path: `${path}${vehicle?.path ?? LEAD_VEHICLE}/${name}`,
      message: `the ${name} of the vehicle of ${whose} is not known`,
    })),
  ];
}

/** Lists what the DTD's `contact` requires and is not known. */
function missingInContact(path: string, whose: string, words: Words): Detail[] {
  const missing: Detail[] = [];
  if (!words.has('name')) missing.push({ path: `${path}/name`, message: `${whose} has no name` });
  if (!words.has('email') && !words.has('phone')) {
    missing.push({ path: `${path}/email`, message: `${whose} has neither email nor phone` });
  }
  return missing;
}

/** Elements in the DTD's order; one that is undefined is not there. */
async function prospectElement({ prospect, customer, vehicles, others }: Entry, vendor: Words) {
  const { groupId, lead, user, requestedAt } = prospect;
  const externalId = customer.words.get('externalId');
  const elements = [];
  for (const vehicle of vehicles) elements.push(await vehicleElement(vehicle, lead));
  return {
    '@_status': 'new',
    id: [
      { '@_source': 'telle', '#text': groupId },
      ...(externalId === undefined ? [] : [{ '@_source': 'external', '#text': externalId }]),
    ],
    requestdate: instant(requestedAt),
    vehicle: elements,
    customer: {
      contact: {
        name: customer.names.map(({ part, text }) => ({ '@_part': part, '@_type': 'individual', '#text': text })),
        email: customer.words.get('email'),
        phone: customer.words.get('phone'),
      },
      comments: commentsOf([
        ...linesOf('', leadWithout(vehicles, lead), customer.words),
        ...linesOf('user', user, customer.words),
        ...(await linesOfIntents(others)),
      ]),
    },
    vendor: {
      vendorname: vendor.get('name'),
      contact: {
        name: { '@_part': 'full', '@_type': 'business', '#text': vendor.get('name') },
        email: vendor.get('email'),
        phone: vendor.get('phone'),
      },
    },
    provider: { name: { '@_part': 'full', '@_type': 'business', '#text': 'Telle' } },
  };
}

/** A lead's fields, but for the vehicle that has an element. */
function leadWithout(vehicles: readonly Vehicle[], lead: Fields | null): Fields | null {
  if (!vehicles.some(({ path }) => path === LEAD_VEHICLE)) return lead;
  const { vehicle: _, ...others } = lead ?? {};
  return others;
}
