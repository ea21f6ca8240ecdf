/**
 * The WebSocket layer keeps RFC 6455, as Autobahn's suite asks it: a client of raw bytes sends what is right and what is
 * wrong, each case named by the section that it comes from. Frames carry the protocol's own `ping`, which is answered by
 * `pong` and, where it has an id, an ack.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Client } from '../support/client.ts';
import {
  ACCEPT,
  closePayload,
  type Ending,
  frameBytes,
  handshake,
  KEY,
  OP,
  openingText,
  RawSocket,
} from '../support/raw-socket.ts';
import { DEALER, startServer, type TestServer } from '../support/server.ts';
import { chance, Tally } from '../support/tally.ts';
import { INVALID_UTF8 } from '../support/utf8.ts';

const MAX = 16_384; // MAX_FRAME_BYTES
const PONG = '{"channel":"pong","payload":{}}';
const draw = chance();

/** A ping of the protocol's, with an id, filled up with spaces to so many bytes. */
const pingText = (id: string, bytes = 0) => `{"channel":"ping","payload":{},"id":"${id}"}`.padEnd(bytes);
const acks = (id: string) => (text: string) => text === `{"channel":"ack","payload":{"id":"${id}"}}`;

/** Cuts bytes into pieces of at most so many. */
const pieces = (bytes: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );

/** The frames of one message in fragments. */
const fragments = (parts: readonly Buffer[], opcode: number = OP.text): Buffer[] =>
  parts.map((part, index) =>
    frameBytes(part, { opcode: index === 0 ? opcode : OP.continuation, fin: index === parts.length - 1 }),
  );

