/** One who obeys every rule and means harm, in a process of its own: it does what it is told, and tells what came of it. */
import { constants, setPriority } from 'node:os';
import { type Act, type Ends, type Means, sleep, Tally } from './means.ts';
import * as requests from './requests.ts';
import * as sockets from './sockets.ts';

/** Does several things at the same time. */
const both =
  (...acts: readonly Act[]): Act =>
  async (means, tally) => {
    await Promise.all(acts.map((act) => act(means, tally)));
  };

const ACTS = {
  ...requests,
  ...sockets,
  wholeDesk: both(requests.slowReading, sockets.deskFrames),
  wholeServer: both(requests.posting, sockets.serverFrames),
} as const satisfies Record<string, Act>;

/** What it is told to do, and with what. */
export interface Order extends Means {
  readonly act: keyof typeof ACTS;
}

/** How much longer than it should an attack may take, in ms, where the server does not answer it. */
const PATIENCE = 10_000;

async function obey({ act, ...means }: Order): Promise<Ends> {
  const tally = new Tally();
  await Promise.race([ACTS[act](means, tally), sleep(means.time + PATIENCE)]);
  return tally.ends;
}

// Its work is another machine's: it takes no time of the processor's that the server has a use for.
setPriority(constants.priority.PRIORITY_LOW);
process.on('message', async (order: Order) => process.send?.(await obey(order)));
process.on('disconnect', () => process.exit());
process.send?.('ready');
