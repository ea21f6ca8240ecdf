/**
 * The OpenAPI 3.1 document's words on a route, beyond what the route says itself: who may ask, and the errors
 * that it can answer.
 */
import { type ErrorCode, errorKind } from '../../schemas/errors.ts';
import { described, isObjectSchema, type JsonSchema, refTo, withTextIds } from '../../schemas/json-schema.ts';
import { documented } from '../../schemas/published.ts';
import { MET, ROLES } from '../../schemas/words.ts';

/** The tokens that a route lets in: a role's, or only that of a server of all dealers. */
export type Asker = keyof typeof ROLES | 'server:*';

export interface RouteSchema {
  readonly params?: JsonSchema;
  readonly querystring?: JsonSchema;
  readonly body?: JsonSchema;
  readonly response?: Readonly<Record<string, JsonSchema>>;
  readonly [keyword: string]: unknown;
}

/** A route, as far as the document needs to know it. */
interface Route {
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
  unknown_dealer: names('dealerId'),
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

/** The responses with an error's status, each with the codes that it can have. */
function errorResponses(route: Route): Record<string, JsonSchema> {
  const common = (Object.keys(ERRORS_OF) as ErrorCode[]).filter((code) => ERRORS_OF[code]?.(route));
  const codes = [...new Set([...common, ...route.errors])];
  const statuses = [...new Set(codes.map((code) => errorKind(code).status))];
  return Object.fromEntries(statuses.map((status) => [status, errorResponse(status, codes)]));
}

function errorResponse(status: number, all: readonly ErrorCode[]): JsonSchema {
  const codes = all.filter((code) => errorKind(code).status === status);
  const schema = { allOf: [refTo('Problem'), { properties: { code: { enum: codes } } }] };
  return {
    description: codes.map((code) => `\`${code}\`: ${MET[code]}.`).join(' '),
    ...(HEADERS[status] && { headers: HEADERS[status] }),
    content: { 'application/problem+json': { schema } },
  };
}

const isContent = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null;

/** A response as its route declares it: a schema, or schemas by content type. */
function response(declared: JsonSchema): JsonSchema {
  const { description = 'As asked.', type, content } = declared;
  if (type === 'null') return { description, type };
  return {
    description,
    content: documented(isContent(content) ? content : { 'application/json': { schema: declared } }),
  };
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
  const { params, querystring, body, response: declared = {}, ...said } = route.schema;
  const answers = Object.entries(declared).map(([status, each]) => [status, response(each)]);
  return {
    operationId: operationId(route),
    ...said,
    ...(params && { params: parameters(params) }),
    ...(querystring && { querystring: parameters(querystring) }),
    ...(body && { body: { content: { 'application/json': { schema: documented(body) } } } }),
    response: { ...errorResponses(route), ...Object.fromEntries(answers) },
    ...(route.askers && { security: route.askers.map((asker) => ({ bearer: [asker] })) }),
  };
}
