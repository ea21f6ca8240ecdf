/**
 * What is shown is harmless: text is text, wherever it goes in and wherever it comes out. A corpus of what harms where it
 * is taken for markup, formula, query or log line goes through every text field that the table of the protocol has.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { BodySchema } from '../../schemas/accepted.ts';
import { SENDS } from '../../schemas/table.ts';
import { Attacker, type Party } from '../support/attacker.ts';
import type { Client } from '../support/client.ts';
import { CORPUS, MARK } from '../support/corpus.ts';
import { DATABASES, openDatabase, type TestDatabase } from '../support/database.ts';
import { genuine } from '../support/forge.ts';
import type { Frame } from '../support/frame.ts';
import { LogSink } from '../support/log.ts';
import { type RawAnswer, rawHttp } from '../support/raw-http.ts';
import { type Route, withRoutes } from '../support/routes.ts';
import { type Path, sampleOf, textPathsOf, valueAt, withAt } from '../support/samples.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { Tally } from '../support/tally.ts';

const DEALER = 'd';
const exp = Math.floor(Date.now() / 1000) + 3600;
const PARTIES: readonly Party[] = [
  { role: 'customer', dealer: DEALER, sub: 'g', exp },
  { role: 'admin', dealer: DEALER, sub: 'a', exp },
  { role: 'server', dealer: DEALER, sub: 's', exp },
];
const OPERATOR: Party = { role: 'server', dealer: '*', sub: 'all', exp };

/** A word or name that a database keeps as it is: some of the corpus is none [P-6.4]. */
const isPlain = (text: string) => /^[^\p{Cc}\p{Cs}]{1,64}$/u.test(text);

/** What a payload of this type must hold as it came in, by the path: text in every field, and fields of one's own. */
function harmfulPayload(
  role: Party['role'],
  schema: BodySchema,
  text: string,
): { payload: unknown; fields: readonly Path[] } {
  // [P-18.2] Text that grows is a bot's.
  const any = Object.hasOwn(schema.properties, 'typing') ? 'bot' : 'admin';
  const user = schema.properties.user?.const ?? (role === 'customer' ? 'customer' : any);
  const own = { dealerId: DEALER, groupId: 'g', adminId: 'a', user, seq: 1 };
  const isRecord = schema.properties.message?.additionalProperties === true;
  const free: Path[] = isRecord
    ? [
        ['message', 'own'],
        ['message', text],
        ['message', 'deep', text],
      ]
    : [];
  const paths = [...textPathsOf(schema), ...free];
  const needsPlain = (path: Path) => path.at(-1) === 'intent' || path.at(-1) === 'reason';
  const payload = paths.reduce<unknown>(
    (value, path) => withAt(value, path, needsPlain(path) && !isPlain(text) ? 'plain' : text),
    sampleOf(schema, own),
  );
  return { payload, fields: paths.filter((path) => !needsPlain(path) || isPlain(text)) };
}

const letterOf = (index: number) => `l${String(index).padStart(3, '0')}`;

/** A cell that a spreadsheet takes for a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/** The cells of a CSV text (RFC 4180). */
function cellsOf(csv: string): string[] {
  return [...csv.matchAll(/(?:^|,|\r?\n)(?:"((?:[^"]|"")*)"|([^",\r\n]*))/g)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? '',
  );
}

/** Routes of sockets, whose answers do not end. */
const SOCKETS: ReadonlySet<string> = new Set(['/ws', '/stream']);

