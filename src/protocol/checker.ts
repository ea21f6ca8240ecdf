/** A schema made into a check that answers with the known fields alone, or says what is wrong with which field. */
import { Kind, type Static, type TSchema } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { type ValueError, ValueErrorType } from '@sinclair/typebox/errors';
import { type Detail, refused } from '../../schemas/errors.ts';
import { isIdKind } from '../../schemas/kinds.ts';
import { MAX_RECORD_BYTES, MAX_RECORD_DEPTH } from '../../schemas/records.ts';

/** Number of faults that one refusal names. */
const MAX_DETAILS = 5;

type JsonObject = Record<string, unknown>;

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value's kind, in words that hold nothing of the value itself. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'string') return `a string of length ${value.length}`;
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a number';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** The JSON types that a union takes. */
const kindsOf = (schema: TSchema): string[] => [
  ...new Set<string>(schema.anyOf.flatMap((each: TSchema) => (each.anyOf ? kindsOf(each) : [each.type]))),
];

/** The words by which the objects of a union are told apart: the `kind` of each. Empty: it is no union of such objects. */
const tagsOf = ({ anyOf = [] }: TSchema): string[] => {
  const tags = anyOf.flatMap(({ properties }: TSchema) => properties?.kind?.const ?? []);
  return tags.length === anyOf.length ? tags : [];
};

/** A schema's rule, in words. */
function ruleOf(schema: TSchema, error: ValueError): string {
  switch (schema[Kind]) {
    case 'Text':
      return `expected text of ${schema.minLength} to ${schema.maxLength} characters`;
    case 'Plain':
      return `expected a string of 1 to ${schema.maxLength} characters, none of them a control character`;
    case 'Id':
      return 'expected 1 to 64 of A-Z a-z 0-9 . _ : @ -, or a non-negative integer';
    case 'IdOrNull':
      return 'expected 1 to 64 of A-Z a-z 0-9 . _ : @ -, a non-negative integer, or null';
    case 'DealerOrAll':
      return 'expected *, or 1 to 64 of A-Z a-z 0-9 . _ : @ -, or a non-negative integer';
    case 'GroupId':
      return 'expected 1 to 64 of A-Z a-z 0-9 . _ : @ -, not beginning with @, or a non-negative integer';
    case 'OneOf':
      return `expected one of ${schema.enum.join(', ')}`;
    case 'Union':
      return `expected ${kindsOf(schema).join(' or ')}`;
    case 'TimeZone':
    case 'Day':
    case 'Not':
      return `expected ${schema.description}`;
    case 'Literal':
      return `expected ${JSON.stringify(schema.const)}`;
    default:
      // What a pattern says, its schema says in words.
      if (error.type === ValueErrorType.StringPattern && error.schema.description)
        return `expected ${error.schema.description}`;
      return error.message.charAt(0).toLowerCase() + error.message.slice(1);
  }
}

function detailOf(error: ValueError): Detail {
  if (error.type === ValueErrorType.ObjectRequiredProperty) return { path: error.path, message: 'required' };
  const tags = tagsOf(error.schema);
  if (tags.length > 0 && isJsonObject(error.value)) return detailWithin(tags, error, error.value.kind);
  // Where a value is of one of a union's kinds, what is wrong is inside it.
  for (const variant of error.errors) {
    const inside = variant.First();
    if (inside && inside.path !== error.path) return detailOf(inside);
  }
  return { path: error.path, message: `${ruleOf(error.schema, error)}, got ${kindOf(error.value)}` };
}

/** Looks into the one of a union's objects that a value says it is. */
function detailWithin(tags: readonly string[], { path, errors }: ValueError, tag: unknown): Detail {
  const inside = errors[tags.indexOf(String(tag))]?.First();
  if (inside) return detailOf(inside);
  return { path: `${path}/kind`, message: `expected one of ${tags.join(', ')}, got ${kindOf(tag)}` };
}

function detailsOf(errors: Iterable<ValueError>): Detail[] {
  const details = new Map<string, Detail>();
  for (const error of errors) {
    if (!details.has(error.path)) details.set(error.path, detailOf(error));
    if (details.size === MAX_DETAILS) break;
  }
  return [...details.values()];
}

/** A field that is required where another has a value. */
interface Requirement {
  readonly field: string;
  readonly value: unknown;
  readonly needs: string;
}

/** The `requiredWhere` rules of a schema. */
const requirementsOf = (schema: TSchema): Requirement[] =>
  (schema.allOf ?? []).flatMap(({ if: when, then }: TSchema) =>
    Object.entries<TSchema>(when.properties).map(([field, rule]) => ({
      field,
      value: rule.const,
      needs: then.required[0],
    })),
  );

