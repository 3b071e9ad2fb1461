import type { Context } from '../context.ts';
import { SYSTEM } from './viewer.ts';

/** Who a limit counts for: a viewer, or the address that it sends from. */
export interface Subject {
  /** `viewer:<id>`, `anonymous:<client hash>` or `address:<client hash>`, as in the table `usage`. */
  name: string;
  /** Whether the limit is that of all viewers of an address together. */
  isAddress: boolean;
}

/** The parts of a context that decide its subjects. */
export type Sender = Pick<Context, 'viewer' | 'client'>;

/**
 * Returns who limits of a request count for: the viewer and its address. All anonymous clients of one address are one
 * viewer. Background work of the server has none.
 */
export function subjectsOf(sender: Sender): Subject[] {
  const viewer = viewerSubject(sender);
  const { hash } = sender.client ?? {};
  return [
    ...(viewer === '' ? [] : [{ name: viewer, isAddress: false }]),
    ...(hash === undefined ? [] : [{ name: `address:${hash}`, isAddress: true }]),
  ];
}

/** Returns the viewer's name among subjects; an empty text for the server itself and for an unknown client. */
export function viewerSubject({ viewer, client }: Sender): string {
  if (viewer.id === SYSTEM.id) return '';
  if (viewer.id !== null) return `viewer:${viewer.id}`;
  return client === undefined ? '' : `anonymous:${client.hash}`;
}
