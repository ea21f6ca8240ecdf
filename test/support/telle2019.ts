/** One of each payload of 2019, as its services published it on Redis. */
export const DEALER = '201900001';
export const GROUP = '0f6c2b7e9d1a4c55';
const at = { dealerId: DEALER, groupId: GROUP };
const by = { dealerId: DEALER, adminId: '15', groupId: GROUP };
const here = { ...at, user: 'customer', online: true, timestamp: '2019-09-30 19:56:28.723526' };

/** What a page shows of a text. */
export const page = (text: string) => ({ author: 'me', type: 'text', data: { text } });

export const ANSWER = [
  { text: { text: ['Hello. New or used?'] } },
  { platform: 'FACEBOOK', quickReplies: { title: 'Choose', quickReplies: ['New', 'Used'] } },
];

/** By a word for each. */
export const PAYLOADS = {
  group: { type: 'UPDATE_GROUP', ...here },
  chat: { type: 'UPDATE_CHAT', ...here },
  customer: {
    ...{ type: 'UPDATE_MSG', ...at, muted: false, message: page('hi'), user: 'customer', unread: 0 },
    ...{ uid: '7a1d', timestamp: '2019-09-30 19:57:02.112004' },
  },
  bot: { type: 'UPDATE_MSG', ...at, user: 'bot', muted: false, unread: 1, message: ANSWER },
  admin: { type: 'UPDATE_MSG', ...by, user: 'admin', muted: true, unread: 0, message: page('This is Ann.') },
  mute: { type: 'MUTE_BOT', ...by, muted: true },
  unmute: { type: 'MUTE_BOT', ...by, muted: false },
  close: { type: 'CLOSE_CHAT', ...by, close: true },
  user: {
    ...{ type: 'UPDATE_USER', ...at },
    message: {
      ...{ deviceType: 'Desktop', sessionId: GROUP, dealerId: DEALER, dealerName: 'demo', ip_addr: '192.0.2.7' },
    },
  },
  visit: {
    ...{ type: 'UPDATE_USER_PV', dealerId: DEALER, sid: GROUP },
    message: { sessionId: GROUP, dealerId: DEALER, page: 'https://cars.example/blue', bot_clicked: 0 },
  },
  lead: {
    ...{ type: 'UPDATE_LEAD', ...at },
    message: {
      ...{ dealerId: DEALER, customer: 'Ada', email: 'ada@example.com', phone: '5550100', note: 'call' },
      sessionId: GROUP,
    },
  },
  intent: {
    ...{ type: 'CREATE_LEAD_INTENT', ...at },
    message: { customer: 'Ada', sessionId: GROUP, dealerId: DEALER, department: 'sales' },
  },
  contact: {
    ...{ type: 'UPDATE_LEAD_INTENT', dealerId: DEALER, sid: GROUP },
    message: { phone: '5550100', email: 'ada@example.com', sessionId: GROUP, dealerId: DEALER },
  },
  inquiry: {
    ...{ type: 'CREATE_LEAD_INQUIRY', ...at },
    message: {
      ...{ customer: 'Ada', email: '', phone: '', zipcode: '70000', vin: 'WBA00000000000001', stock: 'S1' },
      ...{ title: 'BMW X5', price: '38000' },
    },
  },
  appointment: {
    ...{ type: 'CREATE_APPT_INTENT', ...at },
    message: { VehicleMake: 'Honda', test_drive_date: '2019-10-01', person: 'Ada' },
  },
  notification: { type: 'UPDATE_NOTIFICATION', ...at, customer: 'Ada', department: 'sales' },
} as const;
