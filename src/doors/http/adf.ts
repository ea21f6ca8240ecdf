/** Leads as an Auto-lead Data Format document (ADF 1.0), which dealers' CRMs take. */
import Builder from 'fast-xml-builder';
import type { Dealer } from '../../../schemas/dealers.ts';
import type { Fields } from '../../../schemas/records.ts';
import { inTurns } from '../../commands/turns.ts';
import { instant } from '../../protocol/encode.ts';
import { type Customer, customerOf } from './adf-customer.ts';
import { commentsOf, linesOf, type Words, wordsOf } from './adf-text.ts';
import { type Intent, LEAD_VEHICLE, linesOfIntents, type Vehicle, vehicleElement, vehiclesOf } from './adf-vehicles.ts';

/** A customer with everything that is wanted, as one prospect of the document. */
export interface Prospect {
  readonly groupId: string;
  readonly user: Fields | null;
  readonly lead: Fields | null;
  readonly intents: readonly Intent[];
  /** Vehicle that the customer looked at, where lead and intents name none; null: none is known. */
  readonly viewed: Fields | null;
  /** Milliseconds since 1970. */
  readonly requestedAt: number;
}

const builder = new Builder({ ignoreAttributes: false, suppressBooleanAttributes: false, format: true });

/** Text around the prospects; each is made by itself, so that everybody else has turns between them. */
const [OPENING, CLOSING] = ['<adf>\n', '</adf>\n'];

/**
 * [P-14.5] Makes the document, linear in what there is, and in turns with everybody else. All that lead, user and intents hold is in it: what
 * ADF has no element for is in comments, and an element that the DTD demands and nobody can fill is empty.
 * @returns the document, null where it would have no prospect, and the number of prospects that are left out as nobody could reach them
 */
export async function adfOf(
  dealer: Dealer,
  prospects: readonly Prospect[],
): Promise<{ made: string | null; leftOut: number }> {
  const vendor = vendorOf(dealer);
  const made: string[] = [];
  for (const prospect of prospects) {
    const entry = await entryOf(prospect);
    if (isReachable(entry)) made.push(await prospectXml(entry, vendor));
  }
  const leftOut = prospects.length - made.length;
  if (made.length === 0) return { made: null, leftOut };
  const head = builder.build({
    '?xml': { '@_version': '1.0', '@_encoding': 'UTF-8' },
    '?adf': { '@_version': '1.0' },
  });
  return { made: [head, OPENING, ...made, CLOSING].join(''), leftOut };
}

/** The dealer as a vendor: its id stands in for its name, and one that says no address has an empty one. */
function vendorOf(dealer: Dealer): Words {
  const words = wordsOf(dealer, ['name', 'email', 'phone']);
  return new Map([['name', dealer.dealerId], ...(words.has('phone') ? [] : [['email', ''] as const]), ...words]);
}

const isReachable = ({ customer: { words } }: Entry): boolean => words.has('email') || words.has('phone');

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
  const { lead, user, intents, viewed } = prospect;
  return { prospect, customer: customerOf(lead, user), ...(await vehiclesOf(lead, intents, viewed)) };
}

/** Name of somebody who has not said it. */
const NAMELESS: Customer['names'] = [{ part: 'full', text: '' }];

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
        name: (customer.names.length > 0 ? customer.names : NAMELESS).map(({ part, text }) => ({
          '@_part': part,
          '@_type': 'individual',
          '#text': text,
        })),
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
