/** Those who are not attacked, and must not notice; and whoever attacks, in a process of its own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Target } from '../support/target.ts';
import { Endpoint, range } from './house.ts';
import { Pace } from './pace.ts';

/** The address that honest users come from, which no attacker has. */
const HONEST = '127.0.0.2';
/** How many of them talk, and how long between their messages, in ms: within the rate that each may have. */
const USERS = 25;
const PAUSE = 110;
/** How long they talk before anything is measured, in ms: what a server does for the first time takes longer. */
const WARM_UP = 400;

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Honest users of a server, who have joined it. */
export async function bystanders({ at }: Target) {
  const endpoint = new Endpoint(at, { from: HONEST });
  const users = await Promise.all(range(USERS).map((n) => endpoint.customer(`honest${n}`)));
  const pace = new Pace(users, PAUSE);
  await pace.during(() => sleep(WARM_UP));
  return { endpoint, pace };
}

/**
 * One who does what it is told, in a process of its own: one order at a time, each answered with what came of it.
 * @param script its file, beside this one
 */
export async function findAttacker<Order extends object, Outcome>(script: string) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = fork(path);
  await once(child, 'message');
  const attack = async (order: Order): Promise<Outcome> => {
    child.send(order);
    const [outcome] = await once(child, 'message');
    return outcome;
  };
  return { attack, leave: () => child.disconnect() };
}
