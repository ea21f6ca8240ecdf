/** The vehicle that a page is about, by what it says for search engines: schema.org in JSON-LD. */

/** A vehicle as records have it [P-6.4]. */
export type Vehicle = {
  readonly condition?: string;
  readonly year?: string | number;
  readonly make?: string;
  readonly model?: string;
  readonly trim?: string;
  readonly vin?: string;
  readonly stock?: string;
};

const TYPES = /^(?:https?:\/\/schema\.org\/)?(?:Vehicle|Car|Motorcycle|BusOrCoach|MotorizedBicycle)$/;
/** More of them than this are looked through by nobody. */
const MOST_NODES = 2_000;

/** A VIN, as 17 letters and digits that are not mistaken for others. */
const VIN = /\b[A-HJ-NPR-Z\d]{17}\b/i;

type Node = Readonly<Record<string, unknown>>;

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** Text of a value: its own, or that of what is named by it. */
function wordOf(value: unknown): string | undefined {
  const [first] = listOf(value);
  const said = typeof first === 'object' && first !== null ? Reflect.get(first, 'name') : first;
  const text = typeof said === 'string' || typeof said === 'number' ? String(said).trim().slice(0, 200) : '';
  return text === '' ? undefined : text;
}

function vehicleOf(node: Node): Vehicle {
  const condition = wordOf(node.itemCondition)?.match(/(New|Used)Condition$/)?.[1];
  const words = {
    condition: condition?.toLowerCase(),
    year: wordOf(node.vehicleModelDate ?? node.modelDate ?? node.productionDate)?.match(/\d{4}/)?.[0],
    make: wordOf(node.brand ?? node.manufacturer),
    model: wordOf(node.model),
    trim: wordOf(node.vehicleConfiguration),
    vin: wordOf(node.vehicleIdentificationNumber),
    stock: wordOf(node.sku),
  };
  return Object.fromEntries(Object.entries(words).filter(([, word]) => word !== undefined));
}

/** Everything that a document says, from the outside in. */
function nodesOf(values: readonly unknown[]): Node[] {
  const nodes: Node[] = [];
  const queue = [...values];
  for (const value of queue) {
    if (queue.length > MOST_NODES) break;
    if (Array.isArray(value)) queue.push(...value);
    else if (typeof value === 'object' && value !== null) {
      nodes.push({ ...value });
      queue.push(...Object.values(value));
    }
  }
  return nodes;
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined; // search engines ignore it, too
  }
}

/** As much of a document as is needed. */
interface Page {
  querySelectorAll(selector: string): Iterable<{ readonly textContent: string | null }>;
}

/** The one vehicle of the page; a page of several is about none of them. */
export function vehicleOn(page: Page): Vehicle | undefined {
  const scripts = [...page.querySelectorAll('script[type="application/ld+json"]')];
  const nodes = nodesOf(scripts.map(({ textContent }) => parsed(textContent)));
  const vehicles = nodes
    .filter((node) => listOf(node['@type']).some((type) => TYPES.test(String(type))))
    .map(vehicleOf)
    .filter((vehicle) => Object.keys(vehicle).length > 0);
  const [first] = vehicles;
  return first && vehicles.every((each) => JSON.stringify(each) === JSON.stringify(first)) ? first : undefined;
}

/** A vehicle as a customer names it: by its VIN, or by its year and the rest. */
export function vehicleIn(text: string): Vehicle | undefined {
  const vin = VIN.exec(text)?.[0];
  if (vin && /\d/.test(vin)) return { vin: vin.toUpperCase() };
  const year = /\b(?:19|20)\d\d\b/.exec(text)?.[0];
  const model = text
    .replace(year ?? '', '')
    .replace(/\s+/g, ' ')
    .trim();
  return year || model ? { ...(year && { year }), ...(model && { model }) } : undefined;
}
