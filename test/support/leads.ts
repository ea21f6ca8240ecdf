/** Leads of a dealer: said by a server, and read again from a CSV. */
import assert from 'node:assert/strict';
import { ask } from './ask.ts';
import { readCsv } from './csv.ts';
import type { TestServer } from './server.ts';

/** The path of something of a dealer's. */
export const of = (dealerId: string, path: string): string => `/v1/dealers/${dealerId}${path}`;

/** Has a server of all dealers say these events. */
export async function say(server: TestServer, events: readonly object[]): Promise<void> {
  const token = await server.token('server', 'ops', { dealer: '*' });
  const { status, text } = await ask(server, '/v1/events', { method: 'POST', token, body: events });
  assert.equal(status, 200, text);
}

export const lead = (dealerId: string, groupId: string, message: object) => ({
  type: 'UPDATE_LEAD',
  dealerId,
  groupId,
  message,
});
export const intent = (dealerId: string, groupId: string, message: object) => ({
  ...lead(dealerId, groupId, message),
  type: 'CREATE_LEAD_INTENT',
});

export const GOLF = { condition: 'new', year: 2024, make: 'VW', model: 'Golf' };
/** A lead of which everything is known that an ADF document requires. */
export const ANN = { firstName: 'Ann', lastName: 'Lee', email: 'ann@mail.example', vehicle: GOLF };

/** The rows of a CSV by the names of their columns; its header is not among them. */
export function rowsOf(csv: string): Record<string, string>[] {
  const [names = [], ...rows] = readCsv(csv);
  return rows.map((row) => Object.fromEntries(row.map((cell, index) => [names[index] ?? '', cell])));
}

/** 0, 1, 2, … */
export const span = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