describe('RFC 6455', { timeout: 60_000 }, () => {
  const tally = new Tally('RFC 6455');
  let server: TestServer;
  let at = '';
  let admin: Client;

  before(async () => {
    server = await startServer({ settings: { RATE_LIMIT: 'off' }, timing: { closeTimeout: 200 } });
    at = await server.listen();
    admin = await server.admin();
  });
  after(async () => {
    tally.print();
    await server?.close();
  });

  /** Opens a socket for the length of `use`. */
  async function onSocket<T>(use: (socket: RawSocket) => Promise<T>): Promise<T> {
    const socket = await RawSocket.open(at);
    try {
      return await use(socket);
    } finally {
      socket.destroy();
    }
  }

  /** That the socket is as it was: a ping is answered. */
  async function assertAlive(socket: RawSocket, id = 'alive'): Promise<void> {
    socket.write(frameBytes(pingText(id)));
    await socket.next(OP.text, acks(id));
    assert.equal(
      socket.frames.items.some(({ opcode }) => opcode === OP.close),
      false,
    );
  }

  /** That bytes are taken, and what they ask is answered. */
  const taken = (bytes: readonly Buffer[], id: string) =>
    onSocket(async (socket) => {
      socket.write(...bytes);
      await socket.next(OP.text, acks(id));
      await assertAlive(socket);
    });

  /** That bytes make the server fail the connection, with one of these codes, and without a word on the rest of them. */
  const fails = (bytes: readonly Buffer[], ...codes: number[]) =>
    onSocket(async (socket) => {
      socket.write(...bytes, frameBytes(pingText('after')));
      const { code } = await socket.ended;
      assert.ok(codes.includes(code), `closed with ${code}`);
      const texts = socket.frames.items.filter(({ opcode }) => opcode === OP.text);
      assert.deepEqual(
        texts.map(({ payload }) => payload.toString()),
        [],
      );
    });

  /** One test a section: its cases are a table of what is sent and what becomes of it. */
  const section = (name: string, cases: readonly (readonly [what: string, attack: () => Promise<unknown>])[]) =>
    test(name, () =>
      tally.scenario(name, async (attempt) => {
        for (const [what, attack] of cases) await attempt(what, attack);
      }),
    );

  const opened = (lines: Record<string, string | null>) => async () => {
    const { status, headers, socket } = await handshake(at, openingText(lines));
    socket.destroy();
    assert.deepEqual([status, headers['sec-websocket-accept']], [101, ACCEPT]);
    assert.equal(headers['sec-websocket-extensions'], undefined);
  };
  const notOpened =
    (lines: Record<string, string | null>, start?: string, statuses = [400, 404, 405, 426]) =>
    async () => {
      const { status, headers, socket } = await handshake(at, openingText(lines, start));
      socket.destroy();
      assert.ok(statuses.includes(status), `answered by ${status}`);
      assert.equal(headers['sec-websocket-accept'], undefined);
      assert.match(String(headers['content-type']), /^application\/problem\+json/);
      assert.match(String(headers['x-request-id']), /^[\w.:-]{1,64}$/);
    };

  section('4.2 the opening handshake', [
    ['4.2.2 the key is answered by its accept', opened({})],
    [
      '4.2.1 names of headers and tokens in any case',
      opened({ Upgrade: 'WebSocket', Connection: 'keep-alive, UPGRADE' }),
    ],
    [
      '9.1 an extension that is offered is not negotiated',
      opened({ 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' }),
    ],
    ['9.1 an extension that nobody knows', opened({ 'Sec-WebSocket-Extensions': 'x-unknown; a=b' })],
    ['4.1 a header that nobody knows', opened({ 'X-Unknown': 'any' })],
    ['4.2.1 no key', notOpened({ 'Sec-WebSocket-Key': null })],
    ['4.2.1 an empty key', notOpened({ 'Sec-WebSocket-Key': '' })],
    ['4.2.1 a key of 15 bytes', notOpened({ 'Sec-WebSocket-Key': Buffer.alloc(15).toString('base64') })],
    ['4.2.1 a key of 17 bytes', notOpened({ 'Sec-WebSocket-Key': Buffer.alloc(17).toString('base64') })],
    ['4.2.1 a key that is not base64', notOpened({ 'Sec-WebSocket-Key': '!!!!!!!!!!!!!!!!!!!!!!==' })],
    ['4.2.1 two keys', notOpened({ 'Sec-WebSocket-Key': KEY, 'sec-websocket-key': KEY })],
    ['4.2.1 no version', notOpened({ 'Sec-WebSocket-Version': null })],
    ...['0', '7', '12', '14', '255', '13, 13', 'x', '-13'].map(
      (version) => [`4.4 version ${version}`, versionRefused(version)] as const,
    ),
    ['4.2.1 no Upgrade', notOpened({ Upgrade: null })],
    ['4.2.1 an Upgrade to something else', notOpened({ Upgrade: 'h2c' })],
    ['4.2.1 no Connection', notOpened({ Connection: null })],
    ['4.2.1 a Connection without upgrade', notOpened({ Connection: 'keep-alive' })],
    ['4.2.1 POST', notOpened({}, 'POST /ws HTTP/1.1')],
    ['4.2.1 HEAD', notOpened({}, 'HEAD /ws HTTP/1.1')],
    ['4.2.1 another resource', notOpened({}, 'GET /elsewhere HTTP/1.1')],
    ['4.2.2 a subprotocol that is not ours', notOpened({ 'Sec-WebSocket-Protocol': 'chat' })],
    ['4.1 a subprotocol that is malformed', notOpened({ 'Sec-WebSocket-Protocol': 'telle.v1,,' })],
    [
      '4.1 a frame right behind the request',
      async () => {
        const socket = await RawSocket.open(at, {}, frameBytes(pingText('early')));
        await socket.next(OP.text, acks('early'));
        socket.destroy();
      },
    ],
  ]);

  /** 4.4: the version that there is must be said. */
  function versionRefused(version: string): () => Promise<void> {
    return async () => {
      const { status, headers, socket } = await handshake(at, openingText({ 'Sec-WebSocket-Version': version }));
      socket.destroy();
      assert.ok([400, 426].includes(status), `answered by ${status}`);
      assert.match(String(headers['sec-websocket-version']), /\b13\b/);
    };
  }

  section('4.2.1 the opening handshake of older protocols', [
    ['HTTP/1.0', notOpened({}, 'GET /ws HTTP/1.0')],
    ['HTTP/0.9', notOpened({}, 'GET /ws')],
    ['no Host', notOpened({ Host: null })],
    // Its browsers say their origin in another header: it would pass for a client that is none.
    ['version 8', versionRefused('8')],
  ]);

  section('5.1 masking', [
    ['a frame that is not masked', () => fails([frameBytes(pingText('x'), { mask: null })], 1002)],
    ['a ping that is not masked', () => fails([frameBytes('', { opcode: OP.ping, mask: null })], 1002)],
    [
      'a close that is not masked',
      () => fails([frameBytes(closePayload(1000), { opcode: OP.close, mask: null })], 1002),
    ],
    [
      'a fragment that is not masked, behind one that is',
      () => fails([frameBytes('{', { fin: false }), frameBytes('}', { opcode: OP.continuation, mask: null })], 1002),
    ],
    ...['00000000', 'ffffffff', '01020304', '80000001'].map(
      (hex) =>
        [
          `5.3 the mask ${hex}`,
          () => taken([frameBytes(pingText('m'), { mask: Buffer.from(hex, 'hex') })], 'm'),
        ] as const,
    ),
    [
      '5.1 the server masks nothing',
      () =>
        onSocket(async (socket) => {
          socket.write(
            frameBytes(pingText('a')),
            frameBytes('x', { opcode: OP.ping }),
            frameBytes(closePayload(1000), { opcode: OP.close }),
          );
          await socket.ended;
          assert.deepEqual(
            socket.frames.items.map(({ masked, rsv, fin }) => [masked, rsv, fin]),
            Array(4).fill([false, 0, true]),
          );
        }),
    ],
  ]);

  section('5.2 reserved bits and opcodes', [
    ...[1, 2, 3, 4, 5, 6, 7].flatMap((rsv) =>
      [OP.text, OP.ping, OP.close].map(
        (opcode) =>
          [
            `reserved bits ${rsv} on opcode ${opcode}`,
            () => fails([frameBytes(opcode === OP.text ? pingText('x') : '', { rsv, opcode })], 1002),
          ] as const,
      ),
    ),
    [
      'reserved bits on a continuation',
      () => fails([frameBytes('{', { fin: false }), frameBytes('}', { opcode: OP.continuation, rsv: 4 })], 1002),
    ],
    ...[3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf].flatMap((opcode) => [
      [`opcode ${opcode}`, () => fails([frameBytes('x', { opcode })], 1002)] as const,
      [`opcode ${opcode}, empty`, () => fails([frameBytes('', { opcode })], 1002)] as const,
      [
        `opcode ${opcode} between fragments`,
        () => fails([frameBytes('{', { fin: false }), frameBytes('', { opcode })], 1002),
      ] as const,
    ]),
  ]);

  section('5.2 lengths', [
    ...[44, 125, 126, 127, 128, 1000, MAX - 1, MAX].map(
      (length) => [`${length} bytes`, () => taken([frameBytes(pingText('n', length))], 'n')] as const,
    ),
    ...[0, 1, 124, 125].map(
      (length) => [`a ping of ${length} bytes comes back`, () => echoed('p'.repeat(length))] as const,
    ),
    [
      'no bytes: no envelope, and the socket stays',
      () =>
        onSocket(async (socket) => {
          socket.write(frameBytes(''));
          assert.match(String(await socket.next(OP.text)), /bad_frame/);
          await assertAlive(socket);
        }),
    ],
    // "The minimal number of bytes MUST be used": a receiver may be lenient, or fail; nothing else.
    ...(
      [
        [60, 16],
        [60, 64],
        [1000, 64],
      ] as const
    ).map(
      ([length, lengthBits]) =>
        [
          `${length} bytes, their length written in ${lengthBits} bits`,
          () =>
            onSocket(async (socket) => {
              socket.write(frameBytes(pingText('w', length), { lengthBits }));
              const outcome = await Promise.race([socket.next(OP.text, acks('w')).then(() => 'taken'), socket.ended]);
              assert.ok(outcome === 'taken' || (outcome as Ending).code === 1002);
            }),
        ] as const,
    ),
    ...[65_535n, 65_536n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 62n, 2n ** 63n - 1n].map(
      (length) =>
        [
          `10.4 a frame that says it has ${length} bytes, and has none`,
          () =>
            onSocket(async (socket) => {
              socket.write(frameBytes('', { length }));
              assert.equal((await socket.ended).code, 1009);
            }),
        ] as const,
    ),
    ...[2n ** 63n, 2n ** 64n - 1n].map(
      (length) =>
        [
          `the most significant bit of the length: ${length}`,
          () =>
            onSocket(async (socket) => {
              socket.write(frameBytes('', { length }));
              assert.ok([1002, 1009].includes((await socket.ended).code));
            }),
        ] as const,
    ),
    [
      'a frame that ends before its length, and the connection with it',
      () =>
        onSocket(async (socket) => {
          socket.write(frameBytes('{', { length: 100n, lengthBits: 7 }));
          socket.socket.end();
          await socket.ended;
        }),
    ],
    [
      'a header byte by byte',
      () =>
        onSocket(async (socket) => {
          await socket.trickle(frameBytes(pingText('slow', 200)));
          await socket.next(OP.text, acks('slow'));
        }),
    ],
    [
      'many frames in one packet',
      () =>
        onSocket(async (socket) => {
          socket.write(...Array.from({ length: 100 }, (_, index) => frameBytes(pingText(`b${index}`))));
          for (let index = 0; index < 100; index += 1) await socket.next(OP.text, acks(`b${index}`));
        }),
    ],
    [
      'frames cut at every place',
      () =>
        onSocket(async (socket) => {
          const bytes = Buffer.concat([
            frameBytes(pingText('c1')),
            frameBytes('x', { opcode: OP.ping }),
            frameBytes(pingText('c2')),
          ]);
          for (let at = 0; at < bytes.length; ) {
            const size = 1 + Math.floor(draw() * 9);
            await new Promise<void>((resolve) => socket.socket.write(bytes.subarray(at, at + size), () => resolve()));
            at += size;
          }
          await socket.next(OP.text, acks('c2'));
        }),
    ],
  ]);

  const echoed = (payload: string) =>
    onSocket(async (socket) => {
      socket.write(frameBytes(payload, { opcode: OP.ping }));
      assert.equal(String(await socket.next(OP.pong)), payload);
      await assertAlive(socket);
    });

  const text = Buffer.from(pingText('f'));
  section('5.4 fragmentation', [
    ...[1, 2, 7, 20, text.length].map(
      (size) => [`fragments of ${size} bytes`, () => taken(fragments(pieces(text, size)), 'f')] as const,
    ),
    [
      'fragments that are empty',
      () => taken(fragments([Buffer.alloc(0), text, Buffer.alloc(0), Buffer.alloc(0)]), 'f'),
    ],
    ['fragments cut where they are drawn', () => taken(fragments(drawnPieces(text)), 'f')],
    [
      'fragments byte by byte',
      () =>
        onSocket(async (socket) => {
          await socket.trickle(Buffer.concat(fragments(pieces(text, 5))));
          await socket.next(OP.text, acks('f'));
        }),
    ],
    ['1024 fragments', () => taken(fragments(pieces(Buffer.from(pingText('f', 1024)), 1)), 'f')],
    ['P-2.5 1025 fragments', () => fails(fragments(pieces(Buffer.from(pingText('f', 1025)), 1)), 1008)],
    [
      'P-2.5 fragments without end, and empty',
      () =>
        fails(
          [
            frameBytes('', { fin: false }),
            ...Array.from({ length: 1100 }, () => frameBytes('', { fin: false, opcode: OP.continuation })),
          ],
          1008,
        ),
    ],
    ['a continuation of nothing', () => fails([frameBytes(text, { opcode: OP.continuation })], 1002)],
    [
      'a continuation of nothing, not final',
      () => fails([frameBytes(text, { opcode: OP.continuation, fin: false })], 1002),
    ],
    [
      'a continuation behind a whole message',
      () =>
        onSocket(async (socket) => {
          socket.write(frameBytes(pingText('w')), frameBytes(text, { opcode: OP.continuation }));
          assert.equal((await socket.ended).code, 1002);
          assert.equal(socket.frames.items.filter(({ opcode }) => opcode === OP.text).length, 2);
        }),
    ],
    ...[OP.text, OP.binary].flatMap((opcode) =>
      [true, false].map(
        (fin) =>
          [
            `a new message (opcode ${opcode}, ${fin ? 'final' : 'not final'}) before the end of the first`,
            () => fails([frameBytes('{', { fin: false }), frameBytes(text, { opcode, fin })], 1002),
          ] as const,
      ),
    ),
    [
      'two messages in fragments, one after the other',
      () =>
        onSocket(async (socket) => {
          socket.write(
            ...fragments(pieces(Buffer.from(pingText('one')), 9)),
            ...fragments(pieces(Buffer.from(pingText('two')), 4)),
          );
          await socket.next(OP.text, acks('one'));
          await socket.next(OP.text, acks('two'));
        }),
    ],
    [
      'pings between fragments are answered before the message',
      () =>
        onSocket(async (socket) => {
          const [first = text, ...rest] = fragments(pieces(text, 8));
          socket.write(first, ...rest.flatMap((part, index) => [frameBytes(`p${index}`, { opcode: OP.ping }), part]));
          await socket.next(OP.text, acks('f'));
          const opcodes = socket.frames.items.map(({ opcode }) => opcode);
          assert.deepEqual(opcodes, [...rest.map(() => OP.pong), OP.text, OP.text]);
        }),
    ],
    [
      'a ping between fragments is answered though the message never ends',
      () =>
        onSocket(async (socket) => {
          socket.write(frameBytes('{', { fin: false }), frameBytes('now', { opcode: OP.ping }));
          assert.equal(String(await socket.next(OP.pong)), 'now');
        }),
    ],
    [
      'a close between fragments ends it, and the message is nobody’s',
      () =>
        onSocket(async (socket) => {
          const [first = text, ...rest] = fragments(pieces(text, 8));
          socket.write(first, frameBytes(closePayload(1000), { opcode: OP.close }), ...rest);
          assert.equal((await socket.ended).code, 1000);
          assert.equal(
            socket.frames.items.some(({ opcode }) => opcode === OP.text),
            false,
          );
        }),
    ],
    ['5.6 binary, in one frame', () => fails([frameBytes(text, { opcode: OP.binary })], 1003)],
    ['5.6 binary, in fragments', () => fails(fragments(pieces(text, 8), OP.binary), 1003)],
    ['5.6 binary, empty', () => fails([frameBytes('', { opcode: OP.binary })], 1003)],
  ]);

  function drawnPieces(bytes: Buffer): Buffer[] {
    const cuts = Array.from({ length: 6 }, () => Math.floor(draw() * bytes.length)).sort((one, other) => one - other);
    return [0, ...cuts].map((cut, index) => bytes.subarray(cut, cuts[index] ?? bytes.length));
  }

  section('5.5 control frames', [
    ...[OP.close, OP.ping, OP.pong].flatMap((opcode) => [
      [
        `opcode ${opcode} in fragments`,
        () => fails([frameBytes('', { opcode, fin: false }), frameBytes('', { opcode: OP.continuation })], 1002),
      ] as const,
      [`opcode ${opcode} of 126 bytes`, () => fails([frameBytes(Buffer.alloc(126, 'a'), { opcode })], 1002)] as const,
      [
        `opcode ${opcode} of 125 bytes in 16 bits`,
        () => fails([frameBytes(Buffer.alloc(125, 'a'), { opcode, lengthBits: 16 })], 1002),
      ] as const,
      [
        `opcode ${opcode} of 65536 bytes`,
        () => fails([frameBytes(Buffer.alloc(65_536, 'a'), { opcode })], 1002),
      ] as const,
    ]),
    [
      '5.5.2 a ping’s bytes come back as they were, whatever they are',
      () =>
        onSocket(async (socket) => {
          const payload = Buffer.from('00ff80c0fe7f', 'hex');
          socket.write(frameBytes(payload, { opcode: OP.ping }));
          assert.deepEqual(await socket.next(OP.pong), payload);
        }),
    ],
    [
      '5.5.2 ten pings are answered by ten pongs, in order',
      () =>
        onSocket(async (socket) => {
          socket.write(...Array.from({ length: 10 }, (_, index) => frameBytes(`${index}`, { opcode: OP.ping })));
          const pongs = await socket.frames.first(10, ({ opcode }) => opcode === OP.pong);
          assert.deepEqual(pongs.map(({ payload }) => payload.toString()).join(''), '0123456789');
        }),
    ],
    [
      '5.5.2 a ping byte by byte',
      () =>
        onSocket(async (socket) => {
          await socket.trickle(frameBytes('slowly', { opcode: OP.ping }));
          assert.equal(String(await socket.next(OP.pong)), 'slowly');
        }),
    ],
    ...['', 'nobody asked', 'x'.repeat(125)].map(
      (payload) =>
        [
          `5.5.3 a pong that nobody asked for, of ${payload.length} bytes`,
          () =>
            onSocket(async (socket) => {
              socket.write(frameBytes(payload, { opcode: OP.pong }));
              await assertAlive(socket);
              assert.equal(
                socket.frames.items.some(({ opcode }) => opcode === OP.pong),
                false,
              );
            }),
        ] as const,
    ),
  ]);

  /** Sends a close frame, and answers how the socket ended. */
  const closedBy = (payload: Buffer) =>
    onSocket(async (socket) => {
      socket.write(frameBytes(payload, { opcode: OP.close }));
      const { code } = await socket.ended;
      assert.equal(socket.frames.items.filter(({ opcode }) => opcode === OP.close).length, 1);
      return code;
    });

  section('5.5.1 and 7.4 closing', [
    [
      'a close without a code is answered by one',
      async () => assert.ok([1000, 1005].includes(await closedBy(Buffer.alloc(0)))),
    ],
    ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999].map(
      (code) =>
        [
          `7.4.1 code ${code} is answered by itself`,
          async () => assert.equal(await closedBy(closePayload(code)), code),
        ] as const,
    ),
    ...[0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map(
      (code) =>
        [
          `7.4.2 code ${code} may not be sent`,
          async () => assert.equal(await closedBy(closePayload(code)), 1002),
        ] as const,
    ),
    ['a payload of one byte', async () => assert.equal(await closedBy(Buffer.from([3])), 1002)],
    ['a reason of 123 bytes', async () => assert.equal(await closedBy(closePayload(1000, 'r'.repeat(123))), 1000)],
    ['a reason of 124 bytes', async () => assert.equal(await closedBy(closePayload(1000, 'r'.repeat(124))), 1002)],
    ['a reason in UTF-8', async () => assert.equal(await closedBy(closePayload(1000, 'Κάτι 🚗')), 1000)],
    ...['80', 'ff', 'c3', 'eda080', 'c080', 'f4908080'].map(
      (hex) =>
        [
          `8.1 a reason of ${hex}`,
          async () => assert.equal(await closedBy(closePayload(1000, Buffer.from(hex, 'hex'))), 1007),
        ] as const,
    ),
    [
      'what comes behind a close is nobody’s',
      () =>
        onSocket(async (socket) => {
          socket.write(
            frameBytes(closePayload(1000), { opcode: OP.close }),
            frameBytes(pingText('late')),
            frameBytes('late', { opcode: OP.ping }),
          );
          assert.equal((await socket.ended).code, 1000);
          assert.deepEqual(
            socket.frames.items.map(({ opcode }) => opcode),
            [OP.close],
          );
        }),
    ],
    [
      'two closes are answered by one',
      () =>
        onSocket(async (socket) => {
          socket.write(
            frameBytes(closePayload(1000), { opcode: OP.close }),
            frameBytes(closePayload(1001), { opcode: OP.close }),
          );
          assert.equal((await socket.ended).code, 1000);
        }),
    ],
    [
      '7.1.1 the server hangs up first, once both have said so',
      () =>
        onSocket(async (socket) => {
          socket.write(frameBytes(closePayload(1000), { opcode: OP.close }));
          await socket.ended;
        }),
    ],
    [
      '7.1.5 a close of the server’s has a code and a short reason',
      () =>
        onSocket(async (socket) => {
          socket.write(frameBytes('x', { opcode: OP.binary }));
          const { code, reason } = await socket.ended;
          assert.equal(code, 1003);
          assert.ok(Buffer.byteLength(reason) <= 123);
        }),
    ],
    [
      '7.1.7 a socket that does not answer a close is cut',
      () =>
        onSocket(async (socket) => {
          socket.write(frameBytes('x', { opcode: OP.binary }));
          await socket.next(OP.close);
          await socket.ended;
        }),
    ],
    [
      'a hang-up without a word',
      () =>
        onSocket(async (socket) => {
          socket.destroy();
          await socket.ended;
        }),
    ],
  ]);

  /** Sends a chat message whose text is these bytes, in the fragments that they make, and answers what an admin got. */
  async function heard(groupId: string, parts: readonly Buffer[]): Promise<string> {
    return onSocket(async (socket) => {
      const join = { channel: 'client_join', payload: { type: 'CLIENT_JOIN', dealerId: DEALER, groupId } };
      const [head, tail] = ['{"channel":"customer_message","payload":{"type":"UPDATE_MSG","message":"', '"}}'];
      socket.write(frameBytes(JSON.stringify(join)));
      socket.write(...fragments([Buffer.from(head), ...parts, Buffer.from(tail)]));
      const frame = await admin.next(({ scope, channel }) => scope === groupId && channel === 'CHAT_MESSAGE');
      return frame.payload.message;
    });
  }

  /** A frame that would be an envelope, but for these bytes. */
  const around = (hex: string) => [
    Buffer.from('{"channel":"ping","payload":{"x":"'),
    Buffer.from(hex, 'hex'),
    Buffer.from('"}}'),
  ];
  const whole = (hex: string) => [frameBytes(Buffer.concat(around(hex)))];
  const byBytes = (hex: string) =>
    fragments(around(hex).flatMap((part, index) => (index === 1 ? pieces(part, 1) : [part])));

  section('8.1 UTF-8', [
    ...[
      'κόσμε',
      '\u007f\u0080\u07ff\u0800\ud7ff\ue000\ufffd\ufffe\uffff',
      '\u{10000}\u{fffff}\u{10ffff}',
      '\ufeffmark',
      '🚗👩‍👩‍👧',
      '\u2028\u2029',
    ].flatMap((message, index) => {
      const bytes = Buffer.from(message);
      return [
        [`valid ${index}, whole`, async () => assert.equal(await heard(`u${index}`, [bytes]), message)] as const,
        [
          `valid ${index}, cut within its characters`,
          async () => assert.equal(await heard(`v${index}`, pieces(bytes, 1)), message),
        ] as const,
      ];
    }),
    ...INVALID_UTF8.flatMap(([what, hex]) => [
      [`${what} (${hex}), whole`, () => fails(whole(hex), 1007)] as const,
      [`${what} (${hex}), byte by byte`, () => fails(byBytes(hex), 1007)] as const,
    ]),
    ['a character that its message does not end', () => fails([frameBytes(Buffer.from('7b7dc3', 'hex'))], 1007)],
    [
      'a character that its last fragment does not end',
      () => fails(fragments([Buffer.from('7b', 'hex'), Buffer.from('e282', 'hex')]), 1007),
    ],
  ]);

  section('10.4 limits', [
    ['a message of MAX_FRAME_BYTES', () => taken([frameBytes(pingText('l', MAX))], 'l')],
    ['one byte more', () => fails([frameBytes(pingText('l', MAX + 1))], 1009)],
    [
      'a message of MAX_FRAME_BYTES in fragments',
      () => taken(fragments(pieces(Buffer.from(pingText('l', MAX)), 1000)), 'l'),
    ],
    ['one byte more in fragments', () => fails(fragments(pieces(Buffer.from(pingText('l', MAX + 1)), 1000)), 1009)],
    [
      'fragments that say how long they will be, before they are',
      () =>
        onSocket(async (socket) => {
          socket.write(
            frameBytes(Buffer.alloc(MAX, ' '), { fin: false }),
            frameBytes('', { opcode: OP.continuation, length: 1n, lengthBits: 7 }),
          );
          assert.equal((await socket.ended).code, 1009);
        }),
    ],
    [
      'a mebibyte in one frame',
      () =>
        onSocket(async (socket) => {
          socket.write(frameBytes(Buffer.alloc(1_048_576, ' ')));
          const { code } = await socket.ended;
          assert.ok([1009, 1006].includes(code), String(code)); // a reset may overtake the close
        }),
    ],
    [
      'the socket beside goes on',
      () =>
        onSocket(async (socket) => {
          await assertAlive(socket);
          assert.equal(String(await socket.next(OP.text)), PONG);
        }),
    ],
  ]);
});
