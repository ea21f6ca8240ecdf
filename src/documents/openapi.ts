/** The OpenAPI 3.1 document as a whole: what is said around the routes, and its order. */
import { EXCHANGES, type Exchange } from '../../schemas/http-examples.ts';
import type { JsonSchema } from '../../schemas/json-schema.ts';
import { withSchemas } from './components.ts';

/** Parts of the document that are no route's. @param version of the server */
export const openApiBase = (version: string) => ({
  openapi: '3.1.0',
  info: {
    title: 'Telle',
    version,
    description: [
      'The HTTP interface of Telle. What is said over its WebSocket is in the AsyncAPI document, `/asyncapi.json`.',
      '',
      'Every error is `application/problem+json` (RFC 9457); programs go by its `code`. A list is a page: `next` goes back as',
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
  readonly components: JsonSchema & { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

const slug = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

/** A body in JSON, with the examples of it that came true. */
function withExamples<Body extends { readonly content?: Operation['responses'][string]['content'] }>(
  body: Body,
  exchanges: readonly Exchange[],
  read: (exchange: Exchange) => unknown,
): Body {
  const told = exchanges.filter((exchange) => read(exchange) !== undefined);
  const [type] = Object.keys(body.content ?? {}).filter((name) => /json$/.test(name));
  const media = type && body.content?.[type];
  if (!media || told.length === 0) return body;
  const examples = told.map((each) => [slug(each.title), { summary: each.title, value: read(each) }] as const);
  return { ...body, content: { ...body.content, [type]: { ...media, examples: Object.fromEntries(examples) } } };
}

function operationWithExamples(name: string, operation: Operation): Operation {
  const exchanges = EXCHANGES.filter((exchange) => exchange.operation === name);
  const taken = exchanges.filter(({ status }) => status < 400);
  const { requestBody, responses } = operation;
  const answers = Object.entries(responses).map(([status, response]) => {
    const own = exchanges.filter((exchange) => String(exchange.status) === status);
    return [status, withExamples(response, own, ({ answer }) => answer)];
  });
  return {
    ...operation,
    ...(requestBody && { requestBody: withExamples(requestBody, taken, ({ body }) => body) }),
    responses: Object.fromEntries(answers),
  };
}

/** The document, whatever the order in which routes were registered, with examples and the schemas that it refers to. */
export function finished(made: object): OpenApi {
  const document = made as OpenApi; // as `@fastify/swagger` makes it, of what the routes say
  const paths = Object.entries(document.paths)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([path, operations]) => {
      const named = Object.entries(operations).map(([method, operation]) => {
        return [method, operationWithExamples(`${method.toUpperCase()} ${path}`, operation)] as const;
      });
      return [path, Object.fromEntries(named)] as const;
    });
  const operations = paths.flatMap(([, each]) => Object.values(each));
  const tags = [...new Set(operations.flatMap((operation) => operation.tags ?? []))].sort().map((name) => ({ name }));
  return withSchemas({ ...document, tags, paths: Object.fromEntries(paths) });
}
