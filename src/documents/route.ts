/**
 * What the OpenAPI 3.1 document says of a route, beyond what the route says itself: who may ask, the errors that it can
 * answer, and examples that came true.
 */
import { type ErrorCode, errorKind } from '../../schemas/errors.ts';
import { EXCHANGES, type Exchange } from '../../schemas/http-examples.ts';
import { described, isObjectSchema, type JsonSchema, refTo, withTextIds } from '../../schemas/json-schema.ts';
import { documented } from '../../schemas/published.ts';
import { MET, ROLES } from '../../schemas/words.ts';

/** Whose token a route lets in: a role's, or only that of a server of all dealers. */
export type Asker = keyof typeof ROLES | 'server:*';

export interface RouteSchema {
  readonly params?: JsonSchema;
  readonly querystring?: JsonSchema;
  readonly body?: JsonSchema;
  readonly response?: Readonly<Record<string, JsonSchema>>;
  readonly [keyword: string]: unknown;
}

/** A route, as far as the document needs to know it. */
export interface Route {
  readonly method: string;
  /** With its parameters as `:name`. */
  readonly url: string;
  readonly schema: RouteSchema;
  /** Null: no token is needed. */
  readonly askers: readonly Asker[] | null;
  /** The errors that are its own, besides those that the table below finds. */
  readonly errors: readonly ErrorCode[];
}

type Question = (route: Route) => boolean;

const always: Question = () => true;
const isGuarded: Question = ({ askers }) => askers !== null;
const refusesRoles: Question = ({ askers }) =>
  askers !== null && !(Object.keys(ROLES) as Asker[]).every((role) => askers.includes(role));
const readsBody: Question = ({ method }) => method !== 'GET';
const isChecked: Question = ({ schema }) => [schema.params, schema.querystring, schema.body].some(Boolean);
const names =
  (...params: string[]): Question =>
  ({ url }) =>
    params.some((param) => url.includes(`/:${param}`));

/** [P-11.6] Which routes can answer with an error, so that none has to say so itself. */
const ERRORS_OF: Readonly<Partial<Record<ErrorCode, Question>>> = {
  invalid_payload: (route) => isChecked(route) || readsBody(route),
  unauthorized: isGuarded,
  token_expired: isGuarded,
  forbidden: refusesRoles,
  unknown_dealer: (route) => names('dealerId')(route) && route.method !== 'PUT', // which makes it
  unknown_group: names('groupId', 'scope'),
  too_large: readsBody,
  unsupported_media_type: readsBody,
  rate_limited: always,
  unavailable: always,
  internal: always,
};

/** Headers of an error, by status. */
const HEADERS: Readonly<Record<number, JsonSchema>> = {
  401: { 'www-authenticate': { type: 'string', const: 'Bearer' } },
  429: { 'retry-after': { type: 'integer', description: 'seconds' } },
  503: { 'retry-after': { type: 'integer', description: 'seconds' } },
};

const slug = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

/** Examples by name, or nothing where there is none. */
function examples(exchanges: readonly Exchange[], read: (exchange: Exchange) => unknown): JsonSchema {
  const entries = exchanges.flatMap((exchange) => {
    const value = read(exchange);
    return value === undefined ? [] : [[slug(exchange.title), { summary: exchange.title, value }] as const];
  });
  return entries.length > 0 ? { examples: Object.fromEntries(entries) } : {};
}

/** The responses with an error's status, each with the codes that it can have. */
function errorResponses(route: Route, exchanges: readonly Exchange[]): Record<string, JsonSchema> {
  const common = (Object.keys(ERRORS_OF) as ErrorCode[]).filter((code) => ERRORS_OF[code]?.(route));
  const codes = [...new Set([...common, ...route.errors])];
  const statuses = [...new Set(codes.map((code) => errorKind(code).status))];
  return Object.fromEntries(statuses.map((status) => [status, errorResponse(status, codes, exchanges)]));
}

function errorResponse(status: number, all: readonly ErrorCode[], exchanges: readonly Exchange[]): JsonSchema {
  const codes = all.filter((code) => errorKind(code).status === status);
  const schema = { allOf: [refTo('Problem'), { properties: { code: { enum: codes } } }] };
  const own = exchanges.filter((exchange) => exchange.status === status);
  return {
    description: codes.map((code) => `\`${code}\`: ${MET[code]}.`).join(' '),
    ...(HEADERS[status] && { headers: HEADERS[status] }),
    content: { 'application/problem+json': { schema, ...examples(own, ({ answer }) => answer) } },
  };
}

/** A response as its route declares it: a schema, or schemas by content type. */
function response(status: string, declared: JsonSchema, exchanges: readonly Exchange[]): JsonSchema {
  const { description = 'As asked.', type, content } = declared;
  if (type === 'null') return { description, type };
  if (content) return { ...declared, description };
  const own = exchanges.filter((exchange) => String(exchange.status) === status);
  const media = { schema: documented(declared), ...examples(own, ({ answer }) => answer) };
  return { description, content: { 'application/json': media } };
}

/** Parameters: text, of which those with a default need not be given. */
function parameters(schema: JsonSchema): JsonSchema {
  const json = withTextIds(documented(schema));
  if (!isObjectSchema(json)) return json;
  const required = json.required?.filter((name) => json.properties[name]?.default === undefined);
  return described({ ...json, ...(required && { required }) });
}

const operationId = ({ method, url }: Route): string =>
  method.toLowerCase() +
  url.replace(/^\/v1/, '').replace(/[^A-Za-z]+([A-Za-z]?)/g, (_, letter) => letter.toUpperCase());

/** A route's schema as `@fastify/swagger` is to have it. */
export function documentedRoute(route: Route): RouteSchema {
  const { schema, method, url, askers } = route;
  const { params, querystring, body, response: declared = {}, ...said } = schema;
  const path = url.replace(/:(\w+)/g, '{$1}');
  const exchanges = EXCHANGES.filter(({ operation }) => operation === `${method} ${path}`);
  const answers = Object.entries(declared).map(([status, each]) => [status, response(status, each, exchanges)]);
  const media = body && { schema: documented(body), ...examples(exchanges, (exchange) => exchange.body) };
  return {
    operationId: operationId(route),
    ...said,
    ...(params && { params: parameters(params) }),
    ...(querystring && { querystring: parameters(querystring) }),
    ...(media && { body: { content: { 'application/json': media } } }),
    response: { ...errorResponses(route, exchanges), ...Object.fromEntries(answers) },
    ...(askers && { security: askers.map((asker) => ({ bearer: [asker] })) }),
  };
}
