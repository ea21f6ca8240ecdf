/** Leads as an Auto-lead Data Format document (ADF 1.0), which dealers' CRMs take. */
import Builder from 'fast-xml-builder';
import type { Dealer } from '../../../schemas/dealers.ts';
import { type Detail, refused } from '../../../schemas/errors.ts';
import type { Fields } from '../../../schemas/records.ts';
import { instant } from '../../protocol/encode.ts';
import { type Customer, customerOf } from './adf-customer.ts';
import { commentsOf, linesOf, type Words, wordsOf } from './adf-text.ts';
import {
  type Intent,
  LEAD_VEHICLE,
  linesOfIntent,
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

/** How many things missing are told at once. */
const MAX_DETAILS = 5;

const builder = new Builder({ ignoreAttributes: false, suppressBooleanAttributes: false, format: true });

/**
 * Makes the document. All that lead, user and intents hold is in it: what ADF has no element for is in comments.
 * @throws `RefusedError` `not_acceptable` where nobody knows what the DTD requires; its details, at most five, are
 *   pointers into `{dealer, prospects}`
 */
export function adfOf(dealer: Dealer, prospects: readonly Prospect[]): string {
  const vendor = wordsOf(dealer, ['name', 'email', 'phone']);
  const entries = prospects.map(entryOf);
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
  return builder.build({
    '?xml': { '@_version': '1.0', '@_encoding': 'UTF-8' },
    '?adf': { '@_version': '1.0' },
    adf: { prospect: entries.map((entry) => prospectElement(entry, vendor)) },
  });
}

/** A prospect, read: of whom and of which vehicles it is. */
interface Entry {
  readonly prospect: Prospect;
  readonly customer: Customer;
  readonly vehicles: readonly Vehicle[];
  /** The intents that are about none of the vehicles. */
  readonly others: readonly Intent[];
}

function entryOf(prospect: Prospect): Entry {
  const { lead, user, intents } = prospect;
  return { prospect, customer: customerOf(lead, user), ...vehiclesOf(lead, intents) };
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

/** What the DTD's `contact` requires, and is not known. */
function missingInContact(path: string, whose: string, words: Words): Detail[] {
  const missing: Detail[] = [];
  if (!words.has('name')) missing.push({ path: `${path}/name`, message: `${whose} has no name` });
  if (!words.has('email') && !words.has('phone')) {
    missing.push({ path: `${path}/email`, message: `${whose} has neither email nor phone` });
  }
  return missing;
}

/** Elements in the DTD's order; one that is undefined is not there. */
function prospectElement({ prospect, customer, vehicles, others }: Entry, vendor: Words) {
  const { groupId, lead, user, requestedAt } = prospect;
  const externalId = customer.words.get('externalId');
  return {
    '@_status': 'new',
    id: [
      { '@_source': 'telle', '#text': groupId },
      ...(externalId === undefined ? [] : [{ '@_source': 'external', '#text': externalId }]),
    ],
    requestdate: instant(requestedAt),
    vehicle: vehicles.map((vehicle) => vehicleElement(vehicle, lead)),
    customer: {
      contact: {
        name: customer.names.map(({ part, text }) => ({ '@_part': part, '@_type': 'individual', '#text': text })),
        email: customer.words.get('email'),
        phone: customer.words.get('phone'),
      },
      comments: commentsOf([
        ...linesOf('', leadWithout(vehicles, lead), customer.words),
        ...linesOf('user', user, customer.words),
        ...others.flatMap((intent) => linesOfIntent(intent)),
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
