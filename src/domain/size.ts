/** Size of a record: a user, a lead or an intent, as it is kept. */

/** Weight of a field beside its text, in bytes: to read, merge and write one takes as long as so much text. */
const FIELD_BYTES = 128;

/** The texts of records that were measured: a large one is written as JSON but once. */
const texts = new WeakMap<object, string>();

/** A record's JSON text. What has been measured may not change any more. */
export function textOf(record: object): string {
  const known = texts.get(record);
  if (known !== undefined) return known;
  const text = JSON.stringify(record);
  texts.set(record, text);
  return text;
}

/** Counts the fields of a record [P-6.1]: those of objects within it count, too, and so do the elements of arrays. */
export function fieldsOf(record: object): number {
  let count = 0;
  for (const value of Object.values(record)) {
    count += 1;
    if (typeof value === 'object' && value !== null) count += fieldsOf(value);
  }
  return count;
}

/**
 * The work of an update, in bytes of text: the whole record was read, merged and written, though little of it changed.
 * @param sides what each side has said of the record, as it is now: the larger one counts. Empty where the update was refused, and there is none
 */
export const weightOfUpdate = (update: object, sides: readonly object[]): number =>
  Math.max(FIELD_BYTES * fieldsOf(update), ...sides.map((side) => FIELD_BYTES * fieldsOf(side) + textOf(side).length));
