/** Words for people who read a transcript or a terminal: what sentences about events are made of. */

/** Controls, halves of characters, and what turns the order of the text that follows around. */
const STEERING = /[\p{Cs}\u202a-\u202e\u2066-\u2069]|(?!\n)\p{Cc}/gu;

/** Text on lines of its own, of which none can be taken for the beginning of another, nor steer a terminal. */
export const plainText = (text: string): string =>
  text.replace(/\r\n?|[\n\u2028\u2029]/g, '\n    ').replace(STEERING, '\ufffd');

/** Names of everybody but admins. */
const ROLES = /^(customer|bot|server|somebody)$/i;

/** An admin who is called like another role is told from it: no id has a space in it [P-2.7]. */
export const adminIn = (adminId: string): string => (ROLES.test(adminId) ? `admin ${adminId}` : adminId);

export const nameOf = ({ user, adminId }: { user?: string; adminId?: string }): string =>
  adminId === undefined ? (user ?? 'somebody') : adminIn(adminId);

/** Says in words an update of a customer's record, as it was sent. */
export const updateInWords = ({ type, message }: { type: string; message: object }): string =>
  `-- ${type} ${plainText(JSON.stringify(message))}`;
