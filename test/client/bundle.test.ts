/** The two files that are published of `telle/client`. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { buildClient } from '../../build/client.ts';
import { inFolder } from '../support/server.ts';

const MAX_BYTES = 5 * 1024;

test('telle/client is two files of at most 5 KB gzipped, which need nothing else', (t) =>
  inFolder(async (folder) => {
    await buildClient(folder);
    const files = (await readdir(folder)).sort();
    assert.deepEqual(files, ['index.js', 'telle.js']);
    for (const file of files) {
      const code = await readFile(join(folder, file), 'utf8');
      const { length } = gzipSync(code, { level: 9 });
      t.diagnostic(`${file}: ${code.length} bytes, ${length} gzipped`);
      assert.ok(length <= MAX_BYTES, `${file} has ${length} bytes`);
      assert.doesNotMatch(code, /\b(import|require)\s*[("'{]/);
    }
    const module = await import(pathToFileURL(join(folder, 'index.js')).href);
    assert.deepEqual(Object.keys(module).sort(), ['TelleError', 'connect']);
  }));
