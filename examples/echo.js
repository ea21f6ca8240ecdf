/** A bot that says again what the customer said. How to run it: docs/bots.md. */
import { createBot } from 'telle/bot';

createBot({
  url: process.env.TELLE_URL ?? 'ws://127.0.0.1:8080/ws',
  token: process.env.TELLE_TOKEN ?? '',
  answer: ({ question }) => `You said: ${question.text}`,
});
