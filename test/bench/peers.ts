/** Who is measured: each starts servers of one kind on a database of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DialectName } from './dialect.ts';
import { fileOf, type Started, startServer } from './processes.ts';
import { startTelle, type TelleOptions } from './telle.ts';

export interface Peer {
  readonly what: string;
  readonly dialect: DialectName;
  /** `dealers` are those that have to be there. */
  start(options: TelleOptions): Promise<Started>;
}

const of = (what: string, dialect: DialectName, script: string): Peer => ({
  what,
  dialect,
  async start() {
    const folder = await mkdtemp(join(tmpdir(), 'telle-bench-'));
    const env = { BENCH_DATABASE: join(folder, 'peer.db'), NODE_ENV: 'production' };
    const server = await startServer({ script: fileOf(script), env });
    return {
      servers: [server],
      async stop() {
        await server.stop();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
});

export const PEERS = {
  telle: { what: 'Telle as it is published, SQLite', dialect: 'envelopes', start: startTelle },
  'telle-socketio': {
    what: 'the same, spoken to by Socket.IO, WebSocket only (`SOCKET_IO=on`)',
    dialect: 'tellesPackets',
    start: (options: TelleOptions) => startTelle({ ...options, socketIo: true }),
  },
  bare: of('`ws` + better-sqlite3, micro-batched, `ws.send` a socket', 'envelopes', 'peers/bare.ts'),
  socketio: of('Socket.IO, WebSocket only, the same micro-batched store', 'packets', 'peers/socketio.ts'),
  'socketio-plain': of(
    'Socket.IO as its documentation teaches: an insert a message',
    'packets',
    'peers/socketio-plain.ts',
  ),
  relay: of('bare `ws` that stores nothing: a bound, not a peer', 'envelopes', 'peers/relay.ts'),
} as const satisfies Record<string, Peer>;
export type PeerName = keyof typeof PEERS;
export const PEER_NAMES = Object.keys(PEERS) as PeerName[];
