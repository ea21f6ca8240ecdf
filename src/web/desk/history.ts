/** History of a conversation: a stretch of its log. */
import type { Frame, Page } from './reader.ts';

export interface History {
  /** Ascending by seq, each once. */
  readonly lines: readonly Frame[];
  /** True where there is more before the first. */
  readonly hasOlder: boolean;
}

export const EMPTY: History = { lines: [], hasOlder: false };

/** With lines from anywhere in the log. */
function union(lines: readonly Frame[], more: readonly Frame[]): readonly Frame[] {
  const first = more[0]?.seq ?? 0;
  // What happens comes at the end, one by one.
  if (more.length === 1 && first > (lines.at(-1)?.seq ?? 0)) return [...lines, ...more];
  const bySeq = new Map([...lines, ...more].map((line) => [line.seq, line]));
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}

export const withLine = ({ lines, hasOlder }: History, line: Frame): History => ({
  lines: union(lines, [line]),
  hasOlder,
});

export const withOlder = ({ lines }: History, { items, next }: Page<Frame>): History => ({
  lines: union(lines, items),
  hasOlder: next !== null,
});

/** With the end of the log. Where something is missing between that and what was there, what was there goes. */
export function withLatest({ lines, hasOlder }: History, { items, next }: Page<Frame>): History {
  const first = items[0]?.seq ?? 0;
  const last = lines.at(-1)?.seq;
  if (last === undefined || last < first - 1) return { lines: items, hasOlder: next !== null };
  const isBefore = (lines[0]?.seq ?? 0) < first;
  return { lines: union(lines, items), hasOlder: isBefore ? hasOlder : next !== null };
}
