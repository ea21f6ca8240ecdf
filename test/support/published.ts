/** Holds what tests send and get to the published schemas: those that are needed, each compiled once in a process. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { type FrameKind, frameSchema, type Sender } from '../../schemas/frame-kinds.ts';
import { type JsonSchema, rewrittenSchema } from '../../schemas/json-schema.ts';
import { FRAMES, PUBLISHED } from '../../schemas/published.ts';
import type { Frame } from './frame.ts';

/** [P-2.4] What Telle sends holds no field that nobody knows, though a client would ignore one. */
const closed = (schema: JsonSchema): JsonSchema =>
  rewrittenSchema(schema, (object) =>
    'properties' in object && 'type' in object ? { additionalProperties: false, ...object } : object,
  );

/** Quick to compile, for a process that checks a few hundred frames: that the schemas are good has a test of its own. */
const QUICK = { strict: false, meta: false, validateSchema: false, inlineRefs: false, code: { optimize: false } };

function ajvOf(change: (schema: JsonSchema) => JsonSchema): Ajv2020 {
  const ajv = new Ajv2020(QUICK);
  for (const schema of PUBLISHED.values()) ajv.addSchema(change(schema));
  return ajv;
}

const isTelles = ({ sender }: FrameKind) => sender === 'telle';
let ajvs: { sent: Ajv2020; told: Ajv2020 } | undefined;
const compiled = new Map<FrameKind, ValidateFunction>();

function validatorOf(kind: FrameKind): ValidateFunction {
  ajvs ??= { sent: ajvOf((schema) => schema), told: ajvOf(closed) };
  const found = compiled.get(kind);
  if (found) return found;
  const schema = frameSchema(kind);
  const validate = isTelles(kind) ? ajvs.told.compile(closed(schema)) : ajvs.sent.compile(schema);
  compiled.set(kind, validate);
  return validate;
}

/**
 * What is wrong with a frame, or null. The frame schema of a sender (`CustomerFrame`, …, `DeliveredFrame`) is one of its
 * kinds of frame, told apart by channel and type: only that one is compiled, and said in the answer.
 */
export function faultsOf(sender: Sender, frame: Frame): string | null {
  const { channel, payload } = frame;
  const kind = FRAMES[sender].find((each) => each.channel === channel && [null, payload?.type].includes(each.type));
  if (!kind) return `no frame of ${sender} on ${channel} with type ${payload?.type} is published`;
  const validate = validatorOf(kind);
  if (validate(frame)) return null;
  const faults = validate.errors?.map(({ instancePath, message }) => `${instancePath} ${message}`);
  return `not as ${kind.name} is published: ${faults?.join(', ')}`;
}
