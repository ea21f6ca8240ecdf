/** A server with few files: what comes over the limit is sent away in order, and the server lives on. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { CLOSE } from '../../schemas/errors.ts';
import { SPARE_FILES } from '../../src/open-files.ts';
import { listening, Process, SOURCE } from '../support/process.ts';
import { inFolder } from '../support/server.ts';

const MOST = 190;
const ROOM = MOST - SPARE_FILES;

/** Opens a socket. @returns the code that it is closed with at once, or null where it stays */
function knock(url: string, sockets: WebSocket[]): Promise<number | null> {
  const socket = new WebSocket(url);
  sockets.push(socket);
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', resolve);
    socket.once('open', () => socket.ping());
    socket.once('pong', () => resolve(null));
  });
}

/** A connection that says nothing, and may be dropped. */
function silent(http: string): Promise<Socket> {
  const { hostname, port } = new URL(http);
  const socket = connect(Number(port), hostname);
  return new Promise((resolve) => {
    socket.once('error', () => resolve(socket));
    socket.once('connect', () => resolve(socket));
  });
}

describe('a server that may have few files open', { timeout: 120_000 }, () => {
  it('says so at its start, closes one socket too many with 1013, and answers all the same', () =>
    inFolder(async (cwd) => {
      if (process.platform !== 'linux') return; // no limit is known
      const program = ['/bin/sh', '-c', `ulimit -n ${MOST}; exec "$@"`, 'sh', ...SOURCE] as const;
      const env = { PORT: '0', LOG_LEVEL: 'warn', JOIN_TIMEOUT: '60s' };
      const server = await listening(new Process(program, ['serve'], { cwd, env, patience: 100_000 }));
      await server.says(new RegExp(`${MOST} files may be open, and MAX_CONNECTIONS 50000 needs 50100`), 'stderr');
      const sockets: WebSocket[] = [];
      const codes: (number | null)[] = [];
      for (let index = 0; index < ROOM + 20; index += 1) codes.push(await knock(server.url, sockets));
      assert.deepEqual(codes, [...Array(ROOM).fill(null), ...Array(20).fill(CLOSE.full)]);
      const response = await fetch(`${server.http}/ready`);
      assert.deepEqual([response.status, response.headers.get('connection')], [200, 'close']);
      assert.match(await (await fetch(`${server.http}/metrics`)).text(), new RegExp(`^process_max_fds ${MOST}$`, 'm'));
      const idle = await Promise.all(Array.from({ length: SPARE_FILES }, () => silent(server.http)));
      await server.says(/connections are dropped: only \d+ files may be open/, 'stderr');
      for (const socket of idle) socket.destroy();
      for (const socket of sockets) socket.terminate();
      assert.equal((await server.kill('SIGTERM')).code, 0, server.stderr);
    }));
});
