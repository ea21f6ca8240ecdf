import { createInterface } from 'node:readline/promises';
import { CLAIMS, DealerSettings } from '../../schemas/dealers.ts';
import { isId } from '../../schemas/kinds.ts';
import type { Settings } from '../../schemas/settings.ts';
import { ALL_DEALERS } from '../../schemas/table.ts';
import { changedSettings, recordCommand } from '../journal/audit.ts';
import { eraseMarked } from '../journal/eraser.ts';
import { checker } from '../protocol/checker.ts';
import type { Store } from '../store/store.ts';
import { bringUpToDate, openDatabase } from './database.ts';
import { mustExist } from './must-exist.ts';
import { reasonOf } from './reason.ts';
import { UsageError } from './usage-error.ts';

/** Dealers that are read at a time. */
const AT_ONCE = 200;

export interface DealerRequest {
  readonly name?: string;
  readonly email?: string;
  readonly phone?: string;
  readonly origin?: readonly string[];
  readonly retentionDays?: string;
  readonly claims?: string;
  readonly groupKey?: string;
  readonly groupKeyUntil?: string;
  /** True where the database is made if there is none. */
  readonly init?: boolean;
}

/** `telle dealer add`: makes a dealer, or gives it other settings; those that are not said stay as they were. */
export async function addDealer(settings: Settings, dealerId: string, request: DealerRequest): Promise<void> {
  if (!isId(dealerId)) throw new UsageError(`"${dealerId}" cannot be a dealer's id: 1 to 64 of A-Z a-z 0-9 . _ : @ -`);
  const { origin, retentionDays, claims: word, init = false, ...said } = request;
  const claims = CLAIMS.find((each) => each === word);
  if (word !== undefined && claims === undefined) {
    throw new UsageError(`--claims is "${word}": it must be ${CLAIMS.join(', ')}`);
  }
  if (retentionDays !== undefined && !/^\d+$/.test(retentionDays)) {
    throw new UsageError(`--retention-days is "${retentionDays}": it must be a whole number of days`);
  }
  const given = settingsIn({
    ...said,
    ...(claims && { claims }),
    ...(origin && { origins: origin.map((each) => each.replace(/\/$/, '')) }), // as an address bar has it
    ...(retentionDays !== undefined && { retentionDays: Number(retentionDays) }),
  });
  if (!init) mustExist(settings, ', or say --init to make a new one');
  await withStore(settings, async (store) => {
    const before = await store.dealer(dealerId);
    const { dealerId: _, ...had } = before ?? { dealerId };
    const isNew = await store.putDealer(dealerId, { ...had, ...given });
    const detail = changedSettings(before, { dealerId, ...had, ...given });
    await recordCommand(store, 'telle dealer add', { dealerId, action: 'change_dealer', detail });
    process.stdout.write(`${dealerId} was ${isNew ? 'made' : 'changed'}\n`);
  });
}

const check = checker(DealerSettings);
/** The flag that gives a field. */
const FLAGS: Readonly<Record<string, string>> = {
  origins: '--origin',
  retentionDays: '--retention-days',
  groupKey: '--group-key',
  groupKeyUntil: '--group-key-until',
};

/** @throws UsageError that names the flag, and says in words what it may be */
function settingsIn(given: object): DealerSettings {
  try {
    return check(given);
  } catch (error) {
    const [, field = '', rule = ''] = /^(\w+)[/\d]*: (.*)$/s.exec(reasonOf(error)) ?? [];
    throw new UsageError(`${FLAGS[field] ?? `--${field}`}: ${rule}`);
  }
}

/** `telle dealer list`: each dealer on a line of its own, as JSON or in columns. */
export async function listDealers(settings: Settings, { json }: { json?: boolean }): Promise<void> {
  mustExist(settings);
  await withStore(settings, async (store) => {
    for (let after = ''; ; ) {
      const dealers = await store.dealers(after, AT_ONCE);
      for (const dealer of dealers) {
        const { dealerId, name = '', origins = [] } = dealer;
        const columns = `${dealerId.padEnd(24)}  ${name.padEnd(24)}  ${origins.join(' ')}`.trimEnd();
        process.stdout.write(`${json ? JSON.stringify(dealer) : columns}\n`);
      }
      const last = dealers.at(-1);
      if (!last || dealers.length < AT_ONCE) return;
      after = last.dealerId;
    }
  });
}

/** `telle dealer remove`: removes a dealer and all that it has, once somebody has said so. */
export async function removeDealer(settings: Settings, dealerId: string, { yes }: { yes?: boolean }): Promise<void> {
  mustExist(settings);
  await withStore(settings, async (store) => {
    if (!(await store.dealer(dealerId))) throw new Error(`there is no dealer ${dealerId}`);
    const events = await store.logSize(dealerId);
    if (!yes && !(await isSure(`Remove ${dealerId} with its ${events} events, for ever?`))) {
      throw new UsageError(`${dealerId} was not removed: say --yes to remove it`);
    }
    await store.deleteDealer(dealerId);
    await eraseMarked(store);
    const act = { dealerId: ALL_DEALERS, action: 'remove_dealer', detail: dealerId } as const;
    await recordCommand(store, 'telle dealer remove', act);
    process.stdout.write(`${dealerId} and its ${events} events were removed\n`);
  });
}

async function withStore(settings: Settings, use: (store: Store) => Promise<void>): Promise<void> {
  const store = openDatabase(settings);
  try {
    await bringUpToDate(settings, store, process.stderr);
    await use(store);
  } finally {
    await store.close();
  }
}

/** Asks whoever sits at the terminal; where nobody does, the answer is no. */
async function isSure(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
