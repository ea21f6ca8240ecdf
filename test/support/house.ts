/** A server without its doors: all that a conversation needs, on real SQLite. */
import { MEMORY } from '../../schemas/settings.ts';
import { openStore } from '../../src/app.ts';
import { Tokens } from '../../src/auth/tokens.ts';
import { Feed } from '../../src/bus/feed.ts';
import { MemoryBus } from '../../src/bus/memory.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { Budgets } from '../../src/commands/budgets.ts';
import type { House } from '../../src/conversation/house.ts';
import { Hub } from '../../src/hub/hub.ts';
import { Presence } from '../../src/hub/presence.ts';
import { Audit } from '../../src/journal/audit.ts';
import { OWN } from '../../src/journal/clock.ts';
import { Epoch } from '../../src/journal/epoch.ts';
import { Metrics } from '../../src/metrics.ts';
import { TIMING, type Timing } from '../../src/timing.ts';
import { journalOn } from './journal.ts';
import { DEALER, SECRET } from './server.ts';

interface Options {
  readonly settings?: Readonly<Record<string, string>>;
  readonly timing?: Partial<Timing>;
}

/** A house for the length of `use`, with the dealer `d1` in it. A fault in it fails the test. */
export async function withHouse(
  { settings: said, timing }: Options,
  use: (house: House) => Promise<void>,
): Promise<void> {
  const faults: unknown[] = [];
  const fail = (fault: unknown) => void faults.push(fault);
  const settings = readSettings({ DATABASE_URL: `sqlite:${MEMORY}`, ...said });
  const store = openStore(settings, { secrets: [SECRET] });
  await store.migrate();
  await store.putDealer(DEALER, { origins: ['*'] });
  const hub = new Hub(settings.MAX_SOCKET_BACKLOG);
  const bus = new MemoryBus();
  bus.listen({ deliver: (publication) => hub.deliver(publication), missed: () => {} });
  const journal = journalOn(store, { bus, onFault: fail });
  const presence = new Presence({ grace: TIMING.presenceGrace, gone: async () => {} });
  const metrics = new Metrics();
  const house: House = {
    nodeId: 'one',
    journal,
    epoch: await Epoch.of(store),
    clock: OWN,
    store,
    hub,
    feed: new Feed(bus, null),
    presence,
    tokens: new Tokens([SECRET]),
    settings,
    room: { isFull: () => false },
    timing: { ...TIMING, ...timing },
    metrics,
    budgets: new Budgets(settings, metrics.overBudget),
    audit: new Audit(store, null),
    log: { error: fail, debug: () => {} },
  };
  try {
    await use(house);
  } finally {
    presence.close();
    await journal.close();
    await store.close();
  }
  if (faults.length > 0) throw new AggregateError(faults, 'something in the house failed');
}
