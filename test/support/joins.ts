/** The payloads of the joins [P-3], for a test that sends one by itself and looks at the answer. */
import { DEALER } from './server.ts';

export const clientJoin = (more: object = {}) => ({
  type: 'CLIENT_JOIN',
  dealerId: DEALER,
  user: 'customer',
  online: true,
  ...more,
});

export const adminJoin = (more: object = {}) => ({
  type: 'ADMIN_JOIN',
  dealerId: DEALER,
  adminId: 'a1',
  user: 'admin',
  online: true,
  ...more,
});

export const serverJoin = (more: object = {}) => ({ type: 'SERVER_JOIN', dealerId: DEALER, ...more });
