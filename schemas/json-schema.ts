/** TypeBox's schemas as the plain JSON Schema (2020-12) that is published, and what is made of them there. */
import type { TSchema } from '@sinclair/typebox';
import { GroupId, Id } from './kinds.ts';
import { FIELDS } from './words.ts';

export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** The schema of an object whose fields are known. */
export interface ObjectSchema extends JsonSchema {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Any part of a document, with a change made to each object in it, the innermost first. */
export function rewritten(node: unknown, change: (object: JsonSchema) => JsonSchema): unknown {
  if (Array.isArray(node)) return node.map((each) => rewritten(each, change));
  if (!isObject(node)) return node;
  return change(Object.fromEntries(Object.entries(node).map(([key, value]) => [key, rewritten(value, change)])));
}

/** {@link rewritten}, for a schema: what is an object stays one. */
export const rewrittenSchema = <S extends JsonSchema>(schema: S, change: (object: JsonSchema) => JsonSchema): S =>
  rewritten(schema, change) as S;

/** A record's fields are any fields; a union of words is a list of them; what TypeBox notes for itself is left out. */
function tidied(object: JsonSchema): JsonSchema {
  const { patternProperties, anyOf, ...rest } = object;
  if (isObject(patternProperties)) return { ...rest, additionalProperties: Object.values(patternProperties)[0] };
  if (!Array.isArray(anyOf)) return object;
  const words = anyOf.flatMap((each) => (isObject(each) && typeof each.const === 'string' ? [each.const] : []));
  return words.length === anyOf.length ? { ...rest, type: 'string', enum: words } : object;
}

/** A schema as plain JSON: symbols are gone, keywords are those of the standard. */
export const plain = (schema: TSchema | JsonSchema): JsonSchema =>
  rewrittenSchema<JsonSchema>(JSON.parse(JSON.stringify(schema)), tidied);

export const isObjectSchema = (schema: JsonSchema): schema is ObjectSchema => isObject(schema.properties);

/** {@link plain}, for the schema of an object. */
export function plainObject(schema: TSchema | JsonSchema): ObjectSchema {
  const json = plain(schema);
  if (!isObjectSchema(json)) throw new TypeError('not the schema of an object');
  return json;
}

const ID_TEXTS: ReadonlyMap<string, unknown> = new Map(
  [Id, GroupId].map((schema) => [JSON.stringify(plain(schema)), schema.anyOf[0]]),
);

/** [P-2.7] Ids as the server says them, and as a path has them: strings, never numbers. */
export const withTextIds = <S extends JsonSchema>(schema: S): S =>
  rewrittenSchema(schema, (object) => {
    const text = ID_TEXTS.get(JSON.stringify(object));
    return isObject(text) ? text : object;
  });

/** Where a published schema is. */
export const uriOf = (name: string): string => `/schemas/${name}.json`;

export const refTo = (name: string): JsonSchema => ({ $ref: uriOf(name) });

/** A schema whose parts that have a name are said by it, the outermost that has one. */
export const withNames = <S extends JsonSchema>(schema: S, names: ReadonlyMap<string, string>): S =>
  named(schema, names) as S;

function named(node: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(node)) return node.map((each) => named(each, names));
  if (!isObject(node)) return node;
  const name = names.get(JSON.stringify(node));
  if (name !== undefined) return refTo(name);
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, named(value, names)]));
}

/** A document's part, with its references to published schemas made into references to the document's own copies. */
export const withLocalRefs = (node: unknown): unknown =>
  rewritten(node, ({ $schema: _, $id, ...object }) => {
    const [, name] = typeof object.$ref === 'string' ? (/^\/schemas\/(\w+)\.json$/.exec(object.$ref) ?? []) : [];
    return name === undefined ? object : { ...object, $ref: `#/components/schemas/${name}` };
  });

/** An object's schema that says of each field what it is for, where that is said anywhere. */
export const described = ({ properties, ...schema }: ObjectSchema): ObjectSchema => ({
  ...schema,
  type: 'object',
  properties: Object.fromEntries(
    Object.entries(properties).map(([name, field]) => {
      const description = '$ref' in field || 'description' in field ? undefined : FIELDS[name];
      return [name, description === undefined ? field : { ...field, description }];
    }),
  ),
});
