/** [P-11.1] `GET /asyncapi.json`: by the standard's own parser, and complete by the one table. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { CLOSE, FRAME_ERRORS } from '../../schemas/errors.ts';
import { sentBy, sentByTelle } from '../../schemas/frame-kinds.ts';
import type { Role } from '../../schemas/kinds.ts';
import { CONTROLS, DELIVERIES, JOINS, SENDS } from '../../schemas/table.ts';
import { asyncApi, messageName } from '../../src/documents/asyncapi.ts';
import { requireFetched } from '../support/fetched.ts';

/** What is asked here of the standard's own parser. */
interface AsyncApiParser {
  parse(text: string): Promise<{ diagnostics: { severity: number; code: string; message: string }[] }>;
}
const { Parser }: { Parser: new () => AsyncApiParser } = requireFetched('tests')('@asyncapi/parser');

const document = asyncApi('1.2.3');

/** What the parser finds wrong, advice left out. */
async function faultsOf(given: unknown): Promise<string[]> {
  const { diagnostics } = await new Parser().parse(JSON.stringify(given));
  return diagnostics.filter(({ severity }) => severity <= 1).map(({ code, message }) => `${code}: ${message}`);
}

describe('the AsyncAPI document', () => {
  test('is valid', async () => {
    assert.deepEqual(await faultsOf(document), []);
    assert.equal(document.asyncapi, '3.0.0');
    assert.equal(document.info.version, '1.2.3');
  });

  test('has examples that keep to its own copies of the schemas', () => {
    const ajv = new Ajv2020({ strict: false, validateSchema: false });
    ajv.addSchema(document, 'asyncapi');
    for (const [name, { examples }] of Object.entries(document.components.messages)) {
      const validate = ajv.getSchema(`asyncapi#/components/messages/${name}/payload`);
      for (const { summary, payload } of examples) {
        assert.ok(validate?.(payload), `${name}: ${summary} ${ajv.errorsText(validate?.errors)}`);
      }
    }
  });

  const asked = (Object.keys(SENDS) as Role[]).flatMap((role) => [
    ...Object.entries(SENDS[role]).flatMap(([channel, schemas]) =>
      schemas.map(({ properties }): [Role, string, string | null] => [role, channel, properties.type.const]),
    ),
    ...CONTROLS.map((channel): [Role, string, null] => [role, channel, null]),
    ...Object.entries(JOINS).flatMap(([channel, of]): [Role, string, string][] =>
      of === role ? [[role, channel, channel === 'client_join' ? 'CLIENT_JOIN' : channel.toUpperCase()]] : [],
    ),
  ]);
  for (const [role, channel, type] of asked) {
    test(`says that a ${role} may send ${type ?? 'what it likes'} on ${channel}`, () => {
      const name = [role, channel, ...(type === null ? [] : [type])].join('.');
      const operation = document.operations[`${role}.${channel}`];
      assert.equal(operation?.action, 'receive');
      const refs = operation?.messages as { $ref: string }[];
      assert.ok(refs.some(({ $ref }) => $ref === `#/channels/${channel}/messages/${name}`));
      assert.ok(document.channels[channel]?.messages[name]);
      assert.notEqual(document.components.messages[name]?.examples.length ?? 0, 0);
    });
  }

  for (const [type, { channel }] of Object.entries(DELIVERIES)) {
    test(`says that ${type} is delivered on ${channel}`, () => {
      assert.equal(document.operations[`telle.${channel}`]?.action, 'send');
      const name = `telle.${channel}.${type}`;
      assert.ok(document.channels[channel]?.messages[name]);
      assert.notEqual(document.components.messages[name]?.examples.length ?? 0, 0);
    });
  }

  test('says nothing that the table does not', () => {
    const kinds = [...sentBy('customer'), ...sentBy('admin'), ...sentBy('server'), ...sentByTelle()];
    assert.deepEqual(Object.keys(document.components.messages), kinds.map(messageName));
    assert.equal(asked.length + Object.keys(DELIVERIES).length + 4, kinds.length, 'session, ack, error, pong');
  });

  test('names every error and every close code', () => {
    for (const code of Object.keys(FRAME_ERRORS))
      assert.ok(document.info.description.includes(`| \`${code}\` |`), code);
    for (const code of Object.values(CLOSE)) assert.ok(document.info.description.includes(`| ${code} |`), String(code));
  });
});
