/**
 * A plain WebSocket client, run by itself: a line that it is given is a frame that it sends, a frame that it gets is a
 * line that it prints. When the socket closes, it prints the code and ends; when its input ends, it closes.
 */
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

const socket = new WebSocket(process.argv[2] ?? '');
socket.on('message', (data) => process.stdout.write(`${data}\n`));
socket.on('close', (code) => {
  process.stdout.write(`closed ${code}\n`);
  process.stdin.destroy();
});
socket.on('open', () => {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => socket.send(line));
  lines.on('close', () => socket.close());
});
