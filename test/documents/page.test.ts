/** [P-11.1] `GET /docs`: one page that asks for nothing and runs nothing, with everything in it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { PUBLISHED } from '../../schemas/published.ts';
import { asyncApi } from '../../src/documents/asyncapi.ts';
import type { OpenApi } from '../../src/documents/openapi.ts';
import { page } from '../../src/documents/page.ts';
import { type Element, elementsOf, parseHtml, textOf } from '../support/html.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let openapi: OpenApi;
let headers: Readonly<Record<string, unknown>>;
let source: string;
let elements: Element[];

before(async () => {
  server = await startServer();
  openapi = (await server.http('GET', '/openapi.json')).body;
  ({ headers, body: source } = await server.http('GET', '/docs'));
  elements = elementsOf(parseHtml(source));
});
after(() => server.close());

const ids = () => new Set(elements.flatMap(({ attributes: { id } }) => id ?? []));

describe('the page', () => {
  test('is HTML, in UTF-8, for narrow screens too', () => {
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    assert.match(source, /^<!doctype html>\n<html lang="en">/);
    assert.ok(elements.some(({ name, attributes }) => name === 'meta' && attributes.name === 'viewport'));
  });

  test('has every route', () => {
    const text = elements.map((element) => (element.name === 'h3' ? textOf(element) : ''));
    for (const [path, methods] of Object.entries(openapi.paths)) {
      for (const [method, { operationId }] of Object.entries(methods)) {
        assert.ok(text.includes(`${method.toUpperCase()} ${path}`), path);
        assert.ok(ids().has(operationId), operationId);
      }
    }
  });

  test('has every channel of both directions, and every message, with its examples', () => {
    const { operations, components } = asyncApi('0.0.0');
    for (const name of Object.keys(operations)) assert.ok(ids().has(`channel-${name}`), name);
    const shown = elements.filter(({ name }) => name === 'pre').map(textOf);
    for (const [name, { examples }] of Object.entries(components.messages)) {
      assert.ok(ids().has(name), name);
      for (const { payload } of examples) assert.ok(shown.includes(JSON.stringify(payload, null, 2)), name);
    }
  });

  test('has no link that leads nowhere, or to another host', () => {
    for (const { name, attributes } of elements) {
      for (const [key, value] of Object.entries(attributes)) {
        if (key !== 'href') continue;
        assert.equal(name, 'a');
        if (value.startsWith('#')) assert.ok(ids().has(value.slice(1)), value);
        else assert.match(value, /^\/[a-z]/);
      }
    }
  });

  test('has no id twice', () => {
    const all = elements.flatMap(({ attributes: { id } }) => id ?? []);
    assert.equal(ids().size, all.length);
  });

  test('links only to schemas that are there', () => {
    const links = elements.flatMap(({ attributes: { href = '' } }) => /^\/schemas\/(.+)\.json$/.exec(href)?.[1] ?? []);
    assert.ok(links.length > 50);
    for (const name of links) assert.ok(PUBLISHED.has(name), name);
  });

  test('runs nothing, and asks for nothing', () => {
    const names = new Set(elements.map(({ name }) => name));
    for (const name of [
      'script',
      'link',
      'img',
      'iframe',
      'object',
      'embed',
      'form',
      'base',
      'svg',
      'video',
      'audio',
    ]) {
      assert.ok(!names.has(name), name);
    }
    const keys = new Set(elements.flatMap(({ attributes }) => Object.keys(attributes)));
    for (const key of keys) assert.match(key, /^(?:lang|charset|name|content|id|class|href)$/);
    assert.doesNotMatch(source, /<script|javascript:|@import|url\(/i);
  });

  test('has a policy that allows its one style, by its hash, and nothing else', () => {
    const style = elements.find(({ name }) => name === 'style');
    assert.ok(style);
    const hash = createHash('sha256').update(textOf(style)).digest('base64');
    assert.deepEqual(String(headers['content-security-policy']).split('; '), [
      "default-src 'none'",
      `style-src 'sha256-${hash}'`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
  });

  test('escapes all that it is given', () => {
    const evil = `"'><script>alert(1)</script>&amp;`;
    const spoilt = (value: unknown): unknown => {
      if (typeof value === 'string') return value.startsWith('#/') ? value : value + evil;
      if (typeof value !== 'object' || value === null) return value;
      if (Array.isArray(value)) return value.map(spoilt);
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, spoilt(each)]));
    };
    const { messages } = asyncApi('0.0.0').components;
    const given = asyncApi('0.0.0');
    const told = page(spoilt(openapi) as OpenApi, {
      ...given,
      info: { ...given.info, title: evil, version: evil },
      components: { ...given.components, messages: spoilt(messages) as typeof messages },
    });
    const names = new Set(elementsOf(parseHtml(told)).map(({ name }) => name));
    assert.ok(!names.has('script'));
    assert.ok(textOf(parseHtml(told)).includes(evil));
  });
});
