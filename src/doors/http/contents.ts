import type { TSchema } from '@sinclair/typebox';

/** A good answer as a route's schema has it, where there are several formats, or in one that is not JSON. */
export const contents = (description: string, schemas: Readonly<Record<string, TSchema>>) => ({
  200: {
    description,
    content: Object.fromEntries(Object.entries(schemas).map(([type, schema]) => [type, { schema }])),
  },
});
