/** [P-19.1] Every promise of the protocol holds over Socket.IO, by its own clients of each version. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { conformance, type Result } from '../../conformance/index.ts';
import { SECRET, startServer, type TestServer } from '../support/server.ts';
import { closeClients, overSocketIo, type Version } from '../support/socketio.ts';

/** What waits for the server's clock need not wait long. */
const TIMING = { pingInterval: 1000, pongTimeout: 3000, presenceGrace: 500, closeTimeout: 3000 };

let server: TestServer;
let at: string;

before(async () => {
  server = await startServer({ timing: TIMING, settings: { SOCKET_IO: 'on', JOIN_TIMEOUT: '3s' } });
  at = await server.listen();
});
after(async () => {
  closeClients();
  await server.close();
});

const WAYS: readonly (readonly [version: Version, transports: string[]])[] = [
  ['2.5', ['polling', 'websocket']],
  ['3.1', ['websocket']],
  ['4.8', ['polling']],
  ['4.8', ['polling', 'websocket']],
];

describe('[P-19.1] the conformance of a server of ours', () => {
  for (const [version, transports] of WAYS) {
    test(`is whole by socket.io-client ${version}, ${transports.join(' and then ')}`, async () => {
      const results: Result[] = [];
      const transport = overSocketIo(version, at, transports);
      for await (const result of conformance({ url: `ws://${at}/ws`, secret: SECRET, transport })) results.push(result);
      assert.deepEqual(
        results.filter(({ outcome }) => outcome !== 'pass'),
        [],
      );
      assert.ok(results.length >= 90, `${results.length} cases`);
    });
  }
});
