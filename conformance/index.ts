/** `telle/conformance`: the promises of PROTOCOL.md, tried on any server that claims to speak it. */
import { CONTENT } from './cases/content.ts';
import { DELIVERY } from './cases/delivery.ts';
import { ENVELOPE } from './cases/envelope.ts';
import { ERRORS } from './cases/errors.ts';
import { JOINING } from './cases/joining.ts';
import { PROMISES } from './cases/promises.ts';
import { RECOVERY } from './cases/recovery.ts';
import { SENDING } from './cases/sending.ts';
import { SERVERS } from './cases/servers.ts';
import { TOKENS } from './cases/tokens.ts';
import { TRANSPORT } from './cases/transport.ts';
import { Client } from './client.ts';
import { type Access, House, MissingError } from './house.ts';
import type { Transport } from './transport.ts';
import { type Case, Visit } from './visit.ts';
import { websocket } from './websocket.ts';

export { type Access, LeftError, MissingError } from './house.ts';
export type { Connection, Listener, Transport } from './transport.ts';

export interface Options extends Access {
  /** Time that the server may take to answer, in ms. */
  readonly patience?: number;
  /** In place of WebSocket: its own cases (2.1, 2.2 and some of 2.5 and 2.6) are left out then. */
  readonly transport?: Transport;
}

export interface Result {
  /** Of PROTOCOL.md: `8.4`. */
  readonly clause: string;
  readonly says: string;
  readonly outcome: 'pass' | 'fail' | 'not run';
  /** The difference that was seen, or what the case lacked to be run. */
  readonly why?: string;
}

const PATIENCE = 10_000;

/** All but those of WebSocket itself. */
const ANYWHERE = [
  ...ENVELOPE,
  ...JOINING,
  ...RECOVERY,
  ...TOKENS,
  ...SENDING,
  ...SERVERS,
  ...DELIVERY,
  ...PROMISES,
  ...ERRORS,
  ...CONTENT,
];

async function resultOf({ clause, says, run }: Case, visit: Visit): Promise<Result> {
  try {
    await run(visit);
    visit.end();
    return { clause, says, outcome: 'pass' };
  } catch (error) {
    visit.abandon();
    const why = error instanceof Error ? error.message : String(error);
    return { clause, says, outcome: error instanceof MissingError ? 'not run' : 'fail', why };
  }
}

/**
 * Tries each promise, and tells what became of it as soon as it is known. What waits for the server's clock runs beside the rest,
 * and is told last. What a run makes on the server, it takes away.
 * @throws where the server cannot be reached; MissingError, where it makes no dealer; LeftError at the end, where something stays
 */
export async function* conformance({ patience = PATIENCE, transport, ...access }: Options): AsyncGenerator<Result> {
  const house = new House(access, patience);
  const by = transport ?? websocket(access.url);
  const cases = transport ? ANYWHERE : [...TRANSPORT, ...ANYWHERE];
  const result = (each: Case) => resultOf(each, new Visit(house, by));
  (await Client.open(by, patience)).close();
  if (access.dealer === undefined) await house.makeDealer(house.dealer);
  try {
    const waiting = cases.filter(({ waits }) => waits !== undefined).map(result);
    for (const each of cases.filter(({ waits }) => waits === undefined)) yield await result(each);
    for (const each of waiting) yield await each;
  } finally {
    await house.leave();
  }
}
