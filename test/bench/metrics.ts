/** What is told of a measurement. */
export const METRICS = {
  perCpu: { title: 'messages a CPU second', digits: 0 },
  perNode: { title: 'messages a CPU second of each node', digits: 0 },
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
