/** What is measured: one table of shapes, each with the contests that it is made of. */

import { makeDatabase, startPostgres } from '../support/postgres.ts';
import { startRedis } from '../support/redis.ts';
import { dealersOf, idling, loaded, type Measurement, paced, storming } from './measures.ts';
import type { Metric } from './metrics.ts';
import { PEER_NAMES, PEERS, type Peer, type PeerName } from './peers.ts';
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
  readonly contestants: Readonly<Record<string, () => Measurement>>;
  readonly targets?: readonly Target[];
}

export interface Shape {
  readonly what: string;
  contests(sizes: Sizes): readonly Contest[];
}

const among = (names: readonly PeerName[], measure: (peer: Peer) => Measurement) =>
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
          target('socketio', 'at least', 1, 'perCpu', 'telle-socketio'),
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
        targets: [target('socketio', 'at least', 2.5), target('socketio', 'at least', 1, 'perCpu', 'telle-socketio')],
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
        contestants: among(['telle', 'telle-socketio', 'bare', 'socketio'], (peer) => idling(peer, idle)),
        targets: [
          target('socketio', 'at most', 0.6, 'bytes'),
          target('socketio', 'at least', 1.5, 'joins'),
          target('socketio', 'at most', 1, 'bytes', 'telle-socketio'),
        ],
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
        loaded(PEERS.telle, dealersOf(sizes), { from: 'customer', inFlight: 1 }, sizes, { options: { prefill } });
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

const SAME_RATE = 'telle, at socketio’s rate';

function pacing(sizes: Sizes): Contest[] {
  let most = 0;
  const onMost = (perSecond: number) => {
    most = perSecond;
  };
  const contestants = {
    socketio: () => paced(PEERS.socketio, sizes, { onMost }),
    telle: () => paced(PEERS.telle, sizes),
    [SAME_RATE]: () => paced(PEERS.telle, sizes, { rate: () => most / 2 }),
    bare: () => paced(PEERS.bare, sizes),
  };
  const targets = (['ackP99', 'deliveryP99'] as const).map((metric) =>
    target('socketio', 'at most', 0.7, metric, SAME_RATE),
  );
  return [
    { title: `${sizes.dealers} dealers × 5 groups, at half of the most`, compared: 'ackP99', contestants, targets },
  ];
}

/** What a node is held to where the cores of a machine do not suffice for two of them and all that they work with. */
const HELD = 1 / 3;

function gathering(sizes: Sizes): Contest[] {
  const on = (nodes: number, measure: (options: Partial<TelleOptions>) => Measurement) =>
    async function* (): Measurement {
      const [server, broker] = await Promise.all([startPostgres(), startRedis()]);
      try {
        const postgres = await makeDatabase(server.url);
        const cluster = { postgres, nodes, ...(nodes > 1 && { redis: broker.url }) };
        return yield* measure({ cluster });
      } finally {
        await Promise.all([server.stop(), broker.stop()]);
      }
    };
  const free = (options: Partial<TelleOptions>) => paced(PEERS.telle, sizes, { options });
  const held = (options: Partial<TelleOptions>) =>
    loaded(PEERS.telle, dealersOf(sizes), { from: 'customer', inFlight: 1 }, sizes, { options, share: HELD });
  return [
    {
      title: `${sizes.dealers} dealers × 5 groups on Postgres`,
      compared: 'perSecond',
      contestants: { 'two nodes': on(2, free), 'one node': on(1, free) },
      targets: (['perNode', 'perSecond'] as const).map((metric) =>
        target('one node', 'at least', 1.5, metric, 'two nodes'),
      ),
    },
    {
      title: 'The same, each node held to a third of a core, and measured three times as long',
      compared: 'perSecond',
      contestants: { 'two held nodes': on(2, held), 'one held node': on(1, held) },
      targets: [target('one held node', 'at least', 1.5, 'perSecond', 'two held nodes')],
    },
  ];
}
