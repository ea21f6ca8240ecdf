/** [P-11.1] The documents: OpenAPI, AsyncAPI, the JSON Schemas, and a page to read them by. */
import { createHash } from 'node:crypto';
import etag from '@fastify/etag';
import swagger from '@fastify/swagger';
import { Type } from '@sinclair/typebox';
import type { RouteOptions } from 'fastify';
import { type ErrorCode, refused } from '../../../schemas/errors.ts';
import { SchemaList } from '../../../schemas/http.ts';
import { type JsonSchema, uriOf } from '../../../schemas/json-schema.ts';
import { PUBLISHED } from '../../../schemas/published.ts';
import { asyncApi } from '../../documents/asyncapi.ts';
import { finished, openApiBase } from '../../documents/openapi.ts';
import { page, STYLE } from '../../documents/page.ts';
import { type Asker, documentedRoute, type RouteSchema } from '../../documents/route.ts';
import { isGuard } from './authenticate.ts';
import type { App } from './http.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The errors that a route can answer with, besides those that every such route can: for its document. */
    readonly errors?: readonly ErrorCode[];
  }
}

/** The routes' guard says whose tokens it lets in; a route that has none lets in everybody. */
function askersOf({ onRequest }: RouteOptions): readonly Asker[] | null {
  const [guard] = [onRequest ?? []].flat().filter(isGuard);
  return guard?.askers ?? null;
}

/** Sees to it that every route that is made from now on is in the document. */
export async function describeRoutes(app: App, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: openApiBase(version),
    convertConstToEnum: false,
    transform: ({ schema, url, route }) => ({
      schema: documentedRoute({
        method: String(route.method),
        url,
        schema: (schema ?? {}) as RouteSchema,
        askers: askersOf(route),
        errors: route.config?.errors ?? [],
      }),
      url,
    }),
  });
}

const tags = ['documents'];
const params = Type.Object({ name: Type.String({ maxLength: 64, description: "the schema's" }) });

/** Describes the response of a document's route. */
const text = (type: string, description: string, schema: JsonSchema) => ({
  200: { description, content: { [type]: { schema: Type.Unsafe<string>(schema) } } },
});

/** The documents that are one text each: where, as what, and made of what. */
const TEXTS = {
  '/openapi.json': { type: 'application/json', kind: 'object', summary: 'The HTTP interface, as OpenAPI 3.1' },
  '/asyncapi.json': { type: 'application/json', kind: 'object', summary: 'The WebSocket interface, as AsyncAPI 3.0' },
  '/docs': { type: 'text/html', kind: 'string', summary: 'A page to read both of them by' },
} as const;
type Url = keyof typeof TEXTS;

/** The page asks for nothing, runs nothing, and has the one style that is in it. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

function textsOf(app: App, version: string): Readonly<Record<Url, string>> {
  const [openapi, asyncapi] = [finished(app.swagger()), asyncApi(version)];
  return {
    '/openapi.json': JSON.stringify(openapi),
    '/asyncapi.json': JSON.stringify(asyncapi),
    '/docs': page(openapi, asyncapi),
  };
}

/** The routes of the documents, each with an ETag. They need {@link describeRoutes}. */
export async function documentRoutes(app: App, version: string): Promise<void> {
  // Made when first asked for, of all the routes that there are then: most nodes never are, and start the sooner.
  let texts: Readonly<Record<Url, string>> | undefined;

  await app.register(async (scope: App) => {
    await scope.register(etag);
    scope.addHook('onSend', async (_, reply) => {
      reply.header('cache-control', 'no-cache');
    });
    for (const [url, { type, kind, summary }] of Object.entries(TEXTS) as [Url, (typeof TEXTS)[Url]][]) {
      const schema = { tags, summary, response: text(type, `${summary}.`, { type: kind }) };
      scope.get(url, { schema }, async (_, reply) => {
        if (type === 'text/html') reply.header('content-security-policy', POLICY);
        texts ??= textsOf(app, version);
        return reply.type(`${type}; charset=utf-8`).send(texts[url]);
      });
    }
    schemaRoutes(scope);
  });
}

function schemaRoutes(app: App): void {
  const items = [...PUBLISHED].map(([name, { description }]) => ({
    name,
    url: uriOf(name),
    description: String(description),
  }));
  const listed = { tags, summary: 'Lists the schemas', response: { 200: SchemaList } };
  app.get('/schemas', { schema: listed }, async () => ({ items }));

  const type = 'application/schema+json';
  const read = {
    tags,
    summary: 'Reads a schema',
    params,
    response: text(type, 'JSON Schema 2020-12.', { type: 'object' }),
  };
  const config = { errors: ['unknown_route'] } as const;
  app.get('/schemas/:name.json', { schema: read, config }, async ({ params: { name } }, reply) => {
    const schema = PUBLISHED.get(name);
    if (!schema) throw refused('unknown_route', 'there is no such schema');
    return reply.type(type).send(JSON.stringify(schema));
  });
}
