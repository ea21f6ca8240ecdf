/** Renders a schema for the page: its kind in words, and its fields as a table. */
import { isObjectSchema, type JsonSchema } from '../../schemas/json-schema.ts';
import { type Html, html, joined, prose, table } from './html.ts';

const LIMITS: readonly (readonly [string, string])[] = [
  ['minimum', '≥'],
  ['maximum', '≤'],
  ['minLength', 'characters ≥'],
  ['maxLength', 'characters ≤'],
  ['maxItems', 'items ≤'],
  ['maxProperties', 'fields ≤'],
  ['default', 'default'],
];

const code = (value: unknown): Html => html`<code>${JSON.stringify(value)}</code>`;

/** A name with a link to its schema, where it refers to one. */
export function named(ref: string): Html {
  const name = ref.split('/').at(-1) ?? ref;
  return html`<a href="#schema-${name}">${name}</a>`;
}

const list = (value: unknown): readonly JsonSchema[] => (Array.isArray(value) ? value : []);
const isSchema = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null;

/** Describes a value of a schema in words. */
export function kindOf(schema: JsonSchema): Html {
  if (typeof schema.$ref === 'string') return named(schema.$ref);
  if ('const' in schema) return code(schema.const);
  if (Array.isArray(schema.enum)) return joined(schema.enum.map(code), ' or ');
  const variants = [...list(schema.anyOf), ...list(schema.oneOf)];
  if (variants.length > 0) return joined(variants.map(kindOf), ' or ');
  if (isSchema(schema.items)) return html`array of ${kindOf(schema.items)}`;
  const limits = LIMITS.filter(([keyword]) => keyword in schema).map(
    ([keyword, words]) => `${words} ${schema[keyword]}`,
  );
  const values = isSchema(schema.additionalProperties) ? html` of ${kindOf(schema.additionalProperties)}` : null;
  const pattern = typeof schema.pattern === 'string' ? html` like <code>${schema.pattern}</code>` : null;
  return html`${String(schema.type ?? 'any')}${values}${pattern}${limits.length > 0 ? ` (${limits.join(', ')})` : null}`;
}

/** The rules of a schema that a table of fields does not show, as `requiredWhere` makes them. */
function rules(schema: JsonSchema): Html[] {
  return list(schema.allOf).flatMap(({ if: when, then }) => {
    if (!isSchema(when) || !isObjectSchema(when) || !isSchema(then)) return [];
    const conditions = Object.entries(when.properties).map(([name, { const: value }]) => {
      return html`<code>${name}</code> is ${code(value)}`;
    });
    return html`<p>Where ${joined(conditions, ' and ')}, <code>${String(then.required)}</code> is required.</p>`;
  });
}

/** The fields of an object, or what the schema is made of. */
export function fields(schema: JsonSchema): Html {
  if (!isObjectSchema(schema)) {
    const variants = [...list(schema.oneOf), ...list(schema.anyOf)].map(frameOrKind);
    return variants.length > 0
      ? html`<ul>${variants.map((each) => html`<li>${each}</li>`)}</ul>`
      : html`<p>${kindOf(schema)}</p>`;
  }
  const rows = Object.entries(schema.properties).map(([name, field]) => [
    html`<code>${name}</code>${schema.required?.includes(name) ? null : '?'}`,
    kindOf(field),
    typeof field.description === 'string' ? field.description : null,
  ]);
  if (rows.length === 0) return html`<p>No fields.</p>`;
  return html`${table(['field', 'kind', 'what'], rows)}${rules(schema)}`;
}

/** A frame by its channel and payload; anything else by its kind. */
function frameOrKind(schema: JsonSchema): Html {
  if (!isObjectSchema(schema)) return kindOf(schema);
  const { channel, payload } = schema.properties;
  if (!channel || !payload) return fields(schema);
  return html`${kindOf(channel)}: ${kindOf(payload)}`;
}

/** A schema with its name as an anchor. */
export const schemaSection = (name: string, schema: JsonSchema): Html => html`<section id="schema-${name}">
<h3>${name}</h3>
${typeof schema.description === 'string' ? prose(schema.description) : null}
${fields(schema)}
<p><a href="/schemas/${name}.json">/schemas/${name}.json</a></p>
</section>`;
