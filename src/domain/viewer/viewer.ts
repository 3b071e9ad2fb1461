import type { Subtree } from '../../store/path.ts';

/** The roles in ascending order: a role may do everything that those before it may. */
export const ROLES = ['reader', 'editor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** The sender of a request. */
export type Viewer = AnonymousViewer | KnownViewer;

/** A sender without a credential. */
export interface AnonymousViewer {
  kind: 'anonymous';
  id: null;
}

/** A sender with a valid credential. */
export interface KnownViewer {
  /** `user`: named by a token; `key`: an API key, which includes the admin key. */
  kind: 'user' | 'key';
  /** Stable; recorded as the owner of everything that the viewer creates. A key's id begins with `key:`. */
  id: string;
  role: Role;
  /** The subtrees that the viewer is limited to. Absent: no limit. Empty: no part of the tree. */
  startNodes?: readonly StartNode[];
  /** The session whose token the request has. Absent: it has another credential. */
  sessionId?: number;
}

/** A node that a viewer is limited to, with everything below it. */
export type StartNode = Subtree;

const USER_ID = 'user:';
const KEY_ID = 'key:';

/** Returns the `Viewer.id` of a user of this server. No other issuer's names and no key's ids look like it. */
export function userId(name: string): string {
  return `${USER_ID}${name}`;
}

/** Tells whether an id is one that only users of this server have. */
export function isUserId(id: string): boolean {
  return id.startsWith(USER_ID);
}

/** Returns the name in the `Viewer.id` of a user of this server. */
export function userName(id: string): string {
  return id.slice(USER_ID.length);
}

/** Returns the `Viewer.id` of a key. */
export function keyId(uuid: string): string {
  return `${KEY_ID}${uuid}`;
}

/** Tells whether this is the `Viewer.id` of a key. */
export function isKeyId(id: string): boolean {
  return id.startsWith(KEY_ID);
}

/** Returns the uuid in the `Viewer.id` of a key, or of a uuid itself. */
export function keyUuid(id: string): string {
  return isKeyId(id) ? id.slice(KEY_ID.length) : id;
}

/** The viewer of a request without a credential. */
export const ANONYMOUS: AnonymousViewer = { kind: 'anonymous', id: null };

/** The holder of the admin key. */
export const ADMIN: KnownViewer = { kind: 'key', id: 'key:admin', role: 'admin' };

/** The server itself, as the viewer of background work. */
export const SYSTEM: KnownViewer = { kind: 'key', id: 'key:system', role: 'admin' };
