/** A crowd that comes at once, as after a network's outage: there is room for all of it, before any of it is accepted. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { it } from 'node:test';
import { startProcess } from '../support/process.ts';

/** More than the 511 that Node lets wait, fewer than the 4,096 of Linux. */
const CROWD = 1_500;
/** By then, in ms, whoever there is room for has long been let in. */
const PATIENCE = 10_000;

it('lets a crowd connect while it is busy with something else, and serves all of it', { timeout: 60_000 }, async () => {
  const settings = { DATABASE_URL: 'sqlite::memory:', MAX_CONNECTIONS_PER_ADDRESS: String(2 * CROWD) };
  const server = await startProcess({ env: settings, patience: 0 });
  const { hostname, port } = new URL(server.url);
  process.kill(server.pid, 'SIGSTOP');
  const sockets = Array.from({ length: CROWD }, () => connect({ host: hostname, port: Number(port) }));
  const late = setTimeout(() => {
    for (const socket of sockets) if (socket.connecting) socket.destroy(new Error('it was not let in'));
  }, PATIENCE);
  try {
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    process.kill(server.pid, 'SIGCONT');
    const answers = sockets.map(async (socket) => {
      socket.write('GET /health HTTP/1.1\r\nHost: telle\r\n\r\n');
      const [head] = await once(socket.setEncoding('utf8'), 'data');
      return String(head).slice(0, 'HTTP/1.1 200'.length);
    });
    assert.deepEqual(new Set(await Promise.all(answers)), new Set(['HTTP/1.1 200']));
  } finally {
    clearTimeout(late);
    for (const socket of sockets) socket.destroy();
    await server.kill();
  }
});
