/** Addresses and numbers by which somebody can be reached: what is missing of an address or a number. Nothing is refused that could be one anywhere. */

/** The shortest numbers that anybody has, as on Niue. */
const DIGITS = 4;
/** A number with letters on its end, as `13 CATS`. */
const LETTERED = /^\+?\d[\d\s().-]*[a-z]{3,}$/i;

/** Tells whether a number could be dialled: in any script's digits, with whatever is written between and behind them. */
export const isPhone = (text: string): boolean =>
  (text.match(/\p{Nd}/gu)?.length ?? 0) >= DIGITS || LETTERED.test(text.trim());

/** Tells whether mail could reach it: something on both sides of an `@`, in any script, and no space. */
export const isEmail = (text: string): boolean => /^[^\s@]([^\s]*[^\s@])?@[^\s@.]([^\s@]*[^\s@.])?$/u.test(text.trim());
