/** What the documents say of settings is what the table says. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import type { TSchema } from '@sinclair/typebox';
import { Settings } from '../../schemas/settings.ts';
import { SETTING_NAMES } from '../../src/cli/settings.ts';

const documentOf = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

/** How the README writes a default. */
function shown({ default: preset }: TSchema): string {
  if (typeof preset === 'boolean') return preset ? '`on`' : '`off`';
  return preset === undefined ? 'none' : `\`${preset}\``;
}

describe('the documents', () => {
  it('have a row in the README for each setting, with its default', async () => {
    const rows = [...(await documentOf('README.md')).matchAll(/^\| `([A-Z_]+)` +\| (.*?) +\|/gm)];
    const told = new Map(rows.map(([, name, preset]) => [name, preset]));
    for (const name of SETTING_NAMES) {
      const expected = name === 'AUTH_SECRET' ? 'made at the first run' : shown(Settings.properties[name]);
      assert.equal(told.get(name), expected, name);
    }
    assert.deepEqual(
      [...told.keys()].filter((name) => !(String(name) in Settings.properties)),
      ['NODE_ENV'],
    );
  });

  it('list the limits that are read again', async () => {
    const [, listed = ''] =
      /Limits are heeded at once, and told of in the\nlog: ([\s\S]*?)\./.exec(await documentOf('docs/operations.md')) ??
      [];
    const limits = SETTING_NAMES.filter((name) => 'x-reread' in Settings.properties[name]);
    assert.deepEqual(listed.match(/[A-Z_]{2,}/g), limits);
  });

  it('list the secrets that may be in files', async () => {
    const [, listed = ''] =
      /Whatever has a password in it \((.*?)\)/.exec(await documentOf('docs/operations.md')) ?? [];
    const secrets = SETTING_NAMES.filter((name) => 'x-secret' in Settings.properties[name]);
    assert.deepEqual(listed.match(/[A-Z_]{2,}/g)?.sort(), [...secrets].sort());
  });
});
