import type { Body, Carried } from '../../schemas/accepted.ts';
import { ACCEPTED } from '../../schemas/table.ts';

/**
 * The part of a payload that its event tells as it was sent: every field but those that say who and where, and those that its
 * definition drops. A field that is added to both schemas so goes the whole way.
 */
export function carried<B extends Body>(body: B): Carried<B> {
  const fields: Record<string, unknown> = {};
  for (const field of ACCEPTED.get(body.type)?.carries ?? []) {
    const value: unknown = Reflect.get(body, field);
    if (value !== undefined) fields[field] = value;
  }
  // TypeScript cannot follow that a type's own list of fields, walked through, makes that type.
  return fields as Carried<B>;
}
