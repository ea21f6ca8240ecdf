/** Doc comments that begin with a riddle: the reader has to finish the sentence to learn what it is about. */

/** Words that put a question before the noun. */
const RIDDLES = /^(What|Who|Whose|Whom|That|Whether|How|Whoever|Whatever)\b/;

/** Doc comments of a file that begin with one of {@link RIDDLES}, the clauses they cite left out: where each is, and the rule. */
export function riddlesIn(file: string, text: string): string[] {
  return [...text.matchAll(/\/\*\*\s+(?:\*\s+)?(?:\[P-[^\]]*\]\s*)*(\w+)/g)].flatMap(({ 1: first = '', index }) => {
    if (!RIDDLES.test(first)) return [];
    return [
      `${file}:${text.slice(0, index).split('\n').length} begin a doc comment with a noun or a verb, not with "${first}"`,
    ];
  });
}
