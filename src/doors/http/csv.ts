/** Leads and intents as CSV (RFC 4180), in which nothing is a formula to a spreadsheet. */
import { stringify } from 'csv-stringify/sync';
import { type Fields, Lead, LeadIntent, UserProfile, Vehicle } from '../../../schemas/records.ts';
import { isJsonObject } from '../../protocol/checker.ts';
import { instant } from '../../protocol/encode.ts';

export interface LeadRow {
  readonly groupId: string;
  /** Customer, where the record itself does not say. */
  readonly user: Fields | null;
  /** The record. */
  readonly fields: Fields;
  /** Other groups of the same customer. */
  readonly sameAs?: readonly string[] | undefined;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface IntentRow extends LeadRow {
  readonly intent: string;
}

interface Column {
  readonly name: string;
  readonly cell: (row: LeadRow) => string;
}

/** Options: the columns' names come first on the first of several pages alone. */
interface Options {
  readonly header: boolean;
}

/** The well-known fields of a person and of a vehicle, in the protocol's order [P-6.4]. */
const PERSON = Object.keys(UserProfile.properties);
const VEHICLE = Object.keys(Vehicle.properties);

/** A value as one cell: nothing for null, text as it is, anything else as JSON. */
function cellOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const vehicleIn = ({ vehicle }: Fields): Fields => (isJsonObject(vehicle) ? vehicle : {});

const without = (record: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)));

/** Fields of a record beyond its own well-known ones and those of person and vehicle, as JSON; else nothing. */
function moreIn(fields: Fields, own: readonly string[]): string {
  const vehicle = without(vehicleIn(fields), VEHICLE);
  const more = {
    ...without(fields, [...PERSON, ...own, ...(isJsonObject(fields.vehicle) ? ['vehicle'] : [])]),
    ...(Object.keys(vehicle).length > 0 && { vehicle }),
  };
  return Object.keys(more).length > 0 ? JSON.stringify(more) : '';
}

/** @param own the record's own well-known fields */
function columnsOf(own: readonly string[]): readonly Column[] {
  return [
    { name: 'groupId', cell: ({ groupId }) => groupId },
    { name: 'createdAt', cell: ({ createdAt }) => instant(createdAt) },
    { name: 'updatedAt', cell: ({ updatedAt }) => instant(updatedAt) },
    ...PERSON.map((name) => ({
      name,
      cell: ({ fields, user }: LeadRow) => cellOf(fields[name]) || cellOf(user?.[name]),
    })),
    ...own.map((name) => ({ name, cell: ({ fields }: LeadRow) => cellOf(fields[name]) })),
    ...VEHICLE.map((name) => ({
      name: `vehicle ${name}`,
      cell: ({ fields }: LeadRow) => cellOf(vehicleIn(fields)[name]),
    })),
    { name: 'more', cell: ({ fields }) => moreIn(fields, own) },
  ];
}

const ownFields = (properties: object): string[] =>
  Object.keys(properties).filter((name) => !PERSON.includes(name) && name !== 'vehicle');

const LEAD_COLUMNS = [
  ...columnsOf(ownFields(Lead.properties)),
  { name: 'sameAs', cell: ({ sameAs = [] }: LeadRow) => sameAs.join(' ') },
];
const INTENT_COLUMNS = columnsOf(ownFields(LeadIntent.properties));

/** Cell that a spreadsheet may take for a formula, though it begins with what does not show. */
const FORMULA = /^(?:[\t\r]|[\s\p{C}]*[=+\-@＝＋－＠])/u;
/** A phone number as people write it: `+` and digits alone, or two numbers side by side, which no formula has. */
const PHONE = /^\+(?:\d+|(?=.*(?:\d\s+\d|[\d)]\s*\(|\)\s*\d))\d[\d\s()./-]*)$/;

const guarded = (cell: string): string => (FORMULA.test(cell) && !PHONE.test(cell) ? `'${cell}` : cell);

function csvOf(columns: readonly Column[], rows: readonly LeadRow[], { header }: Options): string {
  const names = columns.map(({ name }) => name);
  const cells = rows.map((row) => columns.map(({ cell }) => guarded(cell(row))));
  return stringify(header ? [names, ...cells] : cells, {
    bom: header, // or Excel reads accents by another code
    record_delimiter: 'windows',
    quote_record_delimiter: true,
  });
}

/**
 * Leads, a record each. What would be a formula has a `'` before it; a phone number is none.
 * @returns records that each end in CRLF; no rows and no header are an empty string
 */
export const leadsCsv = (rows: readonly LeadRow[], options: Options): string => csvOf(LEAD_COLUMNS, rows, options);

/** Intents, as {@link leadsCsv} has leads, with their person's fields beside them. */
export const intentsCsv = (rows: readonly IntentRow[], options: Options): string =>
  csvOf(
    INTENT_COLUMNS,
    // The row's name is the intent's, whatever the record holds.
    rows.map((row) => ({ ...row, fields: { ...row.fields, intent: row.intent } })),
    options,
  );
