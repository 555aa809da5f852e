/** A position in a person's change log, with the time of its change; 0 and 0 before the first. */
export interface Place {
  position: number;
  /** Milliseconds since 1970. */
  changedAt: number;
}

const FORMAT = 1;
const SIZE = 13;

/**
 * The opaque token of a place. The time serves to recognise the log: at the same position another person's, or the
 * database before it was restored, has another one.
 */
export function tokenOf({ position, changedAt }: Place): string {
  const bytes = Buffer.alloc(SIZE);
  bytes.writeUInt8(FORMAT);
  bytes.writeUIntBE(position, 1, 6);
  bytes.writeUIntBE(changedAt, 7, 6);
  return bytes.toString('base64url');
}

/** @returns undefined for what `tokenOf` never returned. */
export function placeOf(token: string): Place | undefined {
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.length !== SIZE || bytes[0] !== FORMAT) return undefined;
  const place = { position: bytes.readUIntBE(1, 6), changedAt: bytes.readUIntBE(7, 6) };
  return tokenOf(place) === token ? place : undefined;
}
