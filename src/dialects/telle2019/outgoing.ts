/** [P-19.2] From Telle's events to the words of 2019: what a page or a desk hears, and what the services do. Pure translations. */
import type { Frame } from '../../../schemas/story.ts';
import type { List, Said, Telling } from '../../doors/dialect.ts';
import { UNNAMED } from './incoming.ts';
import { isTold } from './marks.ts';
import { type Fields, fieldsIn, INTENT, LEAD, PERSON, told, VISIT } from './records.ts';
import { shown } from './text.ts';

/** Mark of what Telle has published: it does not take that for another's. */
export const VIA = 'telle';

/** A time as Python writes it: UTC, in microseconds, without saying so. */
export const stampOf = (at: string): string => `${at.slice(0, 23).replace('T', ' ')}000`;

const timed = (at: string | undefined): Fields => (at === undefined ? {} : { timestamp: stampOf(at) });

/** A payload without what nobody of 2019 knows: who must answer [P-12]. */
const ofThen = ({ waiting: _, reason: __, ...payload }: Fields): Fields => payload;

/** A message, as pages, desks and services know it. @param id of the event: the `uid` by which a page knows its own */
function message({ payload, id, at }: Frame, type: string): Fields {
  const { content: _, ...said } = ofThen(payload);
  return { ...said, type, message: shown(payload), ...(id !== undefined && { uid: id }), ...timed(at) };
}

/** Presence: somebody is here, or no longer. */
const presence = ({ payload, at }: Frame, type: string): Fields => ({ ...payload, type, ...timed(at) });

/** Notification that there is a lead. */
function notification({ payload: { dealerId, groupId, message } }: Frame, type: string): Fields {
  const { name, department } = fieldsIn(message) ?? {};
  return { type, dealerId, groupId, customer: name ?? 'customer', department: department ?? 'sales' };
}

type Words = (frame: Frame) => readonly Said[];

const same =
  (event: string): Words =>
  ({ payload }) => [{ event, payload: ofThen(payload) }];
const onlineOrNot: Words = (frame) => [{ event: 'CHAT_STATUS', payload: presence(frame, 'CHAT_STATUS') }];
const leads: Words = (frame) =>
  isTold(frame.id) ? [{ event: 'LEADS_NOTIFICATION', payload: notification(frame, 'LEADS_NOTIFICATION') }] : [];

/** Words of events, by their type; of any other, pages and desks of 2019 know nothing. */
const HEARD: ReadonlyMap<unknown, Words> = new Map([
  ['CHAT_MSG', (frame: Frame) => [{ event: 'CHAT_MESSAGE', payload: message(frame, 'CHAT_MSG') }]],
  ['MUTE_STATUS', same('MUTE_STATE')],
  ['CLOSE_CHAT', same('CLOSE_CHAT')],
  ['SYS_MSG', same('SYS_MESSAGE')],
  ['UPDATE_GROUP', onlineOrNot],
  ['UPDATE_CHAT', onlineOrNot],
  ['ERASE_GROUP', onlineOrNot],
  ['UPDATE_LEAD', leads],
  ['CREATE_LEAD_INTENT', leads],
  ['UPDATE_LEAD_INTENT', leads],
]);

const said = new WeakMap<Frame, readonly Said[]>();
/** Says an event to a page or a desk of 2019; the same to all of them, and so once. */
export function wordsOf(frame: Frame): readonly Said[] {
  const words = said.get(frame) ?? HEARD.get(frame.payload.type)?.(frame) ?? [];
  said.set(frame, words);
  return words;
}

/** A record, as the services know it. @param by the field that names its group */
function record({ payload }: Frame, type: string, names: typeof LEAD, by: 'groupId' | 'sid' = 'groupId'): Fields {
  const { dealerId, groupId } = payload;
  const fields = told(fieldsIn(payload.message) ?? {}, names, { dealerId, sessionId: groupId });
  const { intent, ...rest } = fields;
  return { type, dealerId, [by]: groupId, message: intent === UNNAMED ? rest : fields };
}

const EVERYBODY: readonly List[] = ['daemon'];
const OF_LEADS: readonly List[] = ['daemon', 'notification'];

const telling = (payload: Fields, lists: readonly List[] = EVERYBODY): Telling => ({
  text: JSON.stringify({ ...payload, via: VIA }),
  lists,
});

/** A lead's event, and that there is one. */
const ofLead = (frame: Frame, payload: Fields, lists: readonly List[]): readonly Telling[] => [
  telling(payload, lists),
  ...(isTold(frame.id) ? [telling(notification(frame, 'UPDATE_NOTIFICATION'), [])] : []),
];

function arrival(frame: Frame): readonly Telling[] {
  const isLeaving = frame.payload.online === false;
  return [
    telling(presence(frame, 'UPDATE_GROUP')),
    telling(presence(frame, 'UPDATE_CHAT'), isLeaving ? ['bot', ...EVERYBODY] : EVERYBODY),
  ];
}

/** Tellings of events to the services, by their type. */
const TOLD: ReadonlyMap<unknown, (frame: Frame) => readonly Telling[]> = new Map([
  [
    'CHAT_MSG',
    (frame: Frame) => [
      telling(message(frame, 'UPDATE_MSG'), frame.payload.user === 'customer' ? ['bot', ...EVERYBODY] : EVERYBODY),
    ],
  ],
  ['MUTE_STATUS', ({ payload: { user: _, ...payload } }: Frame) => [telling({ ...ofThen(payload), type: 'MUTE_BOT' })]],
  ['CLOSE_CHAT', ({ payload }: Frame) => [telling(ofThen(payload))]],
  ['SYS_MSG', ({ payload }: Frame) => [telling(payload)]],
  ['UPDATE_GROUP', arrival],
  // The daemon of 2019 takes whoever it is for the customer.
  ['UPDATE_CHAT', (frame: Frame) => [telling(presence(frame, 'UPDATE_CHAT'), [])]],
  ['UPDATE_USER', (frame: Frame) => [telling(record(frame, 'UPDATE_USER', PERSON))]],
  ['UPDATE_PAGEVIEW', (frame: Frame) => [telling(record(frame, 'UPDATE_USER_PV', VISIT, 'sid'))]],
  ['UPDATE_LEAD', (frame: Frame) => ofLead(frame, record(frame, 'UPDATE_LEAD', LEAD), OF_LEADS)],
  ['CREATE_LEAD_INTENT', (frame: Frame) => ofLead(frame, record(frame, 'CREATE_LEAD_INTENT', INTENT), EVERYBODY)],
  ['UPDATE_LEAD_INTENT', (frame: Frame) => ofLead(frame, record(frame, 'UPDATE_LEAD_INTENT', INTENT, 'sid'), OF_LEADS)],
]);

/** Says an event to the services of 2019. */
export const tellingsOf = (frame: Frame): readonly Telling[] => TOLD.get(frame.payload.type)?.(frame) ?? [];
