import { type JsonSchema, rewritten, withLocalRefs } from '../../schemas/json-schema.ts';
import { PUBLISHED } from '../../schemas/published.ts';

/** The published schemas that a part of a document refers to. */
function referredIn(part: unknown): string[] {
  const names: string[] = [];
  rewritten(part, (object) => {
    const [, name] = typeof object.$ref === 'string' ? (/^\/schemas\/(\w+)\.json$/.exec(object.$ref) ?? []) : [];
    if (name !== undefined) names.push(name);
    return object;
  });
  return names;
}

type WithSchemas<D extends { readonly components: object }> = D & {
  readonly components: D['components'] & { readonly schemas: Readonly<Record<string, JsonSchema>> };
};

/** A document with the published schemas that it refers to, directly or through others, as components of its own. */
export function withSchemas<D extends { readonly components: object }>(document: D): WithSchemas<D> {
  const used = new Map<string, unknown>();
  const open = referredIn(document);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (used.has(name)) continue;
    const schema = PUBLISHED.get(name);
    used.set(name, schema);
    open.push(...referredIn(schema));
  }
  const schemas = Object.fromEntries([...used].sort(([one], [other]) => (one < other ? -1 : 1)));
  return withLocalRefs({ ...document, components: { ...document.components, schemas } }) as WithSchemas<D>;
}
