import type { Context } from '../context.ts';
import { SYSTEM } from './viewer.ts';

/** A viewer or an address to which limits apply. */
export interface Subject {
  /** `viewer:<id>`, `anonymous:<client hash>` or `address:<client hash>`, as in the table `usage`. */
  name: string;
  /** Whether the subject is an address, whose limits hold for all its viewers together. */
  isAddress: boolean;
}

/** Parts of a context that determine its subjects. */
export type Sender = Pick<Context, 'viewer' | 'client'>;

/**
 * Returns the subjects whose limits apply to a request: the viewer and its address. All anonymous clients of one
 * address are one viewer. Background work has no subjects.
 */
export function subjectsOf(sender: Sender): Subject[] {
  const viewer = viewerSubject(sender);
  const { hash } = sender.client ?? {};
  return [
    ...(viewer === '' ? [] : [{ name: viewer, isAddress: false }]),
    ...(hash === undefined ? [] : [{ name: `address:${hash}`, isAddress: true }]),
  ];
}

/** Returns the viewer's subject name; an empty text for the server itself and for an unknown client. */
export function viewerSubject({ viewer, client }: Sender): string {
  if (viewer.id === SYSTEM.id) return '';
  if (viewer.id !== null) return `viewer:${viewer.id}`;
  return client === undefined ? '' : `anonymous:${client.hash}`;
}
