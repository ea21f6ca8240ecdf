/** An HTTP request through memory, with all that it says: headers, a body as it is, an address that it comes from. */
import type { TestServer } from './server.ts';

export interface Asked {
  readonly method?: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE' | 'OPTIONS';
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, text as it is. */
  readonly body?: string | object;
  /** The address of whoever asks. */
  readonly from?: string;
}

export type Answer = Awaited<ReturnType<typeof ask>>;

/** Asks. @returns the answer, whose `body` is read where it is JSON, and its `text` */
export async function ask(server: TestServer, url: string, { method = 'GET', token, headers, body, from }: Asked = {}) {
  const response = await server.app.inject({
    method,
    url,
    headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
    ...(body !== undefined && { payload: body }),
    ...(from !== undefined && { remoteAddress: from }),
  });
  const isJson = /^application\/(\w+\+)?json/.test(String(response.headers['content-type']));
  return {
    status: response.statusCode,
    headers: response.headers,
    text: response.body,
    body: isJson && response.body !== '' ? response.json() : response.body,
  };
}

/** The names in a `Vary` header, in lower case. */
export const varyOf = ({ headers }: Pick<Answer, 'headers'>): string[] =>
  String(headers.vary ?? '')
    .toLowerCase()
    .split(/\s*,\s*/);
