/** What is measured: one table of shapes, each with the contests that it is made of. */
import { cpuOf, residentOf } from './cpu.ts';
import type { Crew, Load, Loaded } from './orders.ts';
import { PEER_NAMES, PEERS, type Peer, type PeerName, type Started } from './peers.ts';
import { Generator } from './processes.ts';
import type { Sizes } from './sizes.ts';
import type { TelleOptions } from './telle.ts';

/** What is told of a measurement. */
export const METRICS = {
  perCpu: { title: 'messages a CPU second', digits: 0 },
  perSecond: { title: 'messages a second', digits: 0 },
  cpuShare: { title: 'server CPU', digits: 2 },
  bytes: { title: 'bytes a socket', digits: 0 },
  joins: { title: 'joins a second', digits: 0 },
  joinsPerCpu: { title: 'joins a CPU second', digits: 0 },
  recovered: { title: 's until all have all', digits: 2 },
  delayP99: { title: 'loop delay p99, ms', digits: 1 },
  delayMax: { title: 'loop delay max, ms', digits: 1 },
  rate: { title: 'sent a second', digits: 0 },
  ackP50: { title: 'ack p50, ms', digits: 2 },
  ackP99: { title: 'ack p99, ms', digits: 2 },
  ackP999: { title: 'ack p99.9, ms', digits: 2 },
  deliveryP50: { title: 'delivery p50, ms', digits: 2 },
  deliveryP99: { title: 'delivery p99, ms', digits: 2 },
  deliveryP999: { title: 'delivery p99.9, ms', digits: 2 },
  acrossP99: { title: 'p99 across nodes, ms', digits: 2 },
  generator: { title: 'generator CPU', digits: 2 },
} as const;
export type Metric = keyof typeof METRICS;
export type Figures = Partial<Record<Metric, number>>;

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
  const started = await peer.start({ dealers: crew.dealers, ...options });
  const generator = new Generator();
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
        [1, 16].map((inFlight) => ({
          title: `${chatbots} chatbots, ${inFlight === 1 ? 'one at a time' : 'sixteen at once'}`,
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
        contestants: among(['telle', 'bare', 'socketio'], (peer) => idling(peer, idle)),
        targets: [target('socketio', 'at most', 0.6, 'bytes'), target('socketio', 'at least', 1.5, 'joins')],
      },
    ],
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
