/** SIGHUP: limits are read again, without a socket being lost. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { CLOSE } from '../../schemas/errors.ts';
import { startProcess } from '../support/process.ts';
import { inFolder } from '../support/server.ts';

/** Opens a socket. @returns the code that it is closed with at once, or null where it stays */
async function knock(url: string): Promise<number | null> {
  const socket = new WebSocket(url);
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', resolve);
    socket.once('open', () => socket.ping());
    socket.once('pong', () => resolve(null));
  });
}

describe('SIGHUP', { timeout: 90_000 }, () => {
  it('has a server heed other limits, say which, and keep the old ones where one is wrong', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'telle.toml');
      const write = (...lines: string[]) => writeFile(file, lines.join('\n'));
      await write('MAX_CONNECTIONS = 1', 'AUTO_MUTE = true');
      const env = { LOG_LEVEL: 'info', TELLE_CONFIG: file };
      const server = await startProcess({ cwd: folder, env, patience: 60_000 });
      assert.equal(await knock(server.url), null);
      assert.equal(await knock(server.url), CLOSE.full);

      await write('MAX_CONNECTIONS = 2', 'AUTO_MUTE = false');
      process.kill(server.pid, 'SIGHUP');
      await server.says(/"MAX_CONNECTIONS":\{"from":1,"to":2\}.*limits are others now/, 'stderr');
      await server.says(/AUTO_MUTE changed, too: a restart takes what is no limit/, 'stderr');
      assert.equal(await knock(server.url), null);
      assert.equal(await knock(server.url), CLOSE.full);

      for (const [text, says] of [
        ['MAX_CONNECTIONS = 0', /settings stay as they are: MAX_CONNECTIONS is \\"0\\": it must be a whole number/],
        ['MAX_CONECTIONS = 3', /settings stay as they are: .*MAX_CONECTIONS is no setting: is MAX_CONNECTIONS meant/],
        ['MAX_CONNECTIONS = "', /settings stay as they are: .*cannot be understood in line 1/],
      ] as const) {
        await write(text);
        process.kill(server.pid, 'SIGHUP');
        await server.says(says, 'stderr');
        assert.equal(await knock(server.url), CLOSE.full);
      }
      const { code } = await server.kill('SIGTERM');
      assert.equal(code, 0, server.stderr);
    }));
});
