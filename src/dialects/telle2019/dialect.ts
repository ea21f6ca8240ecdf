/** [P-19.2] Language of the pages, desks and services of 2019, on Socket.IO and Redis: nothing of it is known anywhere else. */

import { isId } from '../../../schemas/kinds.ts';
import type { Settings } from '../../../schemas/settings.ts';
import type { Claims } from '../../../schemas/tokens.ts';
import type { Dialect, Services } from '../../doors/dialect.ts';
import { isKey } from '../../protocol/decode.ts';
import { desksOf } from './desks.ts';
import { namesIn, readPayload } from './incoming.ts';
import { newId } from './marks.ts';
import { tellingsOf, VIA } from './outgoing.ts';
import type { Fields } from './records.ts';
import { PageTongue, type TokenFor } from './tongue.ts';

/** Life of the token of a desk that is believed without one, in seconds: it is asked for anew with each join. */
const DESK_TTL = 30 * 24 * 60 * 60;

/** Signs claims. */
export interface Signing {
  sign(claims: Claims): string;
}

export function telle2019(settings: Settings, tokens: Signing): Dialect {
  const isDesk = desksOf(settings.DIALECT_DESKS);
  const tokenFor =
    (address: string | null): TokenFor =>
    ({ dealerId, adminId }) => {
      const [dealer, sub] = [String(dealerId), String(adminId)];
      if (!isId(dealerId) || !isId(adminId) || !isDesk(dealer, address)) return undefined;
      const now = Date.now();
      return tokens.sign({ role: 'admin', dealer, sub, exp: Math.floor(now / 1000) + DESK_TTL, gen: now });
    };
  return {
    greeting: { event: 'ON_CONNECTION', payload: 'connected' },
    speak: (address) => new PageTongue(tokenFor(address)),
    services: servicesOf(settings),
  };
}

/** The services of 2019, by the names that the settings give. */
export const servicesOf = (settings: Settings): Services => ({
  channel: settings.DIALECT_CHANNEL,
  lists: {
    bot: settings.DIALECT_BOT_QUEUE,
    daemon: settings.DIALECT_DAEMON_QUEUE,
    notification: settings.DIALECT_NOTIFICATION_QUEUE,
  },
  name: settings.DIALECT,
  isOwn: ({ via }) => via === VIA,
  read: (payload, key) => readPayload(payload).map((each, index) => named(each, payload, key && `${key}.${index}`)),
  namesIn,
  tell: tellingsOf,
});

/** A payload with an id: a message's is its `uid`, by which a page knows its own echo. */
function named(payload: Fields, { type, uid }: Fields, key?: string): Fields {
  if (payload.id !== undefined) return payload;
  const id = type === 'UPDATE_MSG' && isKey(uid) ? uid : newId(type === 'UPDATE_NOTIFICATION', key);
  return { ...payload, id };
}
