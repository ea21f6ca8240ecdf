/** A payload as a client of version 1 reads it: without the fields that came later. */
export function inVersion1<Payload extends object>(payload: Payload): Omit<Payload, 'waiting'> {
  const { waiting: _, ...known }: Payload & { waiting?: unknown } = payload;
  return known;
}
