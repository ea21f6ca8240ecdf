/** What is measured: one table of shapes, each with the contests that it is made of. */

import { makeDatabase, startPostgres } from '../support/postgres.ts';
import { startRedis } from '../support/redis.ts';
import { cpuOf, residentOf } from './cpu.ts';
import type { Figures, Metric } from './metrics.ts';
import type { Crew, Load, Loaded } from './orders.ts';
import { PEER_NAMES, PEERS, type Peer, type PeerName, type Started } from './peers.ts';
import { Generator } from './processes.ts';
import type { Sizes } from './sizes.ts';
import type { TelleOptions } from './telle.ts';

/** What Telle must reach: a ratio of one contestant's metric to another's. */
export interface Target {
  readonly metric: Metric;
  readonly of: string;
  readonly to: string;
  readonly bound: 'at least' | 'at most';
  readonly ratio: number;
}

/** Several who do the same work, in turns. */
export interface Contest {
  readonly title: string;
  /** What the last column compares. */
  readonly compared: Metric;
  readonly contestants: Readonly<Record<string, () => Promise<Figures>>>;
  readonly targets?: readonly Target[];
}

export interface Shape {
  readonly what: string;
  contests(sizes: Sizes): readonly Contest[];
}

type Scene = Started & { readonly generator: Generator; readonly opened: { sockets: number; seconds: number } };

/** A server of a peer, with a crew that has joined it; both are gone at the end. */
async function staged<T>(
  peer: Peer,
  crew: Omit<Crew, 'ports'>,
  act: (scene: Scene) => Promise<T>,
  {
    options = {},
    before = async () => {},
  }: { options?: Partial<TelleOptions>; before?: (started: Started) => Promise<void> } = {},
): Promise<T> {
  const generator = new Generator();
  const started = await peer.start({ dealers: crew.dealers, ...options });
  try {
    await before(started);
    const ports = started.servers.map(({ port }) => port);
    const opened = await generator.ask({ do: 'open', dialect: peer.dialect, ports, ...crew });
    return await act({ ...started, generator, opened });
  } finally {
    await generator.stop();
    await started.stop();
  }
}

const loadFigures = ({ messages, seconds, serverCpu, ownShare }: Loaded): Figures => ({
  perCpu: messages / serverCpu,
  perSecond: messages / seconds,
  cpuShare: serverCpu / seconds,
  generator: ownShare,
});

const pidsOf = ({ servers }: Started): number[] => servers.map(({ pid }) => pid);

function loaded(
  peer: Peer,
  crew: Omit<Crew, 'ports'>,
  load: Pick<Load, 'from' | 'inFlight'>,
  { warmup, window }: Sizes,
  options: Partial<TelleOptions> = {},
): Promise<Figures> {
  return staged(
    peer,
    crew,
    async (scene) =>
      loadFigures(await scene.generator.ask({ do: 'load', ...load, warmup, window, pids: pidsOf(scene) })),
    { options },
  );
}

const among = (names: readonly PeerName[], measure: (peer: Peer) => Promise<Figures>) =>
  Object.fromEntries(names.map((name) => [name, () => measure(PEERS[name])]));

const target = (
  to: string,
  bound: Target['bound'],
  ratio: number,
  metric: Metric = 'perCpu',
  of = 'telle',
): Target => ({
  metric,
  of,
  to,
  bound,
  ratio,
});

const dealersOf = ({ dealers }: Pick<Sizes, 'dealers'>) => ({ dealers, groups: 5, admins: true });

