/** A record's rows as they are shown, each with whose word it is. */
import type { Fields } from '../../../schemas/records.ts';

/** A record as the server has it [P-6.5]: merged, and what of it the customer alone has said. */
export interface Known {
  readonly fields: Fields;
  readonly customer: Fields;
}

export const NOTHING: Known = { fields: {}, customer: {} };

export const knownOf = ({ fields, customer = {} }: { fields: Fields; customer?: Fields }): Known => ({
  fields,
  customer,
});

export interface Row {
  readonly name: string;
  readonly text: string;
  /** True where nobody of the dealer has said it. */
  readonly isCustomers: boolean;
  /** Different value that the customer has given later. */
  readonly otherwise?: string;
}

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** A value's texts, each behind the names that lead to it. */
function textsOf(name: string, value: unknown): (readonly [name: string, text: string])[] {
  if (value !== null && typeof value === 'object') {
    return Object.entries(value).flatMap(([inner, each]) => textsOf(`${name} · ${inner}`, each));
  }
  return value === null || value === undefined || value === '' ? [] : [[name, String(value)]];
}

const inWords = (value: unknown): string =>
  textsOf('', value)
    .map(([, text]) => text)
    .join(', ');

/** Every field with its name; those within others behind the others' names. */
export function rowsOf({ fields, customer }: Known, within = ''): Row[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const path = within + name;
    const said = Object.hasOwn(customer, name) ? customer[name] : undefined;
    if (isObject(value) && (said === undefined || isObject(said))) {
      return rowsOf({ fields: value, customer: said ?? {} }, `${path} · `);
    }
    const isCustomers = said !== undefined && isSame(value, said);
    const rows = textsOf(path, value).map(([each, text]) => ({ name: each, text, isCustomers }));
    const [first, ...rest] = rows;
    if (said === undefined || isCustomers || !first) return rows;
    return [{ ...first, otherwise: inWords(said) }, ...rest];
  });
}
