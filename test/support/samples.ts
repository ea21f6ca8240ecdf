/** Values that a schema takes, made from the schema itself, so that a type which is new is tried as well. */
import { Kind, type TSchema } from '@sinclair/typebox';

/** Fills in the fields of a payload by name, wherever its schema has them. */
type Given = Readonly<Record<string, unknown>>;

/** One value for each kind; a kind that is not here must be taught. */
const BY_KIND: Readonly<Record<string, (schema: TSchema, given: Given) => unknown>> = {
  Object: (schema, given) => fieldsOf(schema, given),
  Union: ({ anyOf }, given) => sampleOf(anyOf[0], given),
  Intersect: ({ allOf }, given) => Object.assign({}, ...allOf.map((each: TSchema) => sampleOf(each, given))),
  Array: ({ items }, given) => [sampleOf(items, given)],
  Record: () => ({}),
  Literal: ({ const: value }) => value,
  OneOf: ({ enum: [first] }) => first,
  Boolean: () => true,
  Integer: ({ minimum }) => minimum ?? 1,
  Number: ({ minimum }) => minimum ?? 1,
  String: ({ pattern }) => (pattern ? 'https://a.example' : 'some text'),
  Text: () => 'some text',
  Plain: () => 'buy',
  Id: () => 'some-id',
  GroupId: () => 'some-group',
  IdOrNull: () => null,
  DealerOrAll: () => 'some-dealer',
  TimeZone: () => 'Europe/Madrid',
  Day: () => '2026-12-25',
  Null: () => null,
  // What is not looked at, and what is anything but one value.
  Unknown: () => null,
  Any: () => null,
  Not: () => null,
  // Told to documents alone: what is sent there is checked by other schemas.
  Unsafe: () => ({}),
};

/** A value of a schema, with every field that it may have. */
export function sampleOf(schema: TSchema, given: Given = {}): unknown {
  const make = BY_KIND[schema[Kind]];
  if (!make) throw new Error(`test/support/samples.ts knows no value of kind ${schema[Kind]}`);
  return make(schema, given);
}

function fieldsOf({ properties }: TSchema, given: Given): Record<string, unknown> {
  const fields = Object.entries<TSchema>(properties);
  return Object.fromEntries(
    fields.map(([name, field]) => [name, Object.hasOwn(given, name) ? given[name] : sampleOf(field)]),
  );
}

/** A place in a value: the names of the fields that lead there. */
export type Path = readonly string[];

const TEXTUAL: ReadonlySet<string> = new Set(['Text', 'Plain', 'String']);

/** Every place of a schema that holds text of somebody's own. */
export function textPathsOf(schema: TSchema, at: Path = []): Path[] {
  if (schema[Kind] === 'Object') {
    return Object.entries<TSchema>(schema.properties).flatMap(([name, field]) => textPathsOf(field, [...at, name]));
  }
  if (schema[Kind] === 'Union') {
    const [first] = schema.anyOf;
    return first ? textPathsOf(first, at) : [];
  }
  return TEXTUAL.has(schema[Kind]) ? [at] : [];
}

/** A copy of a value with something else at a place. */
export function withAt(value: unknown, [name, ...rest]: Path, put: unknown): unknown {
  if (name === undefined) return put;
  const fields = typeof value === 'object' && value !== null ? value : {};
  return { ...fields, [name]: withAt(Reflect.get(fields, name), rest, put) };
}

/** What a value has at a place. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, name) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, name) : undefined),
    value,
  );
}
