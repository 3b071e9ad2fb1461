import type { Context } from '../context.ts';
import { isAllowed } from './access.ts';
import { keyNames } from './key.ts';
import { ADMIN, isKeyId, isUserId, userName } from './viewer.ts';

/** A user or an API key, as the creator of something. */
export interface UserRef {
  /** `Viewer.id`. */
  id: string;
  kind: 'user' | 'key';
}

/** Returns the creator that a row names; null: an anonymous viewer. */
export function toUserRef(owner: string | null): UserRef | null {
  return owner === null ? null : { id: owner, kind: isKeyId(owner) ? 'key' : 'user' };
}

/**
 * Returns the names of creators by `Viewer.id`: those of users of this server, which their ids contain, and those of API
 * keys if the viewer may see more than public media. Other issuers do not tell the names of their users.
 */
export async function creatorNames(
  ctx: Context,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const users = ids.filter(isUserId).map((id) => [id, userName(id)] as const);
  if (!isAllowed(ctx, 'media.read')) return new Map(users);
  return new Map([...users, [ADMIN.id, 'admin'], ...(await keyNames(ctx, ids))]);
}
