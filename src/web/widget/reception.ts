/** A look at whether somebody is here, asked before there is a conversation [P-11.7]. */
import type { SessionPayload } from '../../client/index.ts';
import type { Options } from './options.ts';
import type { Trouble } from './reasons.ts';

/** Findings of such a look. */
export interface Sight {
  readonly availability?: SessionPayload['availability'];
  readonly trouble?: Trouble | undefined;
}

/** Reasons that the server gives, by their codes. */
const TROUBLES: readonly Trouble[] = ['unknown_dealer', 'forbidden'];

export async function lookIn({ base, dealerId }: Options): Promise<Sight> {
  const url = new URL(`v1/dealers/${encodeURIComponent(dealerId)}/reception`, base);
  try {
    const response = await fetch(url, { credentials: 'omit' });
    const { online: admins = false, claims, code } = await response.json();
    const trouble = claims === 'off' ? 'unauthorized' : TROUBLES.find((each) => each === code);
    return trouble ? { trouble } : { availability: { open: true, admins } };
  } catch {
    return { trouble: 'unreachable' };
  }
}

/** [P-9] Codes with which a socket is closed. */
const CLOSES: Readonly<Record<number, Trouble>> = { 4401: 'unauthorized', 4403: 'forbidden' };

/** Names the trouble for which a socket was closed; undefined where it is none that the page's makers can mend. */
export const troubleOf = (code: number, reason: string): Trouble | undefined =>
  CLOSES[code] ?? TROUBLES.find((each) => each === reason);