export const SHAPES = {
  dealers: {
    what: 'Dealers with five groups each, one customer in each and one admin a dealer; each customer has one message in flight, which is acked to it and delivered to the admin.',
    contests: (sizes) => [
      {
        title: `${sizes.dealers} dealers × 5 groups`,
        compared: 'perCpu',
        contestants: among(PEER_NAMES, (peer) =>
          loaded(peer, dealersOf(sizes), { from: 'customer', inFlight: 1 }, sizes),
        ),
        targets: [
          target('socketio', 'at least', 2),
          target('socketio-plain', 'at least', 3.5),
          target('bare', 'at least', 1),
        ],
      },
    ],
  },
  busy: {
    what: 'The same with ten dealers: fifty customers, sixteen messages in flight each.',
    contests: (sizes) => [
      {
        title: '10 dealers × 5 groups, sixteen at once',
        compared: 'perCpu',
        contestants: among(PEER_NAMES, (peer) =>
          loaded(peer, dealersOf({ dealers: 10 }), { from: 'customer', inFlight: 16 }, sizes),
        ),
        targets: [target('socketio', 'at least', 2.5)],
      },
    ],
  },
  crowd: {
    what: 'One admin’s `SYS_MSG` to all chatbots of the dealer. A message is done when the last of them has it.',
    contests: (sizes) =>
      sizes.crowds.flatMap((chatbots) =>
        sizes.crowdInFlight.map((inFlight) => ({
          title: `${chatbots} chatbots, ${inFlight === 1 ? 'one at a time' : 'sixteen at once'}`,
          compared: 'perCpu',
          contestants: among(PEER_NAMES, (peer) =>
            loaded(peer, { dealers: 1, groups: chatbots, admins: true }, { from: 'admin', inFlight }, sizes),
          ),
          targets: chatbots === 1000 && inFlight === 16 ? [target('socketio', 'at least', 6)] : [],
        })),
      ),
  },
  idle: {
    what: 'Customers who have joined and say nothing: memory is the growth of the resident set, after a collection before and after.',
    contests: ({ idle }) => [
      {
        title: `${idle} joined sockets`,
        compared: 'bytes',
        contestants: among(['telle', 'bare', 'socketio'], (peer) => idling(peer, idle)),
        targets: [target('socketio', 'at most', 0.6, 'bytes'), target('socketio', 'at least', 1.5, 'joins')],
      },
    ],
  },
  storm: {
    what: 'All sockets are cut at once, and rejoin with `since` twenty messages behind. The others cannot do it.',
    contests: ({ storm }) => [
      { title: `${storm} sockets`, compared: 'recovered', contestants: { telle: () => storming(storm) } },
    ],
  },
  latency: {
    what: 'The dealers shape at half of what each does at its most, sent at even times; and Telle at the rate that is half of Socket.IO’s most.',
    contests: pacing,
  },
  nodes: {
    what: 'Dealers and customers spread over two nodes with Redis and Postgres, half of the deliveries from one to the other; and one node with Postgres and no Redis.',
    contests: gathering,
  },
  growth: {
    what: 'The dealers shape on a database that already holds events.',
    contests: (sizes) => {
      const name = (events: number) => `${events.toLocaleString('en')} events`;
      const measure = (prefill: number) => () =>
        loaded(PEERS.telle, dealersOf(sizes), { from: 'customer', inFlight: 1 }, sizes, { prefill });
      const last = name(sizes.growth.at(-1) ?? 0);
      return [
        {
          title: 'A message’s cost as the log grows',
          compared: 'perCpu',
          contestants: Object.fromEntries(sizes.growth.map((events) => [name(events), measure(events)])),
          // The cost of a message is the inverse of messages a CPU second.
          targets: [target(last, 'at most', 1.3, 'perCpu', name(0))],
        },
      ];
    },
  },
} as const satisfies Record<string, Shape>;

async function idling(peer: Peer, sockets: number): Promise<Figures> {
  let [bytes, cpu] = [0, 0];
  const collected = async ({ servers: [server] }: Started) => {
    await server?.collect();
    return server ? { bytes: residentOf(server.pid), cpu: cpuOf(server.pid) } : { bytes: 0, cpu: 0 };
  };
  const before = async (started: Started) => {
    ({ bytes, cpu } = await collected(started));
  };
  const act = async (scene: Scene) => {
    const after = await collected(scene);
    const { sockets: joined, seconds } = scene.opened;
    return { bytes: (after.bytes - bytes) / joined, joins: joined / seconds, joinsPerCpu: joined / (after.cpu - cpu) };
  };
  return staged(peer, { dealers: sockets / 10, groups: 10, admins: false }, act, { before });
}

