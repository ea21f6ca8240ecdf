/** How much is measured: in full, or just enough to see that everything works. */
export interface Sizes {
  readonly rounds: number;
  /** Seconds. */
  readonly warmup: number;
  readonly window: number;
  /** Seconds that latencies are taken for: a disk's pause of a hundredth of them is their p99. */
  readonly paced: number;
  readonly dealers: number;
  readonly crowds: readonly number[];
  /** How many messages are under way to a crowd. */
  readonly crowdInFlight: readonly number[];
  readonly idle: number;
  readonly storm: number;
  /** Events that a database already holds. */
  readonly growth: readonly number[];
}

export const FULL: Sizes = {
  rounds: 3,
  warmup: 5,
  window: 5,
  paced: 20,
  dealers: 1000,
  crowds: [100, 1000, 5000],
  crowdInFlight: [1, 16],
  idle: 10_000,
  storm: 5000,
  growth: [0, 1_000_000, 10_000_000],
};

export const QUICK: Sizes = {
  rounds: 1,
  warmup: 0.2,
  window: 0.5,
  paced: 0.5,
  dealers: 20,
  crowds: [100],
  crowdInFlight: [16],
  idle: 2000,
  storm: 100,
  growth: [0, 100_000],
};
