/** [P-11.1] `GET /openapi.json`: by a validator of the standard, complete by the routes there are, and true of them. */
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { after, before, describe, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { FastifyInstance } from 'fastify';
import { ERRORS, type ErrorCode, errorKind } from '../../schemas/errors.ts';
import type { OpenApi, Operation } from '../../src/documents/openapi.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let document: OpenApi;
/** Every route that the server has for programs, as method and path template: pages are for people. */
const routes: string[] = [];

const listen = (message: unknown) => {
  const { fastify } = message as { fastify: FastifyInstance };
  fastify.addHook('onRoute', ({ method, url, schema }) => {
    if (schema?.hide) return;
    for (const each of [method].flat()) routes.push(`${each} ${url.replace(/:(\w+)/g, '{$1}')}`);
  });
};

before(async () => {
  subscribe('fastify.initialization', listen);
  server = await startServer();
  unsubscribe('fastify.initialization', listen);
  document = (await server.http('GET', '/openapi.json')).body;
});
after(() => server.close());

/** How the schema of an error says which codes it can have. */
type AllOf = [unknown, { readonly properties: { readonly code: { readonly enum: readonly ErrorCode[] } } }];

const operations = (): (readonly [string, Operation])[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
  );

describe('the OpenAPI document', () => {
  test('is valid', async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    assert.ok(valid, JSON.stringify(errors));
    assert.equal(document.openapi, '3.1.0');
  });

  test('has every route that the server has, and no other', () => {
    const described = operations().map(([name]) => name);
    const served = routes.filter((route) => !/^(HEAD|OPTIONS) /.test(route));
    assert.ok(served.length > 10);
    assert.deepEqual(described.sort(), [...new Set(served)].sort());
  });

  test('says of every operation what it is, under a tag, and names it as no other', () => {
    for (const [name, { summary, tags, operationId }] of operations()) {
      assert.ok(summary && tags?.length === 1 && operationId, name);
    }
    const ids = operations().map(([, { operationId }]) => operationId);
    assert.equal(new Set(ids).size, ids.length);
  });

  test('says of every operation what it answers, as what', () => {
    for (const [name, { responses }] of operations()) {
      const fine = Object.entries(responses).filter(([status]) => Number(status) < 300);
      assert.notEqual(fine.length, 0, name);
      for (const [status, { description, content }] of fine) {
        assert.notEqual(description, 'Default Response', name);
        if (!['101', '204'].includes(status)) assert.ok(Object.values(content ?? {})[0]?.schema, `${name} ${status}`);
      }
    }
  });

  test('has an example of every answer in JSON that is not a document itself', () => {
    for (const [name, { responses, tags }] of operations()) {
      if (tags?.includes('documents')) continue;
      for (const [status, { content }] of Object.entries(responses)) {
        const media = content?.['application/json'];
        if (media) assert.ok(media.examples, `no exchange of schemas/http-examples.ts shows ${name} ${status}`);
      }
    }
  });

  test('has an example of every body that is sent', () => {
    for (const [name, { requestBody }] of operations()) {
      if (requestBody) assert.ok(requestBody.content['application/json']?.examples, name);
    }
  });

  test('has examples that keep to their schemas', () => {
    const ajv = new Ajv2020({ strict: false, validateSchema: false });
    ajv.addSchema(document, 'openapi');
    let count = 0;
    for (const [name, { requestBody, responses }] of operations()) {
      for (const { content = {} } of [requestBody ?? {}, ...Object.values(responses)]) {
        for (const { schema, examples = {} } of Object.values(content)) {
          const refs = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/'));
          for (const { summary, value } of Object.values(examples)) {
            assert.ok(ajv.validate(refs, value), `${name} ${summary}: ${ajv.errorsText()}`);
            count += 1;
          }
        }
      }
    }
    assert.ok(count > 20);
  });

  test("has no error but the protocol's, each under its own status, and each HTTP one somewhere", () => {
    const seen = new Set<string>();
    for (const [name, { responses }] of operations()) {
      for (const [status, { content = {} }] of Object.entries(responses)) {
        if (Number(status) < 400) continue;
        const schema = content['application/problem+json']?.schema;
        assert.ok(schema, `${name} ${status}`);
        const [, own] = schema.allOf as AllOf;
        for (const code of own.properties.code.enum) {
          assert.equal(String(errorKind(code).status), status, `${name} ${code}`);
          seen.add(code);
        }
      }
    }
    const sockets = ['unknown_channel', 'not_joined', 'already_joined'];
    assert.deepEqual(
      [...seen].sort(),
      Object.keys(ERRORS)
        .filter((code) => !sockets.includes(code))
        .sort(),
    );
  });

  test('is the same however often it is asked for, and on every server', async () => {
    const other = await startServer();
    assert.deepEqual((await other.http('GET', '/openapi.json')).body, document);
    await other.close();
  });
});

describe('the OpenAPI document says who may ask:', () => {
  const DEALER = 'd9';
  const VALUES: Readonly<Record<string, string>> = { dealerId: DEALER, groupId: 'g1', scope: 'g1', name: 'Lead' };
  const fill = (path: string) => path.replace(/\{(\w+)\}/g, (_, name: string) => VALUES[name] ?? 'none');
  type Method = Parameters<TestServer['http']>[0];

  test('without a token just those that need one answer 401', async () => {
    for (const [name, { security }] of operations()) {
      const [method, path] = name.split(' ') as [Method, string];
      const { status } = await server.http(method, fill(path));
      assert.equal(status === 401, security !== undefined, `${name} answers ${status}`);
    }
  });

  test('with a token just the roles that are named come in', async () => {
    const tokens = {
      customer: await server.token('customer', 'g1', { dealer: DEALER }),
      admin: await server.token('admin', 'a1', { dealer: DEALER }),
      server: await server.token('server', 'crm', { dealer: DEALER }),
      'server:*': await server.token('server', 'crm', { dealer: '*' }),
    };
    for (const [name, { security }] of operations()) {
      if (!security) continue;
      const [method, path] = name.split(' ') as [Method, string];
      const named = security.flatMap(({ bearer }) => bearer);
      for (const [asker, token] of Object.entries(tokens)) {
        const { status } = await server.http(method, fill(path), { token });
        const isIn = named.includes(asker) || (asker === 'server:*' && named.includes('server'));
        if (isIn) assert.ok(![401, 403].includes(status), `${name} answers a ${asker} with ${status}`);
        else assert.ok([403, 404].includes(status), `${name} answers a ${asker} with ${status}`);
      }
    }
  });
});
