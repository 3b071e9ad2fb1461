import { findKeyByUuid } from '../../store/viewer/key.ts';
import { findUserByName } from '../../store/viewer/user.ts';
import type { Services } from '../context.ts';
import { ForbiddenError } from '../error.ts';
import { resolveStartNodes, storedStartNodes } from './start-node.ts';
import {
  ADMIN,
  isKeyId,
  isUserId,
  type KnownViewer,
  keyUuid,
  ROLES,
  type Role,
  userName,
} from './viewer.ts';

/** The viewer who started a job, as it was then. */
export interface Starter {
  id: string;
  role: string;
  /** Ids of its start nodes; undefined: it had none. */
  startNodeIds?: readonly number[] | undefined;
}

type StarterServices = Pick<Services, 'db' | 'pending' | 'clock'>;

/**
 * Returns the viewer who started a job, with the rights that it has now: at most those that it had then. What another
 * issuer says of its users is not known later, so they keep theirs. Throws ForbiddenError if the user or the key has
 * been removed.
 */
export async function starterNow(
  services: StarterServices,
  starter: Starter,
): Promise<KnownViewer> {
  const { id } = starter;
  const role = toRole(starter.role);
  const kind = isKeyId(id) ? 'key' : 'user';
  if (id === ADMIN.id) return { ...ADMIN, role };
  const row = await rowOf(services, id);
  if (row === null) {
    const { startNodeIds } = starter;
    if (startNodeIds === undefined) return { kind, id, role };
    return { kind, id, role, startNodes: await resolveStartNodes(services, startNodeIds) };
  }
  const viewer = { kind, id, role: lower(role, toRole(row.role)) } as const;
  if (row.start_nodes === null) return viewer;
  return { ...viewer, startNodes: await storedStartNodes(services, row.start_nodes) };
}

/** Returns the row of a user or a key; null for a user of another issuer. */
async function rowOf({ db, clock }: StarterServices, id: string) {
  if (isKeyId(id)) {
    const key = await findKeyByUuid(db, keyUuid(id));
    const isValid = key && key.revoked_at === null && (key.expires_at ?? Infinity) > clock();
    if (isValid) return key;
    throw new ForbiddenError('The key that started the job is no longer valid.');
  }
  if (!isUserId(id)) return null;
  const user = await findUserByName(db, userName(id));
  if (user === undefined) throw new ForbiddenError('The user who started the job is gone.');
  return user;
}

function toRole(text: string): Role {
  return ROLES.find((role) => role === text) ?? 'reader';
}

function lower(a: Role, b: Role): Role {
  return ROLES.indexOf(a) < ROLES.indexOf(b) ? a : b;
}
