/** Reads CSV as RFC 4180 has it, strictly: records in CRLF, commas, and quotes only around a whole field. */
import assert from 'node:assert/strict';

const FIELD = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;

/** The records, each a list of fields. A byte order mark is none of the first. */
export function readCsv(given: string): string[][] {
  const text = given.replace(/^\ufeff/, '');
  const records: string[][] = [];
  let record: string[] = [];
  FIELD.lastIndex = 0;
  for (let at = 0; at < text.length; at = FIELD.lastIndex) {
    const [, quoted, plain = '', end] =
      FIELD.exec(text) ?? assert.fail(`no field at ${at}: ${text.slice(at, at + 80)}`);
    record.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === ',') continue;
    records.push(record);
    record = [];
  }
  assert.deepEqual(record, [], 'the last record ends in CRLF');
  return records;
}
