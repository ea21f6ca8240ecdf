/** File descriptors: how many a process may have, and what a server does before none is left. */
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { FastifyBaseLogger } from 'fastify';

/** Those that a server needs beside its connections. Half of them is for refusing in order. */
export const SPARE_FILES = 100;

/** Pause between two warnings that connections are dropped, in ms. */
const TELL_INTERVAL = 60_000;

/** Limit of open files; Infinity where nobody says. Node.js raises its own limit to the hard one. */
export function mostFiles(): number {
  try {
    const [, most] = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return most === undefined ? Number.POSITIVE_INFINITY : Number(most);
  } catch {
    return Number.POSITIVE_INFINITY; // not Linux
  }
}

/** Which connections there are, and whether there is room for one more that stays. */
export interface Room {
  isFull(): boolean;
}

/**
 * Counts the connections of a server. Those for which there is no room to stay are taken and sent away in order; what comes
 * faster than that is dropped, so that the database has its files.
 */
export function countConnections(server: Server, most: number, log: FastifyBaseLogger): Room {
  if (most === Number.POSITIVE_INFINITY) return { isFull: () => false };
  let open = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  server.maxConnections = Math.max(1, most - SPARE_FILES / 2);
  server.on('connection', (socket) => {
    open += 1;
    socket.once('close', () => {
      open -= 1;
    });
  });
  server.on('drop', () => {
    if (performance.now() - toldAt < TELL_INTERVAL) return;
    toldAt = performance.now();
    log.warn(`connections are dropped: only ${most} files may be open (ulimit -Hn, LimitNOFILE)`);
  });
  return { isFull: () => open > Math.max(1, most - SPARE_FILES) };
}
