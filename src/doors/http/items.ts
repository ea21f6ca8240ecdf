/** [P-11.3] Items of lists: the rows of the database as they are shown. */
import type { Static } from '@sinclair/typebox';
import type {
  ErasureReceipt,
  GroupItem,
  IntentItem,
  LeadItem,
  PageviewItem,
  RecordItem,
} from '../../../schemas/reading.ts';
import { waitingOf } from '../../../schemas/waiting.ts';
import { instant } from '../../protocol/encode.ts';
import type { Receipt } from '../../store/erasures.ts';
import type { KeptGroup } from '../../store/groups.ts';
import type { KeptEvent } from '../../store/log.ts';
import type { KeptRecord } from '../../store/records.ts';

const times = ({ createdAt, updatedAt }: { createdAt: number; updatedAt: number }) => ({
  createdAt: instant(createdAt),
  updatedAt: instant(updatedAt),
});

/** @param told who has it open, and how far the admin has read who asks; undefined where none does */
export function groupItem(
  dealerId: string,
  group: KeptGroup,
  { admins, readByMe }: { readonly admins: readonly string[]; readonly readByMe?: number },
): Static<typeof GroupItem> {
  const { mutedBy, lastMessage, groupId, online, closed, unread, seq, adminRead, customerRead } = group;
  return {
    dealerId,
    groupId,
    online,
    muted: mutedBy !== null,
    ...(mutedBy !== null && { mutedBy }),
    closed,
    unread,
    seq,
    lastMessage: lastMessage && messageItem(lastMessage),
    adminRead,
    customerRead,
    admins: [...admins],
    waiting: waitingOf(group),
    assignee: group.assignee,
    ...(readByMe !== undefined && { readByMe }),
    ...(group.setAside && { setAside: true as const }),
    ...times(group),
  };
}

/** The last message, all that was said of it but what the group itself tells. */
function messageItem({ seq, at, payload }: NonNullable<KeptGroup['lastMessage']>) {
  const {
    type: _,
    dealerId: __,
    groupId: ___,
    muted: ____,
    unread: _____,
    waiting: ______,
    ...said
  } = JSON.parse(payload);
  return { seq, at: instant(at), ...said };
}

/** Fields of a record, and those that are the customer's word, where any is [P-6.5]. */
const knownOf = ({ fields, customer }: KeptRecord) => ({
  fields,
  ...(Object.keys(customer).length > 0 && { customer }),
});

export const recordItem = (dealerId: string, record: KeptRecord): Static<typeof RecordItem> => ({
  dealerId,
  groupId: record.groupId,
  ...knownOf(record),
  ...times(record),
});

/** @param sameAs other groups of the same customer; undefined where there are none */
export const leadItem = (
  dealerId: string,
  record: KeptRecord,
  sameAs: string[] | undefined,
): Static<typeof LeadItem> => ({ ...recordItem(dealerId, record), ...(sameAs && { sameAs }) });

export const intentItem = (dealerId: string, record: KeptRecord): Static<typeof IntentItem> => ({
  dealerId,
  groupId: record.groupId,
  intent: record.intent ?? '',
  ...knownOf(record),
  ...times(record),
});

export const pageviewItem = (
  dealerId: string,
  { seq, id, at, groupId, payload }: KeptEvent,
): Static<typeof PageviewItem> => ({
  dealerId,
  groupId: groupId ?? '',
  seq,
  id,
  at: instant(at),
  fields: JSON.parse(payload).message,
});

export const receiptItem = (dealerId: string, { at, reason, ...counts }: Receipt): Static<typeof ErasureReceipt> => ({
  dealerId,
  ...counts,
  reason: reason === 'retention' ? reason : 'request',
  at: instant(at),
});
