/** [P-19.1] python-socketio, as Debian has it, over both transports. */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { programOf } from '../support/debian.ts';
import { Process } from '../support/process.ts';
import { startServer, type TestServer } from '../support/server.ts';

const python = programOf({ binary: 'usr/bin/python3', packages: ['python3'], formula: 'python' });
const library = programOf({
  binary: 'usr/lib/python3/dist-packages/socketio/client.py',
  packages: ['python3-socketio', 'python3-requests', 'python3-websocket'],
  formula: 'python-socketio',
});

let server: TestServer;
let at: string;
before(async () => {
  server = await startServer({ settings: { SOCKET_IO: 'on' } });
  at = await server.listen();
});
after(() => server.close());

for (const transport of ['polling', 'websocket']) {
  describe(`python-socketio over ${transport}`, () => {
    test('joins, is acked in its callback, hears what others say, and is stored once', async () => {
      const groupId = `python-${transport}`;
      const env = { PYTHONPATH: dirname(dirname(library.path)), PATH: process.env.PATH ?? '' };
      const args = ['test/socketio/client.py', `http://${at}`, transport, groupId, 'm1', 'm1'];
      const client = new Process([python.path], args, { env });
      try {
        const [, first, second] = await client.says(/^\["ack", (.*)\]\n(?:.*\n)*\["ack", (.*)\]$/m);
        assert.deepEqual(
          [first, second].map((ack) => JSON.parse(ack ?? '')).map(({ id, seq, duplicate }) => [id, seq, duplicate]),
          [
            ['m1', 1, false],
            ['m1', 1, true],
          ],
        );
        const admin = await server.admin();
        admin.send('admin_message', { type: 'UPDATE_MSG', groupId, message: 'héllo' }, 'a1');
        const [, payload = ''] = await client.says(/^\["event", "CHAT_MESSAGE", (\{.*?\}), /m);
        assert.equal(JSON.parse(payload).message, 'héllo');
      } finally {
        await client.kill();
      }
    });
  });
}
