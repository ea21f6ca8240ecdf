/** `telle tail`: every event of a dealer as it happens. */
import type { Settings } from '../../schemas/settings.ts';
import { DELIVERIES } from '../../schemas/table.ts';
import { type Client, connect } from '../client/index.ts';
import { inWords } from '../protocol/words.ts';
import { ended, endpointOf } from './online.ts';
import { tokenFor } from './server-token.ts';
import { painter } from './style.ts';

export interface TailRequest {
  readonly url: string;
  readonly token?: string;
  readonly dealer: string;
  readonly json?: boolean;
}

const CHANNELS = [...new Set(Object.values(DELIVERIES).map(({ channel }) => channel))];

/** Writes each event on a line, as text or as the frame that it came in, until it is interrupted. */
export async function tail(settings: Settings, { url, token, dealer, json }: TailRequest): Promise<void> {
  const client = connect({
    role: 'server',
    url: endpointOf(url),
    dealerId: dealer,
    token: await tokenFor(settings, token, { role: 'server', dealer, sub: 'telle-tail' }),
  });
  if (json) writeFrames(client);
  else writeLines(client);
  await ended(client, 'listening');
}

/** Escapes what JSON leaves as it is and a terminal would obey: it is the same JSON. */
const harmless = (json: string): string =>
  json.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });

function writeFrames(client: Client<'server'>): void {
  for (const channel of CHANNELS) {
    client.on(channel, (payload, stamp?) =>
      process.stdout.write(`${harmless(JSON.stringify({ channel, payload, ...stamp }))}\n`),
    );
  }
}

function writeLines(client: Client<'server'>): void {
  const paint = painter(process.stdout);
  for (const channel of CHANNELS) {
    client.on(channel, (payload, stamp?) => {
      const at = stamp?.at ?? new Date().toISOString();
      const group = 'groupId' in payload && payload.groupId !== undefined ? payload.groupId : '';
      const place = [payload.dealerId, group, stamp ? `#${stamp.seq}` : ''].filter(Boolean).join(' ');
      process.stdout.write(`${paint('dim', at)} ${paint('cyan', place)} ${inWords(payload)}\n`);
    });
  }
}