/** What makes an answer harmless, by its kind. */
const HARMLESS: readonly (readonly [kind: RegExp, check: (answer: RawAnswer) => void])[] = [
  [
    /x-ndjson/,
    ({ body }) => {
      for (const line of body.split('\n').filter(Boolean)) JSON.parse(line);
    },
  ],
  [/[/+]json\b/, ({ body }) => void JSON.parse(body)],
  [
    /text\/csv/,
    ({ body }) =>
      assert.deepEqual(
        cellsOf(body).filter((cell) => FORMULA.test(cell)),
        [],
      ),
  ],
  [/xml/, ({ body }) => assert.doesNotMatch(body, /<!DOCTYPE x|<!ENTITY|<script|<xi:include|<b>|[^\P{Cc}\t\n\r]/u)],
  [
    /text\/html/,
    ({ body, headers }) => {
      assert.doesNotMatch(body, /<script>alert|onerror=|<svg\/onload|<!--hrm9x/);
      const csp = String(headers['content-security-policy']);
      assert.match(csp, /default-src '(none|self)'/);
      assert.doesNotMatch(csp, /script-src[^;]*('unsafe-inline'|'unsafe-eval'|\*|http:|data:)/);
      assert.match(csp, /frame-ancestors 'none'|frame-ancestors 'self'/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
    },
  ],
  [/text\/(plain|css|javascript)|application\/(javascript|wasm)|image\//, () => {}],
];

function assertHarmless(answer: RawAnswer): void {
  if (answer.body === '') return;
  const type = String(answer.headers['content-type']);
  const [, check] = HARMLESS.find(([kind]) => kind.test(type)) ?? assert.fail(`an answer of type ${type}`);
  check(answer);
}

for (const database of DATABASES) {
  describe(`What is shown is harmless, on ${database}`, { timeout: 60_000 }, () => {
    const tally = new Tally(`What is shown is harmless, on ${database}`);
    const log = new LogSink();
    let db: TestDatabase;
    let server: TestServer;
    let routes: Route[] = [];
    let at = '';
    let witness: Client;

    before(async () => {
      db = await openDatabase(database);
      const made = await withRoutes(() =>
        startServer({
          settings: { DATABASE_URL: db.url, RATE_LIMIT: 'off', LOG_LEVEL: 'trace', AUTO_MUTE: 'off' },
          timing: { presenceGrace: 60_000 },
          logTo: log,
        }),
      );
      server = made.built;
      routes = made.routes;
      at = await server.listen();
      await server.store.putDealer(DEALER, { origins: ['*'] });
      witness = await new Attacker(server, at, { ...OPERATOR, dealer: DEALER, sub: 'witness' }).joined();
    });
    after(async () => {
      tally.print();
      await server?.close();
      await db?.close();
    });

    const ask = (path: string, more: Parameters<typeof rawHttp>[1] | object = {}) =>
      rawHttp(at, { headers: { authorization: `Bearer ${genuine(OPERATOR)}` }, ...more, path });

    /** Reads a scope's log over HTTP, all of it. */
    async function logOf(scope: string): Promise<Frame[]> {
      const items: Frame[] = [];
      for (let next: string | null = ''; next !== null; ) {
        const { body } = await ask(
          `/v1/dealers/${DEALER}/scopes/${scope}/events?limit=200${next && `&cursor=${next}`}`,
        );
        const page = JSON.parse(body);
        items.push(...page.items);
        next = page.next;
      }
      return items;
    }

    test('what is sent comes out as the same text: live, in the log over HTTP, and in no other place', () =>
      tally.scenario(`every text field × ${CORPUS.length} texts, live and over HTTP`, async (attempt) => {
        const sent: { frame: Frame; payload: unknown; fields: readonly Path[] }[] = [];
        for (const who of PARTIES) {
          const attacker = new Attacker(server, at, who);
          for (const text of CORPUS) {
            const sends = Object.entries(SENDS[who.role])
              .flatMap(([channel, schemas]) =>
                schemas.map((schema) => ({ channel, ...harmfulPayload(who.role, schema, text) })),
              )
              .filter(({ fields }) => fields.length > 0);
            const from = witness.frames.length;
            const answers = await attacker.askAll(sends);
            await witness.settled();
            // What is only passed on has no id.
            const nameOf = ({ id, channel }: Frame) => id ?? channel;
            const frames = new Map(witness.frames.slice(from).map((frame) => [nameOf(frame), frame]));
            for (const [index, { channel, payload, fields }] of sends.entries()) {
              await attempt(`${who.role} ${channel} ${JSON.stringify(payload)}`, () => {
                const { id, answer } = answers[index] ?? assert.fail('no answer');
                assert.equal(answer.channel, 'ack', JSON.stringify(answer));
                const frame = frames.get(id) ?? frames.get('TYPING_STATE') ?? assert.fail('no frame');
                for (const path of fields) assert.equal(valueAt(frame.payload, path), valueAt(payload, path));
                sent.push({ frame, payload, fields });
              });
            }
          }
        }
        for (const scope of ['g', '@dealer', '@desk']) {
          const items = new Map((await logOf(scope)).map((item) => [item.seq, item]));
          for (const { frame, payload, fields } of sent.filter((each) => each.frame.scope === scope)) {
            await attempt(`${scope} ${frame.seq} over HTTP`, () => {
              const item = items.get(frame.seq);
              for (const path of fields) assert.equal(valueAt(item?.payload, path), valueAt(payload, path));
            });
          }
        }
      }));

    test('what is refused is not repeated to whoever sent it, nor taken for an id', () =>
      tally.scenario('every id, name and key of a frame × the corpus', async (attempt) => {
        for (const who of PARTIES) {
          const attacker = new Attacker(server, at, who);
          const [channel = '', schemas = []] = Object.entries(SENDS[who.role])[0] ?? [];
          const good = { ...Object(sampleOf(schemas[0] ?? assert.fail('no schema'))), groupId: 'g', adminId: 'a' };
          for (const text of CORPUS) {
            for (const [what, payload, on] of [
              ['dealerId', { ...good, dealerId: text }, channel],
              ['groupId', { ...good, dealerId: DEALER, groupId: text }, channel],
              ['user', { ...good, dealerId: DEALER, user: text }, channel],
              ['type', { ...good, dealerId: DEALER, type: text }, channel],
              ['channel', good, text],
            ] as const) {
              await attempt(`${who.role} ${what} ${JSON.stringify(text)}`, async () => {
                const answer = await attacker.ask(on, payload);
                assert.equal(answer.channel, 'error', JSON.stringify(answer));
                assert.ok(!JSON.stringify(answer).includes(MARK), JSON.stringify(answer));
              });
            }
          }
        }
      }));

    test('over HTTP too: in paths, queries, headers and bodies', () =>
      tally.scenario('HTTP paths, queries, headers and bodies × the corpus', async (attempt) => {
        for (const text of CORPUS) {
          const coded = encodeURIComponent(text.replace(/\p{Cs}/gu, '\ufffd'));
          const ascii = text.replace(/[^ -~]/g, '');
          for (const [what, path, more] of [
            ['dealerId', `/v1/dealers/${coded}`, {}],
            ['scope', `/v1/dealers/${DEALER}/scopes/${coded}/events`, {}],
            ['cursor', `/v1/dealers?cursor=${coded}`, {}],
            ['limit', `/v1/dealers?limit=${coded}`, {}],
            ['letter', `/v1/dead-letters/${coded}/replay`, { method: 'POST' }],
            ['nowhere', `/${coded}`, {}],
            [
              'headers',
              '/v1/dealers',
              { headers: { authorization: `Bearer ${ascii}`, origin: ascii, 'user-agent': ascii } },
            ],
            [
              'media type',
              '/v1/events',
              {
                method: 'POST',
                headers: { authorization: `Bearer ${genuine(OPERATOR)}`, 'content-type': ascii || 'x' },
              },
            ],
            ['body', '/v1/dealers/d', { method: 'PUT', body: { origins: [text], retentionDays: text } }],
            ['event', '/v1/events', { method: 'POST', body: { type: text, dealerId: text, [text]: text } }],
          ] as const) {
            await attempt(`${what} ${JSON.stringify(text)}`, async () => {
              const answer = await ask(path, more);
              const [type, shown] = [
                String(answer.headers['content-type']),
                JSON.stringify(answer.headers) + answer.body,
              ];
              assert.match(type, /^application\/(problem\+)?json/);
              assert.equal(answer.headers['x-injected'], undefined);
              // A cursor that decodes to some place is no fault.
              assert.ok(answer.status >= 400 || what === 'cursor', `${answer.status}`);
              assert.ok(!shown.includes(MARK), `it is repeated: ${shown}`);
            });
          }
        }
      }));

    test('a path that is no URL, and a request that is none, are problems like any other', () =>
      tally.scenario('paths that cannot be decoded, headers too large', async (attempt) => {
        for (const path of [`/%${MARK}`, `/v1/dealers/%zz${MARK}`, `/v1/dealers/%ff${MARK}`, `/<${MARK}>%`]) {
          await attempt(path, async () => {
            const { status, headers, body } = await ask(path);
            assert.match(String(headers['content-type']), /^application\/problem\+json/);
            assert.deepEqual([status, JSON.parse(body).code], [400, 'invalid_payload']);
            assert.ok(!body.includes(MARK), `it is repeated: ${body}`);
          });
        }
        await attempt('headers of 20 KiB', async () => {
          const { headers } = await ask('/health', { headers: { connection: 'close', 'x-large': 'x'.repeat(20_480) } });
          assert.match(String(headers['content-type']), /^application\/problem\+json/);
        });
      }));

    test('names and letters are text to the operator too', () =>
      tally.scenario('dealers and dead letters × the corpus', async (attempt) => {
        for (const [index, text] of CORPUS.entries()) {
          if (/^[^\p{Cc}\p{Cs}]+$/u.test(text)) {
            await attempt(`name ${JSON.stringify(text)}`, async () => {
              const { status, body } = await ask(`/v1/dealers/n${index}`, { method: 'PUT', body: { name: text } });
              assert.deepEqual([status, JSON.parse(body).name], [201, text]);
              assert.equal(JSON.parse((await ask(`/v1/dealers/n${index}`)).body).name, text);
            });
          }
          const why = { code: 'bad_frame', message: 'x', details: [] } as const;
          await server.store.bury([{ deadLetterId: letterOf(index), source: 'events', payload: text, at: 1, ...why }]);
        }
        const { body } = await ask('/v1/dead-letters?limit=200');
        const letters = new Map<string, string>(
          JSON.parse(body).items.map((item: { deadLetterId: string; payload: string }) => [
            item.deadLetterId,
            item.payload,
          ]),
        );
        for (const [index, text] of CORPUS.entries()) {
          await attempt(`letter ${JSON.stringify(text)}`, () => assert.equal(letters.get(letterOf(index)), text));
        }
      }));

    test('every route answers in a form in which the text of others is text', () =>
      tally.scenario('every GET route × every form it may have', async (attempt) => {
        const names: Readonly<Record<string, string>> = {
          dealerId: DEALER,
          groupId: 'g',
          scope: 'g',
          id: 'l001',
          name: 'UPDATE_MSG',
        };
        const paths = routes
          .filter(({ method, url }) => method === 'GET' && !SOCKETS.has(url))
          .map(({ url }) => url.replace(/:(\w+)|\*/g, (_, name) => names[name] ?? 'g'));
        const forms = ['', '?format=csv', '?format=xml', '?format=adf', '?format=html', '?format=text'];
        const accepts = ['*/*', 'text/csv', 'application/xml', 'text/html', 'text/plain', 'application/x-ndjson'];
        for (const path of [...new Set(paths)]) {
          for (const [form, accept] of [
            ...forms.map((each) => [each, '*/*']),
            ...accepts.map((each) => ['', each]),
          ] as const) {
            await attempt(`${path}${form} ${accept}`, async () => {
              const headers = { authorization: `Bearer ${genuine(OPERATOR)}`, accept: String(accept) };
              assertHarmless(await ask(`${path}${form}`, { headers }));
            });
          }
        }
      }));

    test('the log has a record a line, whatever is sent, and none of it', () =>
      tally.scenario('the log at trace: lines forged, texts told', async (attempt) => {
        const [host = '', port] = at.split(':');
        for (const text of CORPUS) {
          await attempt(`no HTTP: ${JSON.stringify(text)}`, async () => {
            const socket = connect(Number(port), host);
            socket.on('error', () => {});
            socket.end(`${text}\r\n\r\n`);
            socket.resume();
            await new Promise((resolve) => socket.once('close', resolve));
          });
        }
        await ask('/health');
        const records = log.records();
        await attempt('the log is there', () => assert.ok(records.length > CORPUS.length, `${records.length} records`));
        for (const record of records) {
          await attempt('a record', () => {
            assert.ok(typeof record.level === 'number' && typeof record.time === 'number', JSON.stringify(record));
            assert.ok(Number(record.time) > 1e12, JSON.stringify(record));
            assert.ok(!JSON.stringify(record).includes(MARK), JSON.stringify(record));
          });
        }
        await attempt('control characters', () => assert.doesNotMatch(log.text, /[^\P{Cc}\n]|\p{Zl}|\p{Zp}|\p{Cf}/u));
      }));
  });
}
