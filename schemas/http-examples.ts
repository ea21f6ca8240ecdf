/** The examples of the HTTP interface, in an order in which they come true: a test plays them on a real server. */
import type { Static } from '@sinclair/typebox';
import type { DeadLetter } from './dead-letters.ts';
import { EPOCH } from './story.ts';

/** The owner of the token that is sent along: a server of all dealers, a server of the dealer, or an admin of it. */
type Asker = 'operator' | 'bot' | 'alice';

/** A request, and the response that it gets. */
export interface Exchange {
  readonly title: string;
  /** Null: nobody's. */
  readonly as: Asker | null;
  /** The operation, as the OpenAPI document names it: method and path template. */
  readonly operation: string;
  readonly path: string;
  readonly body?: unknown;
  readonly status: number;
  /** The body of the response; absent where it has none. */
  readonly answer?: unknown;
}

/** Event that came over Redis and was refused, before the first of these. */
export const LETTER: Static<typeof DeadLetter> = {
  deadLetterId: '0mwp2pm4d-c95df1009ad2',
  source: 'ingress',
  code: 'unknown_intent',
  message: 'this group has no such intent: create it first',
  at: '2026-03-14T09:29:58.090Z',
  payload:
    '{"type":"UPDATE_LEAD_INTENT","dealerId":"demo-motors","groupId":"web-4711","message":{"intent":"lease","status":"won"},"id":"crm-0"}',
  details: [],
};

/** Stands for the code that was made before. */
export const CODE = 'eyJhbGciOiJIUzI1NiIsInR5cCI6InRlbGxlLWNvZGUrand0In0.eyJyb2xlIjoiYWRtaW4ifQ.c2lnbmF0dXJl';

