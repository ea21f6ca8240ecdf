/** What each part of the fuzzing is given, and what it does. */
import type { Dice } from '../support/chance.ts';
import type { Target } from '../support/target.ts';

export interface Field {
  readonly target: Target;
  /** The target's Redis, and the prefix of its names there. */
  readonly redis: string;
  readonly prefix: string;
}

/** Hands in so many inputs, by chance. @returns what got through, one sentence each */
export type Fuzz = (field: Field, dice: Dice, inputs: number) => Promise<string[]>;
