/** [P-2.5] The most characters of a message. */
export const MAX_LENGTH = 4000;

/** In code points, as the server counts. */
export const lengthOf = (text: string): number => (text.length <= MAX_LENGTH ? text.length : [...text].length);