/** The rules that a value breaks, which else is as its schema says. */
function unmet(requirements: readonly Requirement[], value: unknown): Detail[] {
  const given = Object(value);
  return requirements
    .filter(({ field, value, needs }) => given[field] === value && given[needs] === undefined)
    .map(({ field, value, needs }) => ({
      path: `/${needs}`,
      message: `required where ${field} is ${JSON.stringify(value)}`,
    }));
}

/** Tells whether a value is nested no deeper than a limit. */
export function depthWithin(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return limit > 0 && Object.values(value).every((inner) => depthWithin(inner, limit - 1));
}

/** [P-6.1] Nesting and size of a record, in a payload that else is as its schema says. */
function excess(value: unknown): Detail[] {
  const { message } = Object(value);
  if (!depthWithin(message, MAX_RECORD_DEPTH)) {
    return [{ path: '/message', message: `expected nesting of at most ${MAX_RECORD_DEPTH}` }];
  }
  const bytes = Buffer.byteLength(JSON.stringify(message));
  if (bytes <= MAX_RECORD_BYTES) return [];
  return [{ path: '/message', message: `expected at most ${MAX_RECORD_BYTES} bytes of JSON, got ${bytes}` }];
}

/** [P-6.1] Where a record is asked for, a string that holds one is taken for it. */
function opened(value: unknown): unknown {
  if (!isJsonObject(value) || typeof value.message !== 'string') return value;
  try {
    return { ...value, message: JSON.parse(value.message) };
  } catch {
    throw refused('invalid_payload', 'message is not JSON', {
      details: [{ path: '/message', message: 'expected an object, or a string that holds a JSON object' }],
    });
  }
}

/** Makes what is kept of a value [P-2.4]: without what its schema does not know, ids as strings [P-2.7]. */
type Keep = (value: unknown) => unknown;

const keepId: Keep = (value) => (value === null ? null : String(value));

/** Finds how a value of a schema is kept; null: all of it, as it is. */
function keepOf(schema: TSchema): Keep | null {
  if (isIdKind(schema)) return keepId;
  const tags = tagsOf(schema);
  if (tags.length > 0) return keepTagged(tags, schema.anyOf.map(keepOf));
  if (schema[Kind] === 'Array') return keepEach(keepOf(schema.items));
  if (schema[Kind] !== 'Object' || schema.additionalProperties === true) return null;
  return keepFields(new Map(Object.entries<TSchema>(schema.properties).map(([name, field]) => [name, keepOf(field)])));
}

const keepTagged =
  (tags: readonly string[], keeps: readonly (Keep | null)[]): Keep =>
  (value) =>
    keeps[tags.indexOf(Object(value).kind)]?.(value);

const keepEach = (keep: Keep | null): Keep | null =>
  keep && ((value) => (Array.isArray(value) ? value.map((each) => keep(each)) : value));

/** Tells whether nothing is to be left out or changed: most payloads are so, and need no copy. */
function isKept(fields: ReadonlyMap<string, Keep | null>, value: JsonObject): boolean {
  for (const name in value) {
    const keep = fields.get(name);
    if (keep === undefined || (keep !== null && (keep !== keepId || typeof value[name] !== 'string'))) return false;
  }
  return true;
}

const keepFields =
  (fields: ReadonlyMap<string, Keep | null>): Keep =>
  (value) => {
    if (!isJsonObject(value) || isKept(fields, value)) return value;
    const kept: JsonObject = {};
    for (const [name, keep] of fields) {
      const field = value[name];
      if (field !== undefined) kept[name] = keep === null ? field : keep(field);
    }
    return kept;
  };

/**
 * Compiles a schema.
 * @returns a function from any value to the schema's, with unknown fields left out; it throws a `RefusedError`
 *   `invalid_payload` with details, at most five, that name the field, the rule and the value's kind
 */
export function checker<S extends TSchema>(schema: S): (value: unknown) => Static<S> {
  const compiled = TypeCompiler.Compile(schema);
  const isRecord = schema.properties?.message?.[Kind] === 'Object';
  const requirements = requirementsOf(schema);
  const keep = keepOf(schema);
  return (given) => {
    const value = isRecord ? opened(given) : given;
    if (!compiled.Check(value)) throw invalid(detailsOf(compiled.Errors(value)));
    const broken = isRecord ? [...unmet(requirements, value), ...excess(value)] : unmet(requirements, value);
    if (broken.length > 0) throw invalid(broken);
    return (keep === null ? value : keep(value)) as Static<S>;
  };
}

function invalid(details: Detail[]) {
  const [first] = details;
  const message = first ? `${first.path.slice(1) || 'payload'}: ${first.message}` : 'invalid';
  return refused('invalid_payload', message, { details });
}
