/** Part that commands share which stay connected. */
import type { Client, Role } from '../client/index.ts';

/** The WebSocket endpoint of a server whose HTTP address is given. */
export function endpointOf(url: string): string {
  const endpoint = new URL('/ws', url);
  endpoint.protocol = endpoint.protocol === 'https:' ? 'wss:' : 'ws:';
  return endpoint.href;
}

/**
 * Resolves when the user interrupts it, saying on stderr meanwhile how the connection fares.
 * @param what what the command does once it is joined
 * @throws where the server does not want it back
 */
export async function ended(client: Client<Role>, what: string): Promise<void> {
  const tell = (text: string) => process.stderr.write(`${text}\n`);
  client.on('session', ({ dealerId }) => tell(`-- ${what} at ${dealerId}`));
  client.on('offline', ({ retryIn }) => tell(`-- not connected: trying again in ${Math.ceil(retryIn / 1000)} s`));
  const over = new Promise<void>((resolve, reject) => {
    client.on('closed', ({ code, reason }) => {
      if (code === 1000) resolve();
      else reject(new Error(`the server ended it: ${reason || code}`));
    });
  });
  const stop = () => client.close();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  await over.finally(() => process.off('SIGINT', stop).off('SIGTERM', stop));
}
