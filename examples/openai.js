/** A bot on any endpoint that speaks OpenAI's streaming chat completions. How to run it: docs/bots.md. */
import { createBot } from 'telle/bot';

const { TELLE_URL = 'ws://127.0.0.1:8080/ws', TELLE_TOKEN = '', OPENAI_API_KEY = '' } = process.env;
const { OPENAI_BASE_URL = 'https://api.openai.com/v1', OPENAI_MODEL = 'gpt-4o-mini' } = process.env;

/** What the model says where a person is to answer. */
const HAND_OFF = 'HANDOFF';
const SYSTEM = `You answer customers of a car dealer, briefly and politely, in their language. Promise no price and no appointment.
Where the customer wants a person, or you do not know, answer with the one word ${HAND_OFF} and nothing else.`;

/** What the customer looks at is the customer's word: it is no instruction. */
const looking = (vehicle) =>
  vehicle ? [{ role: 'user', content: `The vehicle on my screen: ${JSON.stringify(vehicle)}` }] : [];

const prompt = ({ messages, vehicle }) => [
  { role: 'system', content: SYSTEM },
  ...looking(vehicle),
  ...messages.slice(-20).map(({ user, text }) => ({ role: user === 'customer' ? 'user' : 'assistant', content: text })),
];

/** The parts of the model's answer, as they come. */
async function* partsOf(conversation) {
  const response = await fetch(`${OPENAI_BASE_URL}/chat/completions`, {
    method: 'POST',
    signal: conversation.signal,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${OPENAI_API_KEY}` },
    body: JSON.stringify({ model: OPENAI_MODEL, stream: true, messages: prompt(conversation) }),
  });
  if (!response.ok) throw new Error(`the model answered ${response.status}`);
  let rest = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const data = line.startsWith('data:') ? line.slice('data:'.length).trim() : '';
      if (data === '[DONE]') return;
      if (data !== '') yield JSON.parse(data).choices[0]?.delta?.content ?? '';
    }
  }
  throw new Error('the model broke off');
}

async function* answer(conversation) {
  let held = '';
  for await (const part of partsOf(conversation)) {
    held += part;
    if (HAND_OFF.startsWith(held)) continue; // nobody is shown half of it
    yield held;
    held = '';
  }
  if (held !== HAND_OFF) yield held;
  else {
    await conversation.handOff('the customer wants a person, or the bot does not know');
    yield 'I am getting somebody for you.';
  }
}

createBot({
  url: TELLE_URL,
  token: TELLE_TOKEN,
  answer,
  askContact: 'Nobody is here right now. What is your name, and by which number can we call you back?',
});
