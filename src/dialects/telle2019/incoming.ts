/** [P-19.2] From the payloads of 2019 to Telle's own: a pure translation, dispatched by `type`. What is in neither language stays as it is. */
import { type Fields, fieldsIn, filled, INTENT, known, LEAD, nameOf, PERSON, VISIT } from './records.ts';
import { heldIn } from './text.ts';

/** The intent of whoever wants something and does not say what. */
export const UNNAMED = 'inquiry';

/** The group that a payload names: by `sid`, or only inside its record, where not by `groupId`. */
function groupIdOf({ groupId, sid }: Fields, fields: Fields | null): unknown {
  return [groupId, sid, fields?.sessionId].find((each) => each !== undefined && each !== null && each !== '');
}

/** The dealer and the group that a payload names. */
export const namesIn = (payload: Fields) => ({
  dealerId: payload.dealerId,
  groupId: groupIdOf(payload, fieldsIn(payload.message)),
});

/** An update of a record, whose fields are made of those that came. What is no record is left for its check to name. */
function update(payload: Fields, type: string, make: (fields: Fields) => Fields): Fields {
  const fields = fieldsIn(payload.message);
  const { dealerId, message } = payload;
  return { type, dealerId, groupId: groupIdOf(payload, fields), message: fields === null ? message : make(fields) };
}

const person = ({ customer, name, email, phone, department }: Fields): Fields =>
  filled({ name: nameOf(customer ?? name), email, phone, department });

/** The lead of whom it is known who it is, before what that one wants. */
function withLead(payload: Fields, intent: Fields, of: (fields: Fields) => Fields): Fields[] {
  const lead = of(fieldsIn(payload.message) ?? {});
  return Object.keys(lead).length === 0 ? [intent] : [update(payload, 'UPDATE_LEAD', () => lead), intent];
}

/** An intent without a name: it is made where there is none yet, and so is the lead. One with a name is Telle's own. */
function unnamed(payload: Fields): readonly Fields[] {
  const fields = fieldsIn(payload.message);
  if (fields !== null && fields.intent !== undefined) return [{ ...payload, groupId: groupIdOf(payload, fields) }];
  const wants = (said: Fields) => ({ ...known(said, INTENT), intent: UNNAMED });
  return withLead(payload, update(payload, 'CREATE_LEAD_INTENT', wants), person);
}

/** Somebody asks for one vehicle. */
function inquiry(payload: Fields): readonly Fields[] {
  const vehicle = ({ vin, stock }: Fields) => filled({ vin, stock });
  const lead = ({ vin, stock, ...more }: Fields) => ({ ...known(more, LEAD), vehicle: vehicle({ vin, stock }) });
  const wants = ({ title, price, ...more }: Fields) =>
    filled({ intent: 'buy', title, price, vehicle: vehicle(more), notes: more.note });
  return [update(payload, 'UPDATE_LEAD', lead), update(payload, 'CREATE_LEAD_INTENT', wants)];
}

/** The name of a person, as Dialogflow may say it. */
const named = (who: unknown): unknown => fieldsIn(who)?.name ?? who;

/** Somebody wants to come. */
function appointment(payload: Fields): readonly Fields[] {
  const wants = (fields: Fields) => {
    const { VehicleMake: make, VehicleModel: model, VehicleYear: year, ...said } = fields;
    const { test_drive_date: date, test_drive_time: time, person: _, email: __, 'phone-number': ___, ...more } = said;
    const vehicle = filled({ make, model, year });
    const preferredTime = [date, time].filter(Boolean).join(' ');
    return { ...known(more, INTENT), ...filled({ intent: 'test_drive', preferredTime, vehicle }) };
  };
  return withLead(
    payload,
    update(payload, 'CREATE_LEAD_INTENT', wants),
    ({ person: who, email, 'phone-number': phone }) => person({ name: named(who), email, phone }),
  );
}

const visit = (payload: Fields) => [update(payload, 'UPDATE_PAGEVIEW', (fields) => known(fields, VISIT))];

const READ: ReadonlyMap<unknown, (payload: Fields) => readonly Fields[]> = new Map([
  ['UPDATE_MSG', (payload: Fields) => [{ ...payload, ...heldIn(payload.message) }]],
  ['SYS_MSG', (payload: Fields) => [{ ...payload, ...heldIn(payload.message) }]],
  ['MUTE_BOT', (payload: Fields) => [payload.muted === false ? { ...payload, type: 'UNMUTE_BOT' } : payload]],
  ['UPDATE_USER', (payload: Fields) => [update(payload, 'UPDATE_USER', (fields) => known(fields, PERSON))]],
  ['UPDATE_USER_PV', visit],
  ['UPDATE_PAGEVIEW', visit],
  ['UPDATE_LEAD', (payload: Fields) => [update(payload, 'UPDATE_LEAD', (fields) => known(fields, LEAD))]],
  ['CREATE_LEAD_INTENT', unnamed],
  ['UPDATE_LEAD_INTENT', unnamed],
  ['CREATE_LEAD_INQUIRY', inquiry],
  ['CREATE_APPT_INTENT', appointment],
  ['UPDATE_NOTIFICATION', (payload: Fields) => [update({ ...payload, message: payload }, 'UPDATE_LEAD', person)]],
]);

/** Reads a payload of 2019: the payloads of Telle's that it stands for, in order. */
export const readPayload = (payload: Fields): readonly Fields[] => READ.get(payload.type)?.(payload) ?? [payload];
