/** The example of docs/coming-from-socketio.md, as it stands there. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inFolder, withServer } from '../support/server.ts';

const text = await readFile(new URL('../../docs/coming-from-socketio.md', import.meta.url), 'utf8');
const [, code = ''] = /^```js\n(.*?)^```$/ms.exec(text) ?? [];
const [, shown = ''] = /shows each message once:\n\n```\n(.*?)```/s.exec(text) ?? [];

test('[P-19.1] the example of the guide shows what the guide says', async () => {
  await withServer({ settings: { SOCKET_IO: 'on' } }, async (server) => {
    await server.store.putDealer('demo', { origins: [] });
    const at = await server.listen();
    await inFolder(async (folder) => {
      const client = fileURLToPath(import.meta.resolve('socket.io-client-4'));
      const file = join(folder, 'chat.mjs');
      await writeFile(file, code.replace("'socket.io-client'", JSON.stringify(client)));
      const AGENT = server.token('admin', 'alice', { dealer: 'demo' });
      const env = { ...process.env, URL: `http://${at}`, AGENT };
      const { stdout } = await promisify(execFile)(process.execPath, [file], { env, timeout: 30_000 });
      assert.deepEqual(stdout.split('\n').sort(), shown.split('\n').sort());
    });
  });
  const lines = code.split('\n').length;
  assert.ok(lines <= 70, `${lines} lines`);
});
