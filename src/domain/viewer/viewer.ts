/** From the least to the most: each may what those before it may. */
export const ROLES = ['reader', 'editor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Who asks. */
export type Viewer = AnonymousViewer | KnownViewer;

/** Who sent no credential. */
export interface AnonymousViewer {
  kind: 'anonymous';
  id: null;
}

/** Who sent a good one. */
export interface KnownViewer {
  /** `user`: named by a token; `key`: an API key, the admin key among them. */
  kind: 'user' | 'key';
  /** Stable; recorded as the owner of what the viewer makes. A key's begins with `key:`. */
  id: string;
  role: Role;
  /** What the viewer is limited to; absent: nothing. Empty: no part of the tree at all. */
  startNodes?: readonly StartNode[];
}

/** A node whose branch, itself included, a viewer is limited to. */
export interface StartNode {
  id: number;
  /** `path` of what is directly in it. */
  below: string;
}

/** The only one of its kind. */
export const ANONYMOUS: AnonymousViewer = { kind: 'anonymous', id: null };

/** The server itself, when it does what nobody waits for. */
export const SYSTEM: KnownViewer = { kind: 'key', id: 'key:system', role: 'admin' };

/** What of a node tells who may see it. */
export interface Placed {
  id: number;
  parent_id: number | null;
  /** Ids of its ancestors, `/1/5/`; empty when unfiled. */
  path: string;
  owner: string | null;
  /** 0 or 1. */
  is_public: number;
}
