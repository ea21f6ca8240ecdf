/** Section 18: what a message holds besides text. */
import { holds, same } from '../expect.ts';
import { MissingError } from '../house.ts';
import type { Case } from '../visit.ts';

const CONTENTS: readonly object[] = [
  { kind: 'choices', choices: [{ label: 'New', value: 'new' }, { label: 'Used' }] },
  {
    kind: 'cards',
    cards: [{ title: 'Blue', subtitle: 'one owner', image: 'https://a.example/b.jpg', choices: [{ label: 'Yes' }] }],
  },
  { kind: 'vehicle', vehicle: { year: 2023, make: 'Toyota' }, price: '$18,700', url: 'https://a.example/b' },
];

export const CONTENT: readonly Case[] = [
  {
    clause: '18.1',
    says: 'a message may hold choices, cards or a vehicle besides its text; a customer answers with replyTo and value',
    async run(visit) {
      const [customer, server] = [await visit.customer(), await visit.server()];
      const { groupId } = customer.session;
      for (const content of CONTENTS) {
        const said = { type: 'UPDATE_MSG', groupId, user: 'bot', message: 'Which one?', content };
        const { seq } = await server.taken('event', said);
        const { payload } = await customer.next('CHAT_MSG');
        if (payload.content === undefined) throw new MissingError('needs content, which version 1 does not have');
        holds('the event', payload, { message: 'Which one?', content });
        const answer = { message: 'New', replyTo: seq, value: 'new' };
        await customer.taken('customer_message', { type: 'UPDATE_MSG', ...answer, content });
        const heard = await server.next('CHAT_MSG');
        holds('the answer', heard.payload, answer);
        same("a customer's content", heard.payload.content, undefined);
      }
    },
  },
  {
    clause: '18.1',
    says: 'content that is none is invalid_payload',
    async run(visit) {
      const [customer, server] = [await visit.customer(), await visit.server()];
      const { groupId } = customer.session;
      const said = { type: 'UPDATE_MSG', groupId, user: 'bot', message: 'Which one?' };
      await server.taken('event', { ...said, content: CONTENTS[0] });
      const { payload } = await customer.next('CHAT_MSG');
      if (payload.content === undefined) throw new MissingError('needs content, which version 1 does not have');
      for (const content of [
        'text',
        { kind: 'html', html: '<b>' },
        { kind: 'choices', choices: [] },
        { kind: 'cards', cards: [{ title: 'Blue', image: 'http://a.example/b.jpg' }] },
        { kind: 'cards', cards: [{ title: 'Blue', url: 'javascript:alert(1)' }] },
      ])
        await server.refused('invalid_payload', 'event', { ...said, content });
    },
  },
];
