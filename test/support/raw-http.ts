/** HTTP as an attacker writes it: the path goes out as it is, which `fetch` would tidy up first. */
import { once } from 'node:events';
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface RawRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: unknown;
}

const agent = new Agent({ keepAlive: true });

/** Sends one request to `host:port`; a body goes as JSON. */
export async function rawHttp(
  at: string,
  { method = 'GET', path, headers = {}, body }: RawRequest,
): Promise<RawAnswer> {
  const json = body === undefined ? undefined : JSON.stringify(body);
  const [host, port] = at.split(':');
  const sent = request({
    // What the server hangs up on is not to be used again.
    agent: headers.connection === 'close' ? false : agent,
    host,
    port,
    method,
    path,
    headers: {
      ...(json !== undefined && {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(json)),
      }),
      ...headers,
    },
  });
  sent.end(json);
  const [answer]: IncomingMessage[] = await once(sent, 'response');
  if (!answer) throw new Error('no answer came');
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: await text(answer) };
}
