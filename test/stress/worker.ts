/** Runs the scenarios that it is told, one at a time, in a process of its own: what breaks there breaks nothing else. */
import { Dice } from '../support/chance.ts';
import type { Verdict } from '../support/verdict.ts';
import { Ledger } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';

/** What it is told: the name of a scenario, and what the stage needs. */
export interface Order {
  readonly name: string;
  readonly seed: number;
  readonly postgres: string;
  readonly redis: string;
}

let ledger = new Ledger();

const sentence = (fault: unknown): string => (fault instanceof Error ? (fault.stack ?? fault.message) : String(fault));

for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
  process.on(event, (fault: unknown) => ledger.through.push(`${event}: ${sentence(fault)}`));
}

async function run({ name, seed, postgres, redis }: Order): Promise<Verdict> {
  ledger = new Ledger();
  const from = performance.now();
  try {
    await SCENARIOS[name]?.({ ledger, dice: new Dice(seed), postgres, redis });
    // What a scenario left undone shows itself in the turns that follow.
    await new Promise(setImmediate);
  } catch (fault) {
    ledger.through.push(sentence(fault));
  }
  const { tried, through, notes } = ledger;
  return { scenario: name, tried, through, notes, seconds: (performance.now() - from) / 1000 };
}

process.on('message', async (order: Order) => process.send?.(await run(order)));
process.on('disconnect', () => process.exit());
