/** Warning: something is not as it should be, and hinders nothing yet. */
export interface Warning {
  readonly found: string;
  /** Remedy. */
  readonly advice: string;
}

export type Warn = (warning: Warning) => void;

export const sentenceOf = ({ found, advice }: Warning): string => `${found}: ${advice}`;

/** Warns whoever typed the command. */
export const warnOnStderr: Warn = (warning) => {
  process.stderr.write(`telle: warning: ${sentenceOf(warning)}\n`);
};
