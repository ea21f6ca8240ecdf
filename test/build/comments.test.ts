/** Doc comments begin with a noun or a verb. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { riddlesIn } from '../../build/comments.ts';

const rule = (line: number, word: string) => [
  `src/a.ts:${line} begin a doc comment with a noun or a verb, not with "${word}"`,
];

describe('a doc comment', () => {
  for (const [word, text] of [
    ['What', '/** What is said. */'],
    ['Whether', '/** [P-7.3] Whether it mutes. */'],
    ['Who', '/** [P-3, P-4] [P-6.1] Who it is. */'],
    ['How', '/**\n * How it is done,\n * step by step.\n */'],
  ] as const) {
    it(`is refused where it begins with ${word}`, () => {
      assert.deepEqual(riddlesIn('src/a.ts', `import 'b';\n\n${text}\nexport const a = 1;\n`), rule(3, word));
    });
  }

  for (const text of [
    '/** Tells whether it is so. */',
    '/** Whatsoever. */',
    '/* What is no doc comment. */',
    '// What is said.',
    '/** A list. What it holds is said below. */',
  ]) {
    it(`may be ${text}`, () => assert.deepEqual(riddlesIn('src/a.ts', text), []));
  }
});
