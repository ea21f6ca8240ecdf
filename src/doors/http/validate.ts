import type { TSchema } from '@sinclair/typebox';
import type { FastifyInstance, FastifySchemaCompiler } from 'fastify';
import { checker, isJsonObject } from '../../protocol/checker.ts';

/** Parts of a request whose values come as text. */
const TEXTUAL: ReadonlySet<string | undefined> = new Set(['querystring', 'params', 'headers']);

/** Readers of text, by the kind of value; undefined where it is none, which the check then says. */
const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  integer: (text) => (/^\d{1,16}$/.test(text) ? Number(text) : undefined),
  boolean: (text) => ({ true: true, false: false })[text],
};

/** The values of a request's text, as their schema has them: absent ones have their defaults, digits are whole numbers, and so on. */
function readText(schema: TSchema, given: unknown): Record<string, unknown> {
  const values: Record<string, unknown> = isJsonObject(given) ? { ...given } : {};
  for (const [name, field] of Object.entries<TSchema>(schema.properties)) {
    const text = values[name];
    if (text === undefined && field.default !== undefined) values[name] = field.default;
    else if (typeof text === 'string') values[name] = READERS[field.type]?.(text) ?? text;
  }
  return values;
}

const compile: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = checker(schema);
  const isTextual = TEXTUAL.has(httpPart);
  return (value: unknown) => {
    try {
      return { value: check(isTextual ? readText(schema, value) : value) };
    } catch (error) {
      return { error: error instanceof Error ? error : new Error('invalid') };
    }
  };
};

/** Requests are checked by the same compiled schemas as frames, and their faults told in the same words. */
export function validateWithSchemas(app: FastifyInstance): void {
  app.setValidatorCompiler(compile);
  // What a route says of its responses is for the documents: an answer is sent as it is.
  app.setSerializerCompiler(() => JSON.stringify);
}
