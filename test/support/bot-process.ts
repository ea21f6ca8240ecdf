/** A bot in a process of its own, which a test kills: it says on stdout what it is asked, and streams an answer to it. */
import { createBot } from '../../src/bot/index.ts';

const { TELLE_URL = '', TELLE_TOKEN = '', PART_MS = '0' } = process.env;

createBot({
  url: TELLE_URL,
  token: TELLE_TOKEN,
  backoff: { first: 20, most: 100 },
  async *answer({ question }) {
    process.stdout.write(`asked ${question.text}\n`);
    for (const part of ['You ', 'said: ', question.text]) {
      await new Promise((resolve) => setTimeout(resolve, Number(PART_MS)));
      yield part;
    }
  },
});
