/** Holds what HTTP answers to the OpenAPI document. */
import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { finished, type OpenApi } from '../../src/documents/openapi.ts';
import type { App } from '../../src/doors/http/http.ts';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

/** Every server of a process has the same routes: one document is enough. */
let known:
  | { readonly document: OpenApi; readonly ajv: Ajv2020; readonly paths: readonly [RegExp, string][] }
  | undefined;

function knownOf(app: App) {
  const document = finished(app.swagger());
  const ajv = new Ajv2020({ strict: false, validateSchema: false, inlineRefs: false, code: { optimize: false } });
  ajv.addSchema(document, 'openapi');
  const paths = Object.keys(document.paths).map((path): [RegExp, string] => [
    new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
    path,
  ]);
  return { document, ajv, paths };
}

const pointer = (...keys: string[]) =>
  keys.map((key) => encodeURIComponent(key.replace(/~/g, '~0').replace(/\//g, '~1'))).join('/');

/**
 * That an answer is one that its operation is said to give. A path that no operation has is no operation's to answer.
 * @param asked the method and the URL
 */
export function assertDocumented(app: App, asked: string, { status, headers, body }: Answer): void {
  known ??= knownOf(app);
  const { document, ajv, paths } = known;
  const [method = '', url = ''] = asked.split(' ');
  const path = paths.find(([pattern]) => pattern.test(url.replace(/\?.*/, '')))?.[1];
  const operation = path === undefined ? undefined : document.paths[path]?.[method.toLowerCase()];
  if (path === undefined || operation === undefined) return;
  const response = operation.responses[status];
  assert.ok(response, `${asked} answers ${status}, which is not documented: ${JSON.stringify(body)}`);
  const [type = ''] = String(headers['content-type'] ?? '').split(';');
  const types = Object.keys(response.content ?? { '': 'no body' });
  assert.ok(types.includes(type), `${asked} answers ${status} as ${type}, which is not documented`);
  if (!type.endsWith('json')) return;
  const at = pointer('paths', path, method.toLowerCase(), 'responses', String(status), 'content', type, 'schema');
  const validate = ajv.getSchema(`openapi#/${at}`);
  assert.ok(validate?.(body), `${asked} ${status}: ${ajv.errorsText(validate?.errors)} in ${JSON.stringify(body)}`);
}
