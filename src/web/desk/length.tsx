import { text as say } from './texts.ts';

/** [P-2.5] Longest text, in characters. */
export const MAX_LENGTH = 4000;
/** From here on it is said how much room is left. */
const NEAR = 3500;

/** In code points, as the server counts. */
export const lengthOf = (text: string): number => (text.length < NEAR ? text.length : [...text].length);

export function LengthHint({ text }: { readonly text: string }) {
  const length = lengthOf(text);
  if (length < NEAR) return null;
  const isOver = length > MAX_LENGTH;
  return (
    <p class={isOver ? 'fault' : 'quiet'} role="status">
      {say(isOver ? 'too long' : 'room left', { count: Math.abs(MAX_LENGTH - length) })}
    </p>
  );
}