const MISSED = 20;

async function storming(sockets: number): Promise<Figures> {
  return staged(
    PEERS.telle,
    { dealers: sockets / 5, groups: 5, admins: false },
    async ({ servers: [server], generator }) => {
      await generator.ask({ do: 'fill', each: MISSED });
      await server?.watch();
      const { seconds } = await generator.ask({ do: 'storm', missed: MISSED });
      const delay = await server?.delay();
      return { recovered: seconds, ...(delay && { delayP99: delay.p99, delayMax: delay.max }) };
    },
  );
}

/** The latencies of the dealers shape at half of the rate that it is found to reach, or at the one that is given. */
async function paced(
  peer: Peer,
  sizes: Sizes,
  { rate, options = {} }: { rate?: number; options?: Partial<TelleOptions> } = {},
): Promise<Figures> {
  const { warmup, window } = sizes;
  const act = async (scene: Scene) => {
    const load = { do: 'load', from: 'customer', inFlight: 1, warmup, window, pids: pidsOf(scene) } as const;
    const most = loadFigures(await scene.generator.ask(load));
    const perSecond = rate ?? (most.perSecond ?? 0) / 2;
    const { ack, delivery, across, ...told } = await scene.generator.ask({ do: 'pace', perSecond, warmup, window });
    return {
      ...(options.cluster && most),
      rate: told.perSecond,
      ackP50: ack.p50,
      ackP99: ack.p99,
      ackP999: ack.p999,
      deliveryP50: delivery.p50,
      deliveryP99: delivery.p99,
      deliveryP999: delivery.p999,
      ...(scene.servers.length > 1 && { acrossP99: across.p99 }),
      generator: Math.max(told.ownShare, most.generator ?? 0),
    };
  };
  return staged(peer, dealersOf(sizes), act, { options });
}

const SAME_RATE = 'telle, at socketio’s rate';

function pacing(sizes: Sizes): Contest[] {
  let rate: number | undefined;
  const socketio = async () => {
    const figures = await paced(PEERS.socketio, sizes);
    rate = figures.rate;
    return figures;
  };
  const contestants = {
    socketio,
    telle: () => paced(PEERS.telle, sizes),
    [SAME_RATE]: async () => paced(PEERS.telle, sizes, { rate: rate ?? (await socketio()).rate ?? 0 }),
    bare: () => paced(PEERS.bare, sizes),
  };
  const targets = (['ackP99', 'deliveryP99'] as const).map((metric) =>
    target('socketio', 'at most', 0.7, metric, SAME_RATE),
  );
  return [
    { title: `${sizes.dealers} dealers × 5 groups, at half of the most`, compared: 'ackP99', contestants, targets },
  ];
}

function gathering(sizes: Sizes): Contest[] {
  const on = (nodes: number) => async () => {
    const [server, broker] = await Promise.all([startPostgres(), startRedis()]);
    try {
      const postgres = await makeDatabase(server.url);
      const cluster = { postgres, nodes, ...(nodes > 1 && { redis: broker.url }) };
      return await paced(PEERS.telle, sizes, { options: { cluster } });
    } finally {
      await Promise.all([server.stop(), broker.stop()]);
    }
  };
  return [
    {
      title: `${sizes.dealers} dealers × 5 groups on Postgres`,
      compared: 'perSecond',
      contestants: { 'two nodes': on(2), 'one node': on(1) },
      targets: [target('one node', 'at least', 1.5, 'perSecond', 'two nodes')],
    },
  ];
}
