/** Comparing what came with an example: all of it is the same, but what must vary is compared by its kind. */
import assert from 'node:assert/strict';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Fields that differ with every run, by name: what they are instead. */
const VARYING: Readonly<Record<string, (value: unknown) => boolean>> = {
  at: (value) => INSTANT.test(String(value)),
  since: (value) => INSTANT.test(String(value)),
  createdAt: (value) => INSTANT.test(String(value)),
  updatedAt: (value) => INSTANT.test(String(value)),
  expiresAt: (value) => INSTANT.test(String(value)),
  code: (value) => TOKEN.test(String(value)),
  token: (value) => TOKEN.test(String(value)),
  epoch: (value) => /^[\w-]{6,64}$/.test(String(value)),
  version: (value) => typeof value === 'string',
  generation: (value) => Number.isInteger(value),
  uptime: (value) => Number.isInteger(value),
  schema: (value) => /^\d{4}_\w+$/.test(String(value)),
};

/** A value with what varies said by its kind, where it is of that kind. */
function byKind(value: unknown, name = ''): unknown {
  if (VARYING[name]?.(value)) return `<${name}>`;
  if (typeof value === 'string') return UUID.test(value) ? '<uuid>' : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((each) => byKind(each));
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, byKind(each, key)]));
}

/** That something is as an example has it. */
export function assertAsExample(came: unknown, example: unknown, message: string): void {
  assert.deepEqual(byKind(came), byKind(example), message);
}
