/**
 * The AsyncAPI 3.0 document of the WebSocket interface, made of the one table. It is told from Telle's side: Telle
 * receives what clients send, and sends what is delivered.
 */
import { CLOSE, errorKind, FRAME_ERRORS } from '../../schemas/errors.ts';
import { examplesOf } from '../../schemas/examples.ts';
import { type FrameKind, frameSchema, type Sender } from '../../schemas/frame-kinds.ts';
import type { JsonSchema, ObjectSchema } from '../../schemas/json-schema.ts';
import { FRAMES } from '../../schemas/published.ts';
import { CLOSED, MET, ROLES } from '../../schemas/words.ts';
import { withSchemas } from './components.ts';

export interface Message extends JsonSchema {
  readonly title: string;
  readonly summary: string;
  readonly payload: ObjectSchema;
  readonly examples: readonly { readonly summary: string; readonly payload: unknown }[];
}

export interface AsyncApi extends JsonSchema {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly channels: Readonly<Record<string, { readonly messages: Readonly<Record<string, JsonSchema>> }>>;
  readonly operations: Readonly<Record<string, JsonSchema>>;
  readonly components: JsonSchema & {
    readonly messages: Readonly<Record<string, Message>>;
    readonly schemas: Readonly<Record<string, JsonSchema>>;
  };
}

/** A message is named by who sends it, on which channel, with which type. */
export const messageName = ({ sender, channel, type }: FrameKind): string =>
  [sender, channel, ...(type === null ? [] : [type])].join('.');

const kinds = Object.values(FRAMES).flat();

const messageOf = (kind: FrameKind): Message => ({
  name: messageName(kind),
  title: kind.type ?? kind.channel,
  summary: kind.summary,
  contentType: 'application/json',
  payload: frameSchema(kind),
  examples: examplesOf(kind).map(({ title, frame }) => ({ summary: title, payload: frame })),
});

/** A channel's frames, of every role that may send there. */
function channels(): AsyncApi['channels'] {
  const names = [...new Set(kinds.map(({ channel }) => channel))];
  return Object.fromEntries(
    names.map((channel) => {
      const messages = kinds.filter((kind) => kind.channel === channel).map(messageName);
      const refs = messages.map((name) => [name, { $ref: `#/components/messages/${name}` }]);
      return [channel, { address: '/ws', messages: Object.fromEntries(refs) }];
    }),
  );
}

/** One operation for each sender and channel. */
function operations(): AsyncApi['operations'] {
  const senders = Object.keys(FRAMES) as Sender[];
  return Object.fromEntries(senders.flatMap((sender) => operationsOf(sender)));
}

function operationsOf(sender: Sender): [string, JsonSchema][] {
  const names = [...new Set(FRAMES[sender].map(({ channel }) => channel))];
  return names.map((channel) => {
    const own = FRAMES[sender].filter((kind) => kind.channel === channel);
    const messages = own.map((kind) => ({ $ref: `#/channels/${channel}/messages/${messageName(kind)}` }));
    const common = { channel: { $ref: `#/channels/${channel}` }, messages };
    const summary = own.length === 1 ? own[0]?.summary : `${own.length} types of payload.`;
    if (sender === 'telle') return [`telle.${channel}`, { action: 'send', summary, ...common }];
    const reply = { channel: { $ref: '#/channels/ack' }, messages: [{ $ref: '#/channels/ack/messages/telle.ack' }] };
    const tags = [{ name: sender }];
    return [`${sender}.${channel}`, { action: 'receive', summary, tags, ...common, reply }];
  });
}

const row = (...cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;

const description = [
  'Told from the side of Telle: it *receives* what clients send, and *sends* what is delivered. All channels share one',
  'WebSocket, `GET /ws`; a frame is the JSON text of an envelope that names its channel.',
  '',
  'The first frame is a join: `client_join`, `admin_join` or `server_join`. A frame with an `id` is answered by exactly',
  'one `ack` or `error` whose payload repeats it.',
  '',
  'Errors:',
  '',
  row('code', 'when', 'retryable', 'closes with'),
  row('---', '---', '---', '---'),
  ...(Object.keys(FRAME_ERRORS) as (keyof typeof FRAME_ERRORS)[]).map((code) =>
    row(`\`${code}\``, MET[code], errorKind(code).retryable ? 'yes' : 'no', errorKind(code).close ?? ''),
  ),
  '',
  "Close codes: 44xx are the client's fault (do not come back unchanged), any other may reconnect with jittered backoff.",
  '',
  row('code', 'when'),
  row('---', '---'),
  ...Object.values(CLOSE).map((code) => row(code, CLOSED[code])),
].join('\n');

/** @param version of the server */
export function asyncApi(version: string): AsyncApi {
  const messages = Object.fromEntries(kinds.map((kind) => [messageName(kind), messageOf(kind)]));
  const security = [{ $ref: '#/components/securitySchemes/bearer' }];
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'Telle',
      version,
      description,
      license: { name: 'MIT' },
      tags: Object.entries(ROLES).map(([name, words]) => ({ name, description: words })),
    },
    defaultContentType: 'application/json',
    servers: {
      local: {
        host: 'localhost:8080',
        pathname: '/',
        protocol: 'ws',
        description: 'As it starts by default.',
        security,
      },
      public: {
        host: '{host}',
        pathname: '/',
        protocol: 'wss',
        description: 'Behind a proxy that ends TLS.',
        variables: { host: { default: 'chat.example.com', description: 'where this server is reached' } },
        security,
      },
    },
    channels: channels(),
    operations: operations(),
    components: {
      messages,
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description:
            'A JSON Web Token, HS256, with `role`, `dealer`, `sub` and `exp`: in the header of the upgrade, or as `token` in the payload of the join. A customer who takes a new group needs none.',
        },
      },
    },
  };
  return withSchemas(document);
}
