import type { Settings } from '../../schemas/settings.ts';
import { ALL_DEALERS } from '../../schemas/table.ts';
import { recordCommand } from '../journal/audit.ts';
import { openDatabase } from './database.ts';
import { mustExist } from './must-exist.ts';
import { readSecrets } from './secrets.ts';
import { UsageError } from './usage-error.ts';

export interface RevokeRequest {
  readonly dealer: string;
  readonly role?: string;
  readonly sub?: string;
}

const ROLES = ['customer', 'admin', 'server'] as const;

/** `telle revoke`: takes back every token of somebody, or of a whole dealer. Servers find it within two seconds. */
export async function revoke(settings: Settings, { dealer, role: word, sub }: RevokeRequest): Promise<void> {
  const role = ROLES.find((each) => each === word);
  if (word !== undefined && role === undefined) {
    throw new UsageError(`--role is "${word}": it must be ${ROLES.join(', ')}`);
  }
  if ((role === undefined) !== (sub === undefined)) throw new UsageError('--role and --sub go together');
  mustExist(settings);
  const store = openDatabase(settings, { secrets: readSecrets(settings) });
  try {
    if (dealer !== ALL_DEALERS && !(await store.dealer(dealer))) throw new Error(`there is no dealer ${dealer}`);
    const generation = await store.raise(dealer, role === undefined || sub === undefined ? undefined : { role, sub });
    const detail = role === undefined ? '' : role === 'customer' ? role : `${role}:${sub}`;
    await recordCommand(store, 'telle revoke', { dealerId: dealer, action: 'revoke', detail });
    const whose = sub === undefined ? (dealer === ALL_DEALERS ? 'servers of all dealers' : `all of ${dealer}`) : sub;
    process.stdout.write(`tokens of ${whose} are taken from generation ${generation} on\n`);
  } finally {
    await store.close();
  }
}
