import type { Frame } from './log.ts';

/** Number of events that are read at once. */
const LIMIT = 50;

interface PageRequest {
  readonly base: URL;
  readonly dealerId: string;
  readonly token: string;
  readonly scope: string;
  /** A seq. */
  readonly before: number;
}

interface Page {
  readonly items: readonly Frame[];
  readonly next: string | null;
}

/** [P-11.3] The last events of a scope that come before one. @throws where the server does not answer them */
export async function readBefore({ base, dealerId, token, scope, before }: PageRequest): Promise<Page> {
  const path = [dealerId, 'scopes', scope].map(encodeURIComponent).join('/');
  const url = new URL(`v1/dealers/${path}/events?before=${before}&limit=${LIMIT}`, base);
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` }, credentials: 'omit' });
  if (!response.ok) throw new Error(`telle: ${response.status}`);
  return response.json();
}
