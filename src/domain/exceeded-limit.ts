/** A limit that a request would exceed. */
export interface ExceededLimit {
  name: LimitName;
  /** Maximum that the sender may have, or may send within the window. */
  limit: number;
  /** Length of the window of a rate. Absent if the limit is on what exists at one time. */
  windowSeconds?: number;
}

/** Limits on what one viewer, or one address, may send and have. */
export type LimitName =
  | 'requests'
  | 'subscriptions'
  | 'archives'
  | 'upload-sessions'
  | 'promised-bytes'
  | 'stored-bytes'
  | 'items';

/** Returns the message for a client that has sent too many requests, or has too many streams or uploads open. */
export function tooManyText({ name, limit }: ExceededLimit): string {
  switch (name) {
    case 'requests':
      return `More than ${limit} requests arrived in one second. Try again later.`;
    case 'upload-sessions':
      return `The limit of ${limit} open upload sessions is reached. Complete or abort one first.`;
    case 'promised-bytes':
      return `The files of all open upload sessions may have at most ${limit} bytes together. Complete or abort one first.`;
    default:
      return `The limit of ${limit} ${name} at once is reached. Try again later.`;
  }
}
