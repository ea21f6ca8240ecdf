/** How a shape is measured: a server of a peer, a crew that joins it, and what the two are made to do. */
import { cpuOf, residentOf } from './cpu.ts';
import type { Figures } from './metrics.ts';
import type { Crew, Load, Loaded, Paced } from './orders.ts';
import { PEERS, type Peer } from './peers.ts';
import type { Started } from './processes.ts';
import { Generator, hold } from './processes.ts';
import type { Sizes } from './sizes.ts';
import { quantiles } from './statistics.ts';
import type { TelleOptions } from './telle.ts';

/** A measurement that others take turns with: it yields after each of its own but the last, and ends with its figures. */
export type Measurement = AsyncGenerator<void, Figures>;

type Scene = Started & { readonly generator: Generator; readonly opened: { sockets: number; seconds: number } };

/** A server of a peer, with a crew that has joined it; both are gone at the end. */
async function* staged(
  peer: Peer,
  crew: Omit<Crew, 'ports'>,
  act: (scene: Scene) => Measurement,
  {
    options = {},
    before = async () => {},
  }: { options?: Partial<TelleOptions>; before?: (started: Started) => Promise<void> } = {},
): Measurement {
  const generator = new Generator();
  const started = await peer.start({ dealers: crew.dealers, ...options });
  try {
    await before(started);
    const ports = started.servers.map(({ port }) => port);
    const opened = await generator.ask({ do: 'open', dialect: peer.dialect, ports, ...crew });
    return yield* act({ ...started, generator, opened });
  } finally {
    await generator.stop();
    await started.stop();
  }
}

/** What nobody takes turns with. */
const inOneTurn = (act: (scene: Scene) => Promise<Figures>) =>
  // biome-ignore lint/correctness/useYield: it has one turn
  async function* (scene: Scene): Measurement {
    return await act(scene);
  };

/** @param nodes how many servers there are, where they are nodes of a platform */
function loadFigures(loads: readonly Loaded[], nodes?: number): Figures {
  const sum = (of: (load: Loaded) => number) => loads.reduce((before, load) => before + of(load), 0);
  const messages = sum((load) => load.messages);
  const seconds = sum((load) => load.seconds);
  const serverCpu = sum((load) => load.serverCpu);
  return {
    perCpu: messages / serverCpu,
    ...(nodes !== undefined && { perNode: (nodes * messages) / serverCpu }),
    perSecond: messages / seconds,
    cpuShare: serverCpu / seconds,
    generator: sum((load) => load.ownShare * load.seconds) / seconds,
  };
}

const pidsOf = ({ servers }: Started): number[] => servers.map(({ pid }) => pid);

interface Circumstances {
  readonly options?: Partial<TelleOptions>;
  /** The share of a core that each server is {@link hold held} to, if it is: it has all the longer, so that it does as much. */
  readonly share?: number;
}

/** A turn's window, in seconds: a machine that is shared is as quick for one peer as for the next. */
export const TURN = 1;
/** What goes before a turn that is not the first, in seconds. */
export const RESUMED = 0.2;

/** Does the same in turns of a second. */
async function* inTurns<Told>(
  { warmup, window }: Pick<Sizes, 'warmup' | 'window'>,
  act: (times: Pick<Sizes, 'warmup' | 'window'>) => Promise<Told>,
): AsyncGenerator<void, Told[]> {
  const turns = Math.max(1, Math.floor(window / TURN));
  const told: Told[] = [];
  for (;;) {
    told.push(await act({ warmup: told.length === 0 ? warmup : RESUMED, window: window / turns }));
    if (told.length === turns) return told;
    yield;
  }
}

/** The messages that a peer takes at its most. */
export function loaded(
  peer: Peer,
  crew: Omit<Crew, 'ports'>,
  load: Pick<Load, 'from' | 'inFlight'>,
  sizes: Sizes,
  { options = {}, share = 1 }: Circumstances = {},
): Measurement {
  async function* act(scene: Scene): Measurement {
    const pids = pidsOf(scene);
    const loads = yield* inTurns(sizes, async ({ warmup, window }) => {
      const release = share < 1 ? hold(pids, share) : () => {};
      const times = { warmup: warmup / share, window: window / share };
      return scene.generator.ask({ do: 'load', ...load, ...times, pids }).finally(release);
    });
    return loadFigures(loads, options.cluster?.nodes);
  }
  return staged(peer, crew, act, { options });
}

