/** The OpenAPI 3.1 document as a whole: what is said around the routes, and its order. */
import type { JsonSchema } from '../../schemas/json-schema.ts';
import { withSchemas } from './components.ts';

/** What the document says that no route does. @param version of the server */
export const openApiBase = (version: string) => ({
  openapi: '3.1.0',
  info: {
    title: 'Telle',
    version,
    description: [
      'The HTTP interface of Telle. What is said over its WebSocket is in the AsyncAPI document, `/asyncapi.json`.',
      '',
      'Errors are `application/problem+json` (RFC 9457); programs go by `code`. A list is a page: `next` goes back as',
      '`?cursor=`, and is null on the last page.',
    ].join('\n'),
    license: { name: 'MIT', identifier: 'MIT' },
  },
  servers: [{ url: '/', description: 'This server.' }],
  components: {
    securitySchemes: {
      bearer: {
        type: 'http' as const,
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description:
          'A JSON Web Token, HS256, with `role`, `dealer`, `sub` and `exp`. An operation names the roles that it lets in: `customer`, `admin`, `server`; `server:*` is a server of all dealers.',
      },
    },
  },
});

export interface Operation {
  readonly operationId: string;
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly security?: readonly { readonly bearer: readonly string[] }[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema: JsonSchema;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, Media>> }>
  >;
}

export interface Media {
  readonly schema: JsonSchema;
  readonly examples?: Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>;
}

export interface OpenApi extends JsonSchema {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: JsonSchema;
}

/** The document, whatever the order in which routes were registered, with the schemas that it refers to. */
export function finished(made: object): OpenApi {
  const document = made as OpenApi; // as `@fastify/swagger` makes it, of what the routes say
  const paths = Object.entries(document.paths).sort(([one], [other]) => (one < other ? -1 : 1));
  const tags = paths.flatMap(([, operations]) =>
    Object.values(operations).flatMap((operation) => operation.tags ?? []),
  );
  const sorted = [...new Set(tags)].sort().map((name) => ({ name }));
  return withSchemas({ ...document, tags: sorted, paths: Object.fromEntries(paths) });
}
