/**
 * The objects that `message` holds in `UPDATE_USER` … `UPDATE_LEAD_INTENT` [P-6.4]: well-known fields have a kind, any
 * other field is kept as it is.
 */
import { type Static, type TProperties, type TSchema, Type } from '@sinclair/typebox';
import { Plain } from './kinds.ts';

/** [P-6.1] The deepest nesting and the most bytes of one such object, as JSON. */
export const MAX_RECORD_DEPTH = 5;
export const MAX_RECORD_BYTES = 8 * 1024;

/** A null takes the field away [P-6.5]. */
const orNull = <S extends TSchema>(schema: S) => Type.Optional(Type.Union([schema, Type.Null()]));
const word = orNull(Type.String());
const open = <Fields extends TProperties>(description: string, fields: Fields) =>
  Type.Object(fields, { additionalProperties: true, description });

const person = {
  name: word,
  firstName: word,
  lastName: word,
  email: word,
  phone: word,
  externalId: word,
  locale: word,
};

export const Vehicle = open('A vehicle, as far as it is known.', {
  condition: word,
  year: orNull(Type.Union([Type.Integer(), Type.String()])),
  make: word,
  model: word,
  trim: word,
  vin: word,
  stock: word,
});

export const UserProfile = open('Who a customer is. Other fields are kept as they are; null takes one away.', person);
export const Pageview = open('A page that a customer looks at. Other fields are kept as they are.', {
  url: word,
  title: word,
  referrer: word,
  vin: word,
  stock: word,
});
export const Lead = open('What is known of a lead. Other fields are kept as they are; null takes one away.', {
  ...person,
  source: word,
  status: word,
  comments: word,
  consent: orNull(Type.Union([Type.Boolean(), Type.String()])),
  vehicle: orNull(Vehicle),
});
export const LeadIntent = open('What a customer wants. Other fields are kept as they are; null takes one away.', {
  intent: Plain(64),
  status: word,
  vehicle: orNull(Vehicle),
  preferredTime: word,
  notes: word,
});

/** All of them, by name: what a `message` can hold, and what is inside it. */
export const RECORDS = { UserProfile, Pageview, Lead, LeadIntent, Vehicle } as const;

export type LeadIntent = Static<typeof LeadIntent>;

/** A record as it is kept and merged: any JSON object. */
export type Fields = Readonly<Record<string, unknown>>;