export const dealersOf = ({ dealers }: Pick<Sizes, 'dealers'>) => ({ dealers, groups: 5, admins: true });

export function idling(peer: Peer, sockets: number): Measurement {
  let [bytes, cpu] = [0, 0];
  const collected = async ({ servers: [server] }: Started) => {
    await server?.collect();
    return server ? { bytes: residentOf(server.pid), cpu: cpuOf(server.pid) } : { bytes: 0, cpu: 0 };
  };
  const before = async (started: Started) => {
    ({ bytes, cpu } = await collected(started));
  };
  const act = inOneTurn(async (scene) => {
    const after = await collected(scene);
    const { sockets: joined, seconds } = scene.opened;
    return { bytes: (after.bytes - bytes) / joined, joins: joined / seconds, joinsPerCpu: joined / (after.cpu - cpu) };
  });
  return staged(peer, { dealers: sockets / 10, groups: 10, admins: false }, act, { before });
}

const MISSED = 20;

export function storming(sockets: number): Measurement {
  const act = inOneTurn(async ({ servers: [server], generator }) => {
    await generator.ask({ do: 'fill', each: MISSED });
    await server?.watch();
    const { seconds } = await generator.ask({ do: 'storm', missed: MISSED });
    const delay = await server?.delay();
    return { recovered: seconds, ...(delay && { delayP99: delay.p99, delayMax: delay.max }) };
  });
  return staged(PEERS.telle, { dealers: sockets / 5, groups: 5, admins: false }, act);
}

function paceFigures(paces: readonly Paced[]): Figures {
  const ack = quantiles(paces.flatMap((pace) => pace.acks));
  const delivery = quantiles(paces.flatMap((pace) => pace.deliveries));
  const across = quantiles(paces.flatMap((pace) => pace.across));
  const mean = (of: (pace: Paced) => number) => paces.reduce((sum, pace) => sum + of(pace), 0) / paces.length;
  return {
    rate: mean((pace) => pace.perSecond),
    ackP50: ack.p50,
    ackP99: ack.p99,
    ackP999: ack.p999,
    deliveryP50: delivery.p50,
    deliveryP99: delivery.p99,
    deliveryP999: delivery.p999,
    ...(across.p99 > 0 && { acrossP99: across.p99 }),
    generator: mean((pace) => pace.ownShare),
  };
}

interface Pacing {
  /** How many are sent in a second, where that is not half of what the peer itself is found to take. */
  readonly rate?: () => number;
  /** Told how many a second the peer takes at its most. */
  readonly onMost?: (perSecond: number) => void;
  readonly options?: Partial<TelleOptions>;
}

/** What the dealers shape takes at its most, and its latencies at half of that, or at the rate that is given. */
export function paced(peer: Peer, sizes: Sizes, { rate, onMost = () => {}, options = {} }: Pacing = {}): Measurement {
  async function* act(scene: Scene): Measurement {
    const load = { do: 'load', from: 'customer', inFlight: 1, pids: pidsOf(scene) } as const;
    const loads = yield* inTurns(sizes, (times) => scene.generator.ask({ ...load, ...times }));
    const most = loadFigures(loads, options.cluster?.nodes);
    onMost(most.perSecond ?? 0);
    yield; // until everybody's most is known
    const perSecond = rate?.() ?? (most.perSecond ?? 0) / 2;
    const times = { warmup: RESUMED, window: sizes.paced };
    const paces = yield* inTurns(times, (turn) => scene.generator.ask({ do: 'pace', perSecond, ...turn }));
    const told = paceFigures(paces);
    const generator = Math.max(told.generator ?? 0, most.generator ?? 0);
    return { ...(options.cluster && most), ...told, generator };
  }
  return staged(peer, dealersOf(sizes), act, { options });
}
