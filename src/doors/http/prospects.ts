/** [P-11.3, P-14.5] Prospects: the customers of a page of leads or intents, as a CRM gets them. */
import { MAX_LIMIT } from '../../../schemas/lists.ts';
import type { Fields } from '../../../schemas/records.ts';
import { readInTurn } from '../../commands/turns.ts';
import type { Known } from '../../domain/state.ts';
import { isJsonObject } from '../../protocol/checker.ts';
import type { KeptRecord, RecordOfUser, RecordStore, RecordTable } from '../../store/records.ts';
import type { Prospect } from './adf.ts';
import { namesVehicle } from './adf-vehicles.ts';

/** The leads of the groups that some records are of. */
async function leadsFor(store: RecordStore, dealerId: string, of: readonly KeptRecord[]) {
  const groupIds = [...new Set(of.map(({ groupId }) => groupId))];
  if (groupIds.length === 0) return [];
  await readInTurn();
  return store.records('leads', dealerId, { groupIds, limit: groupIds.length });
}

const byGroup = (records: readonly KeptRecord[]): Map<string, KeptRecord> =>
  new Map(records.map((record) => [record.groupId, record]));

/** Fields of a record as a CRM gets them: by which id it knows the customer is the dealer's word alone [P-11.3]. */
function fieldsForCrm(record: Known | null | undefined): Fields | null {
  if (!record) return null;
  const { externalId, ...others } = record.fields;
  return externalId === record.customer.externalId ? others : record.fields;
}

/** The intents of the groups that some leads are of, by group, the newest first. Everybody else has turns meanwhile. */
async function intentsByGroup(
  store: RecordStore,
  dealerId: string,
  of: readonly KeptRecord[],
): Promise<Map<string, KeptRecord[]>> {
  const groups = new Map<string, KeptRecord[]>(of.map(({ groupId }) => [groupId, []]));
  for (let after: KeptRecord | undefined; ; ) {
    await readInTurn();
    const found = await store.intentsOf(dealerId, [...groups.keys()], after, MAX_LIMIT);
    for (const record of found) groups.get(record.groupId)?.push(record);
    after = found.at(-1);
    if (!after || found.length < MAX_LIMIT) break;
  }
  for (const intents of groups.values()) intents.sort((one, other) => other.createdAt - one.createdAt);
  return groups;
}

/** The last page views of a conversation that are asked which vehicle its customer looked at: what they weigh, and how many. */
const LAST_VIEWS = { limit: 20, bytes: 64 * 1024 };

/** [P-14.5] The vehicle that the customer looked at last, as far as the pages said which; null: none did. */
async function vehicleViewed(store: RecordStore, dealerId: string, groupId: string): Promise<Fields | null> {
  await readInTurn();
  for (const { payload } of await store.pageviews(dealerId, { groupId, ...LAST_VIEWS })) {
    const vehicle = vehicleOf(JSON.parse(payload).message);
    if (vehicle) return vehicle;
  }
  return null;
}

function vehicleOf({ vehicle, vin, stock }: Fields): Fields | null {
  const said = { ...(isJsonObject(vehicle) ? vehicle : {}), ...(vin ? { vin } : {}), ...(stock ? { stock } : {}) };
  return Object.keys(said).length > 0 ? said : null;
}

/** A prospect for each lead with all its intents, or for each intent with its lead. */
export async function prospectsOf(
  store: RecordStore,
  dealerId: string,
  table: RecordTable,
  records: readonly RecordOfUser[],
): Promise<Prospect[]> {
  const isIntents = table === 'lead_intents';
  const leads = byGroup(isIntents ? await leadsFor(store, dealerId, records) : records);
  const intentsOf = isIntents ? null : await intentsByGroup(store, dealerId, records);
  const prospects: Prospect[] = [];
  for (const record of records) {
    const { groupId, user, createdAt } = record;
    const intents = (intentsOf?.get(groupId) ?? [record]).map(({ intent, fields }) => ({
      intent: intent ?? '',
      fields,
    }));
    const lead = fieldsForCrm(leads.get(groupId));
    const viewed = namesVehicle(lead, intents) ? null : await vehicleViewed(store, dealerId, groupId);
    prospects.push({ groupId, user: fieldsForCrm(user), lead, intents, viewed, requestedAt: createdAt });
  }
  return prospects;
}
