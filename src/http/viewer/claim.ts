import type { JWTPayload } from 'jose';
import { isUserId, type KnownViewer, ROLES, type Role } from '../../domain/viewer/viewer.ts';
import { cleanName } from '../../lib/name.ts';

/**
 * Returns the viewer of a verified token of another issuer, or null. `user_id` is SelfCommunity's claim, and `u.id` the one of the Importer's own
 * service (Importer contract §1.2). A `token_type` other than `access` marks a refresh token.
 */
export function viewerOfClaims(payload: JWTPayload): KnownViewer | null {
  const ofImporter = importerClaims(payload);
  const own = payload.user_id ?? payload.sub;
  const id = own ?? ofImporter?.id;
  // A user of another issuer must not be named like a key or a user of this server, because such a
  // user would own their media.
  const isReserved = (id: string) => id.startsWith('key:') || isUserId(id);
  const isName = typeof id === 'string' && cleanName(id) !== '' && !isReserved(id);
  const isId = isName || Number.isSafeInteger(id);
  const isAccess = payload.token_type === undefined || payload.token_type === 'access';
  // `r` belongs to `u`. `role` counts beside it only if another claim names the user.
  const isImporters = own == null || payload.role === undefined;
  const role = toRole(isImporters ? (ofImporter?.role ?? payload.role) : payload.role);
  return isId && isAccess ? { kind: 'user', id: String(id), role } : null;
}

// Tokens of a community carry no role: its members may add media. An unknown role counts as the
// lowest.
function toRole(claim: unknown): Role {
  if (claim === undefined) return 'editor';
  return ROLES.find((role) => role === claim) ?? 'reader';
}

/** Returns user and role of a token of the Importer's own service; null for other tokens. */
function importerClaims({ u: user, r: claim }: JWTPayload): { id: unknown; role: Role } | null {
  if (typeof user !== 'object' || user === null || !('id' in user)) return null;
  const isName = typeof claim === 'string';
  const [, role = 'reader'] = ROLES_OF_IMPORTER.find(([name]) => isName && name.test(claim)) ?? [];
  return { id: user.id, role };
}

/** Roles of that service, contract §1.2. An unknown one counts as the lowest. */
const ROLES_OF_IMPORTER: readonly (readonly [RegExp, Role])[] = [
  [/^(admin|system)$/, 'admin'],
  [/^(user|org_owner|(api\/)?project_rw_\w+)$/, 'editor'],
];
