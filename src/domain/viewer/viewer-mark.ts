import { createHmac } from 'node:crypto';
import type { Services } from '../context.ts';
import { findViewerByKeyId } from './key.ts';
import { findViewerBySessionId } from './session.ts';
import { resolveStartNodes } from './start-node.ts';
import { ADMIN, ANONYMOUS, type Role, type Viewer } from './viewer.ts';

/**
 * The part of a signed URL that names the viewer who made it. The rights of the viewer are looked up when the URL is
 * used, so that a URL ends with its key or session. A token of another issuer cannot be looked up: its rights are part of the
 * mark.
 */
export type ViewerMark =
  | { kind: 'anonymous' }
  | { kind: 'session'; id: number }
  | { kind: 'key'; id: string }
  | { kind: 'admin key'; digest: string }
  | { kind: 'token'; id: string; role: Role; startNodeIds: number[] | null };

/** Returns the mark of a viewer. */
export function markOf(services: Services, viewer: Viewer): ViewerMark {
  if (viewer.kind === 'anonymous') return { kind: 'anonymous' };
  const { kind, id, role, sessionId, startNodes } = viewer;
  if (sessionId !== undefined) return { kind: 'session', id: sessionId };
  if (id === ADMIN.id) return { kind: 'admin key', digest: adminDigests(services)[0] ?? '' };
  if (kind === 'key') return { kind, id };
  return { kind: 'token', id, role, startNodeIds: startNodes?.map(({ id }) => id) ?? null };
}

/** Returns the viewer of a mark with the rights that it has now; null if its key or session is no longer valid. */
export async function viewerOfMark(services: Services, mark: ViewerMark): Promise<Viewer | null> {
  switch (mark.kind) {
    case 'anonymous':
      return ANONYMOUS;
    case 'session':
      return findViewerBySessionId(services, mark.id);
    case 'key':
      return findViewerByKeyId(services, mark.id);
    case 'admin key':
      return adminDigests(services).includes(mark.digest) ? ADMIN : null;
    case 'token': {
      const { id, role, startNodeIds } = mark;
      const viewer = { kind: 'user', id, role } as const;
      if (startNodeIds === null) return viewer;
      return { ...viewer, startNodes: await resolveStartNodes(services, startNodeIds) };
    }
  }
}

/** Returns a digest of the admin key with each key of signed URLs: without one of these, nobody can test guesses of it. */
function adminDigests({ urlKeys, adminKeySha256 }: Services): string[] {
  return urlKeys.map((key) =>
    createHmac('sha256', key).update(`admin key ${adminKeySha256}`).digest('base64url'),
  );
}