export const EXCHANGES: readonly Exchange[] = [
  {
    title: 'The process lives.',
    as: null,
    operation: 'GET /health',
    path: '/health',
    status: 200,
    answer: { status: 'ok', version: '0.2.0', uptime: 4711 },
  },
  {
    title: 'The server can serve.',
    as: null,
    operation: 'GET /ready',
    path: '/ready',
    status: 200,
    answer: {
      status: 'ready',
      database: 'ok',
      parts: { database: { state: 'ok', epoch: EPOCH, schema: '0007_settings' }, drain: { state: 'ok' } },
    },
  },
  {
    title: 'A dealer is made.',
    as: 'operator',
    operation: 'PUT /v1/dealers/{dealerId}',
    path: '/v1/dealers/demo-motors',
    body: { name: 'Demo Motors', origins: ['https://www.demo-motors.example.com'] },
    status: 201,
    answer: { dealerId: 'demo-motors', name: 'Demo Motors', origins: ['https://www.demo-motors.example.com'] },
  },
  {
    title: 'Its settings are replaced.',
    as: 'operator',
    operation: 'PUT /v1/dealers/{dealerId}',
    path: '/v1/dealers/demo-motors',
    body: { name: 'Demo Motors', origins: ['https://www.demo-motors.example.com'], retentionDays: 365 },
    status: 200,
    answer: {
      dealerId: 'demo-motors',
      name: 'Demo Motors',
      origins: ['https://www.demo-motors.example.com'],
      retentionDays: 365,
    },
  },
  {
    title: 'A setting is out of bounds.',
    as: 'operator',
    operation: 'PUT /v1/dealers/{dealerId}',
    path: '/v1/dealers/demo-motors',
    body: { retentionDays: 0 },
    status: 400,
    answer: {
      type: '/errors/invalid_payload',
      title: 'Invalid payload',
      status: 400,
      detail: 'retentionDays: expected integer to be greater or equal to 1, got an integer',
      code: 'invalid_payload',
      details: [{ path: '/retentionDays', message: 'expected integer to be greater or equal to 1, got an integer' }],
    },
  },
  {
    title: 'Two of its settings are changed, and the others stay.',
    as: 'operator',
    operation: 'PATCH /v1/dealers/{dealerId}',
    path: '/v1/dealers/demo-motors',
    body: { timezone: 'America/New_York', handBackAfter: { seconds: 600 } },
    status: 200,
    answer: {
      dealerId: 'demo-motors',
      name: 'Demo Motors',
      origins: ['https://www.demo-motors.example.com'],
      retentionDays: 365,
      timezone: 'America/New_York',
      handBackAfter: { seconds: 600 },
    },
  },
  {
    title: 'They are unset again.',
    as: 'operator',
    operation: 'PATCH /v1/dealers/{dealerId}',
    path: '/v1/dealers/demo-motors',
    body: { timezone: null, handBackAfter: null },
    status: 200,
    answer: {
      dealerId: 'demo-motors',
      name: 'Demo Motors',
      origins: ['https://www.demo-motors.example.com'],
      retentionDays: 365,
    },
  },
  {
    title: 'A dealer is read.',
    as: 'operator',
    operation: 'GET /v1/dealers/{dealerId}',
    path: '/v1/dealers/demo-motors',
    status: 200,
    answer: {
      dealerId: 'demo-motors',
      name: 'Demo Motors',
      origins: ['https://www.demo-motors.example.com'],
      retentionDays: 365,
    },
  },
  {
    title: 'Nobody says who asks.',
    as: null,
    operation: 'GET /v1/dealers/{dealerId}',
    path: '/v1/dealers/demo-motors',
    status: 401,
    answer: {
      type: '/errors/unauthorized',
      title: 'Unauthorized',
      status: 401,
      detail: 'a bearer token is needed',
      code: 'unauthorized',
    },
  },
  {
    title: 'An agent asks what only a server of all dealers may know.',
    as: 'alice',
    operation: 'GET /v1/dealers/{dealerId}',
    path: '/v1/dealers/demo-motors',
    status: 403,
    answer: {
      type: '/errors/forbidden',
      title: 'Forbidden',
      status: 403,
      detail: 'a token of a server of all dealers is needed',
      code: 'forbidden',
    },
  },
  {
    title: 'A page asks whether somebody is here.',
    as: null,
    operation: 'GET /v1/dealers/{dealerId}/reception',
    path: '/v1/dealers/demo-motors/reception',
    status: 200,
    answer: { online: false, claims: 'any' },
  },
  {
    title: 'A backend makes a code that signs an agent in.',
    as: 'bot',
    operation: 'POST /v1/sessions/codes',
    path: '/v1/sessions/codes',
    body: { adminId: 'alice', ttl: 28_800 },
    status: 200,
    answer: { code: CODE, expiresAt: '2026-03-14T09:30:58.000Z' },
  },
  {
    title: 'The agent signs in with it.',
    as: null,
    operation: 'POST /v1/sessions',
    path: '/v1/sessions',
    body: { code: CODE },
    status: 200,
    answer: {
      token: 'eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYWRtaW4ifQ.c2lnbmF0dXJl',
      expiresAt: '2026-03-14T17:29:59.000Z',
    },
  },
  {
    title: 'A code is good for once.',
    as: null,
    operation: 'POST /v1/sessions',
    path: '/v1/sessions',
    body: { code: CODE },
    status: 401,
    answer: {
      type: '/errors/unauthorized',
      title: 'Unauthorized',
      status: 401,
      detail: 'the token was revoked',
      code: 'unauthorized',
    },
  },
  {
    title: 'A token without a name of its own cannot end alone.',
    as: 'alice',
    operation: 'DELETE /v1/sessions',
    path: '/v1/sessions',
    status: 400,
    answer: {
      type: '/errors/invalid_payload',
      title: 'Invalid payload',
      status: 400,
      detail: 'this token has no jti, by which it could end alone: it holds until its exp',
      code: 'invalid_payload',
    },
  },
  {
    title: 'There is no such dealer.',
    as: 'operator',
    operation: 'GET /v1/dealers/{dealerId}',
    path: '/v1/dealers/no-motors',
    status: 404,
    answer: {
      type: '/errors/unknown_dealer',
      title: 'Unknown dealer',
      status: 404,
      detail: 'there is no such dealer',
      code: 'unknown_dealer',
    },
  },
  {
    title: 'All dealers are listed.',
    as: 'operator',
    operation: 'GET /v1/dealers',
    path: '/v1/dealers?limit=10',
    status: 200,
    answer: {
      items: [
        {
          dealerId: 'demo-motors',
          name: 'Demo Motors',
          origins: ['https://www.demo-motors.example.com'],
          retentionDays: 365,
        },
      ],
      next: null,
    },
  },
  {
    title: 'A bot says something.',
    as: 'bot',
    operation: 'POST /v1/events',
    path: '/v1/events',
    body: {
      type: 'UPDATE_MSG',
      groupId: 'web-4711',
      user: 'bot',
      message: 'Good morning! What are you looking for?',
      id: 'b1',
    },
    status: 200,
    answer: { results: [{ id: 'b1', scope: 'web-4711', seq: 1, at: '2026-03-14T09:30:01.137Z', duplicate: false }] },
  },
  {
    title: 'A CRM sends two events: one is taken, one refused.',
    as: 'bot',
    operation: 'POST /v1/events',
    path: '/v1/events',
    body: [
      {
        type: 'UPDATE_LEAD',
        groupId: 'web-4711',
        message: { firstName: 'Sam', email: 'sam@example.com' },
        id: 'crm-1',
      },
      { type: 'UPDATE_LEAD_INTENT', groupId: 'web-4711', message: { intent: 'lease', status: 'won' }, id: 'crm-2' },
    ],
    status: 207,
    answer: {
      results: [
        { id: 'crm-1', scope: '@desk', seq: 1, at: '2026-03-14T09:30:02.174Z', duplicate: false },
        {
          error: {
            id: 'crm-2',
            code: 'unknown_intent',
            message: 'this group has no such intent: create it first',
            retryable: false,
          },
        },
      ],
    },
  },
  {
    title: 'A single event is refused.',
    as: 'bot',
    operation: 'POST /v1/events',
    path: '/v1/events',
    body: { type: 'UPDATE_LEAD_INTENT', groupId: 'web-4711', message: { intent: 'lease', status: 'won' }, id: 'crm-3' },
    status: 404,
    answer: {
      type: '/errors/unknown_intent',
      title: 'Unknown intent',
      status: 404,
      detail: 'this group has no such intent: create it first',
      code: 'unknown_intent',
      results: [
        {
          error: {
            id: 'crm-3',
            code: 'unknown_intent',
            message: 'this group has no such intent: create it first',
            retryable: false,
          },
        },
      ],
    },
  },
  {
    title: 'Several events are taken.',
    as: 'bot',
    operation: 'POST /v1/events',
    path: '/v1/events',
    body: [
      { type: 'CREATE_LEAD_INTENT', groupId: 'web-4711', message: { intent: 'lease' }, id: 'crm-4' },
      { type: 'UPDATE_MSG', groupId: 'web-4711', user: 'bot', message: 'We have forty cars here.', id: 'b2' },
    ],
    status: 200,
    answer: {
      results: [
        { id: 'crm-4', scope: '@desk', seq: 2, at: '2026-03-14T09:30:03.211Z', duplicate: false },
        { id: 'b2', scope: 'web-4711', seq: 2, at: '2026-03-14T09:30:03.211Z', duplicate: false },
      ],
    },
  },
  {
    title: 'An agent reads a chat, a page at a time.',
    as: 'alice',
    operation: 'GET /v1/dealers/{dealerId}/scopes/{scope}/events',
    path: '/v1/dealers/demo-motors/scopes/web-4711/events?after=0&limit=1',
    status: 200,
    answer: {
      items: [
        {
          channel: 'CHAT_MESSAGE',
          payload: {
            type: 'CHAT_MSG',
            dealerId: 'demo-motors',
            groupId: 'web-4711',
            user: 'bot',
            muted: false,
            unread: 0,
            message: 'Good morning! What are you looking for?',
          },
          id: 'b1',
          scope: 'web-4711',
          seq: 1,
          at: '2026-03-14T09:30:01.137Z',
        },
      ],
      next: 'MS0',
      epoch: EPOCH,
    },
  },
  {
    title: 'There is no such group.',
    as: 'alice',
    operation: 'GET /v1/dealers/{dealerId}/scopes/{scope}/events',
    path: '/v1/dealers/demo-motors/scopes/web-4712/events',
    status: 404,
    answer: {
      type: '/errors/unknown_group',
      title: 'Unknown group',
      status: 404,
      detail: 'this dealer has no such group',
      code: 'unknown_group',
    },
  },
  {
    title: 'What Redis brought and was refused is listed.',
    as: 'operator',
    operation: 'GET /v1/dead-letters',
    path: '/v1/dead-letters',
    status: 200,
    answer: {
      items: [LETTER],
      next: null,
    },
  },
  {
    title: 'It is sent again, and is taken now.',
    as: 'operator',
    operation: 'POST /v1/dead-letters/{id}/replay',
    path: '/v1/dead-letters/0mwp2pm4d-c95df1009ad2/replay',
    status: 200,
    answer: { id: 'crm-0', scope: '@desk', seq: 3, at: '2026-03-14T09:30:06.322Z', duplicate: false },
  },
  {
    title: 'It has been replayed already.',
    as: 'operator',
    operation: 'POST /v1/dead-letters/{id}/replay',
    path: '/v1/dead-letters/0mwp2pm4d-c95df1009ad2/replay',
    status: 404,
    answer: {
      type: '/errors/unknown_route',
      title: 'Unknown route',
      status: 404,
      detail: 'there is no such dead letter',
      code: 'unknown_route',
    },
  },
  {
    title: 'A site tells who the customer is, and what page is looked at.',
    as: 'bot',
    operation: 'POST /v1/events',
    path: '/v1/events',
    body: [
      {
        type: 'UPDATE_USER',
        groupId: 'web-4711',
        message: {
          firstName: 'Sam',
          lastName: 'Rivera',
        },
        id: 'site-1',
      },
      {
        type: 'UPDATE_PAGEVIEW',
        groupId: 'web-4711',
        message: {
          url: 'https://www.demo-motors.example.com/used/blue-hatchback',
          title: 'Blue hatchback',
        },
        id: 'site-2',
      },
    ],
    status: 200,
    answer: {
      results: [
        {
          id: 'site-1',
          scope: '@desk',
          seq: 4,
          at: '2026-03-14T09:30:07.101Z',
          duplicate: false,
        },
        {
          id: 'site-2',
          scope: '@desk',
          seq: 5,
          at: '2026-03-14T09:30:08.102Z',
          duplicate: false,
        },
      ],
    },
  },
  {
    title: 'An agent lists the open conversations.',
    as: 'alice',
    operation: 'GET /v1/dealers/{dealerId}/groups',
    path: '/v1/dealers/demo-motors/groups?open=true&limit=1',
    status: 200,
    answer: {
      items: [
        {
          dealerId: 'demo-motors',
          groupId: 'web-4711',
          online: false,
          muted: false,
          closed: false,
          unread: 0,
          seq: 2,
          lastMessage: {
            seq: 2,
            at: '2026-03-14T09:30:09.103Z',
            user: 'bot',
            message: 'We have forty cars here.',
          },
          adminRead: 0,
          customerRead: 0,
          admins: [],
          createdAt: '2026-03-14T09:30:07.104Z',
          updatedAt: '2026-03-14T09:30:08.105Z',
        },
      ],
      next: null,
    },
  },
  {
    title: 'One conversation is read.',
    as: 'alice',
    operation: 'GET /v1/dealers/{dealerId}/groups/{groupId}',
    path: '/v1/dealers/demo-motors/groups/web-4711',
    status: 200,
    answer: {
      dealerId: 'demo-motors',
      groupId: 'web-4711',
      online: false,
      muted: false,
      closed: false,
      unread: 0,
      seq: 2,
      lastMessage: {
        seq: 2,
        at: '2026-03-14T09:30:09.106Z',
        user: 'bot',
        message: 'We have forty cars here.',
      },
      adminRead: 0,
      customerRead: 0,
      admins: [],
      createdAt: '2026-03-14T09:30:07.107Z',
      updatedAt: '2026-03-14T09:30:08.108Z',
    },
  },
  {
    title: 'A word of what was said finds it.',
    as: 'alice',
    operation: 'GET /v1/dealers/{dealerId}/search',
    path: '/v1/dealers/demo-motors/search?q=forty',
    status: 200,
    answer: {
      items: [
        {
          dealerId: 'demo-motors',
          groupId: 'web-4711',
          scope: 'web-4711',
          seq: 2,
          field: 'message',
          snippet: 'We have forty cars here.',
          at: '2026-03-14T09:30:09.106Z',
        },
      ],
      next: null,
    },
  },
  {
    title: 'What was said in it is taken out.',
    as: 'alice',
    operation: 'GET /v1/dealers/{dealerId}/groups/{groupId}/transcript',
    path: '/v1/dealers/demo-motors/groups/web-4711/transcript',
    status: 200,
    answer: {
      dealerId: 'demo-motors',
      groupId: 'web-4711',
      lines: [
        {
          type: 'CHAT_MSG',
          user: 'bot',
          muted: false,
          unread: 0,
          message: 'Good morning! What are you looking for?',
          seq: 1,
          at: '2026-03-14T09:30:09.109Z',
        },
        {
          type: 'CHAT_MSG',
          user: 'bot',
          muted: false,
          unread: 0,
          message: 'We have forty cars here.',
          seq: 2,
          at: '2026-03-14T09:30:07.110Z',
        },
      ],
    },
  },
  {
    title: 'Users are listed.',
    as: 'alice',
    operation: 'GET /v1/dealers/{dealerId}/users',
    path: '/v1/dealers/demo-motors/users',
    status: 200,
    answer: {
      items: [
        {
          dealerId: 'demo-motors',
          groupId: 'web-4711',
          fields: {
            firstName: 'Sam',
            lastName: 'Rivera',
          },
          createdAt: '2026-03-14T09:30:08.111Z',
          updatedAt: '2026-03-14T09:30:09.112Z',
        },
      ],
      next: null,
    },
  },
  {
    title: 'The lead of one conversation is read.',
    as: 'alice',
    operation: 'GET /v1/dealers/{dealerId}/leads',
    path: '/v1/dealers/demo-motors/leads?groupId=web-4711',
    status: 200,
    answer: {
      items: [
        {
          dealerId: 'demo-motors',
          groupId: 'web-4711',
          fields: {
            firstName: 'Sam',
            email: 'sam@example.com',
          },
          createdAt: '2026-03-14T09:30:07.113Z',
          updatedAt: '2026-03-14T09:30:08.114Z',
        },
      ],
      next: null,
    },
  },
  {
    title: 'What leads want is listed.',
    as: 'alice',
    operation: 'GET /v1/dealers/{dealerId}/lead-intents',
    path: '/v1/dealers/demo-motors/lead-intents',
    status: 200,
    answer: {
      items: [
        {
          dealerId: 'demo-motors',
          groupId: 'web-4711',
          intent: 'lease',
          fields: {
            status: 'won',
            intent: 'lease',
          },
          createdAt: '2026-03-14T09:30:09.115Z',
          updatedAt: '2026-03-14T09:30:07.116Z',
        },
      ],
      next: null,
    },
  },
  {
    title: 'Page views are listed.',
    as: 'alice',
    operation: 'GET /v1/dealers/{dealerId}/pageviews',
    path: '/v1/dealers/demo-motors/pageviews',
    status: 200,
    answer: {
      items: [
        {
          dealerId: 'demo-motors',
          groupId: 'web-4711',
          seq: 5,
          id: 'site-2',
          at: '2026-03-14T09:30:08.117Z',
          fields: {
            url: 'https://www.demo-motors.example.com/used/blue-hatchback',
            title: 'Blue hatchback',
          },
        },
      ],
      next: null,
    },
  },
  {
    title: 'A conversation is erased.',
    as: 'alice',
    operation: 'DELETE /v1/dealers/{dealerId}/groups/{groupId}',
    path: '/v1/dealers/demo-motors/groups/web-4711',
    status: 200,
    answer: {
      dealerId: 'demo-motors',
      erasureId: '1bc28787-1947-42cd-bb8f-a9e6c4a96ccc',
      events: 2,
      pageviews: 1,
      users: 1,
      leads: 1,
      intents: 1,
      reason: 'request',
      by: 'admin:alice',
      at: '2026-03-14T09:30:09.118Z',
    },
  },
  {
    title: 'The receipt is listed.',
    as: 'alice',
    operation: 'GET /v1/dealers/{dealerId}/erasures',
    path: '/v1/dealers/demo-motors/erasures',
    status: 200,
    answer: {
      items: [
        {
          dealerId: 'demo-motors',
          erasureId: '1bc28787-1947-42cd-bb8f-a9e6c4a96ccc',
          events: 2,
          pageviews: 1,
          users: 1,
          leads: 1,
          intents: 1,
          reason: 'request',
          by: 'admin:alice',
          at: '2026-03-14T09:30:07.119Z',
        },
      ],
      next: null,
    },
  },
  {
    title: 'It is not there any more.',
    as: 'alice',
    operation: 'GET /v1/dealers/{dealerId}/groups/{groupId}',
    path: '/v1/dealers/demo-motors/groups/web-4711',
    status: 404,
    answer: {
      type: '/errors/unknown_group',
      title: 'Unknown group',
      status: 404,
      detail: 'this dealer has no such group',
      code: 'unknown_group',
    },
  },
  {
    title: 'A dealer is removed, with everything of it.',
    as: 'operator',
    operation: 'DELETE /v1/dealers/{dealerId}',
    path: '/v1/dealers/demo-motors',
    status: 204,
  },
  {
    title: 'There is no such dealer any more.',
    as: 'operator',
    operation: 'DELETE /v1/dealers/{dealerId}',
    path: '/v1/dealers/demo-motors',
    status: 404,
    answer: {
      type: '/errors/unknown_dealer',
      title: 'Unknown dealer',
      status: 404,
      detail: 'there is no such dealer',
      code: 'unknown_dealer',
    },
  },
  {
    title: 'Its name is given again.',
    as: 'operator',
    operation: 'PUT /v1/dealers/{dealerId}',
    path: '/v1/dealers/demo-motors',
    body: { claims: 'made' },
    status: 201,
    answer: { dealerId: 'demo-motors', origins: [], claims: 'made', generation: 1773481012345 },
  },
  {
    title: 'An agent is let go: no token of before is taken any more.',
    as: 'operator',
    operation: 'POST /v1/dealers/{dealerId}/revocations',
    path: '/v1/dealers/demo-motors/revocations',
    body: { role: 'admin', sub: 'bob' },
    status: 200,
    answer: { dealerId: 'demo-motors', role: 'admin', sub: 'bob', generation: 1773481012789 },
  },
  {
    title: 'The WebSocket endpoint is not for plain HTTP.',
    as: null,
    operation: 'GET /ws',
    path: '/ws',
    status: 426,
    answer: {
      type: '/errors/upgrade_required',
      title: 'Upgrade required',
      status: 426,
      detail: 'this is a WebSocket endpoint',
      code: 'upgrade_required',
    },
  },
  {
    title: 'There is no such schema.',
    as: null,
    operation: 'GET /schemas/{name}.json',
    path: '/schemas/Nothing.json',
    status: 404,
    answer: {
      type: '/errors/unknown_route',
      title: 'Unknown route',
      status: 404,
      detail: 'there is no such schema',
      code: 'unknown_route',
    },
  },
];
