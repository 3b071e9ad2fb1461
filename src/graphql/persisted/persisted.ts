import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Viewer } from '../../domain/viewer/viewer.ts';
import { checkLimit } from '../pipeline/limit.ts';
import {
  hashMismatch,
  idNotSupported,
  malformedHash,
  malformedId,
  persistedOnly,
  persistedQueryNotFound,
} from './error.ts';
import type { Manifest } from './manifest.ts';

/** Maximum length of all documents together that clients have registered, in characters: 4 MB at most. */
const CHARACTERS_MAX = 2_000_000;

/** The parameters of an operation, with its document. */
export interface Resolved {
  /** As sent, without the ids of a document. */
  params: Record<string, unknown>;
  /** Call this once the operation has been accepted: remembers its document for the next request. */
  remember?: () => void;
}

/**
 * Finds the document of an operation that names it by an id: in the manifest, or among those that clients have
 * registered (Apollo's automatic persisted queries). Throws GraphQLError.
 */
export type ResolveDocument = (body: object, viewer: Viewer) => Resolved;

/**
 * Creates a `ResolveDocument`. With a manifest, everyone but an admin may run its documents only. Each process remembers
 * the documents that clients register. It forgets the least recently used first, so that nobody can fill its memory;
 * clients register a forgotten one again.
 */
export function createResolveDocument(manifest: Manifest | null): ResolveDocument {
  const registered = new LRUCache<string, string>({
    maxSize: CHARACTERS_MAX,
    sizeCalculation: (text) => text.length,
  });
  return (body, viewer) => {
    const { documentId, id, doc_id, ...params } = body as Record<string, unknown>;
    const hash = readHash(params.extensions);
    const named = [documentId, id, doc_id].filter((one) => one !== undefined && one !== null);
    const ids = [...named, hash].filter(isId);
    if (!params.query && ids.length === 0 && named.length > 0) throw malformedId();
    const persisted = manifest === null ? undefined : find(manifest, ids);
    if (persisted !== undefined) return { params: { ...params, query: persisted } };
    if (manifest !== null && !isAdmin(viewer)) throw persistedOnly(ids[0]);
    const { query } = params;
    if (hash === undefined) {
      if (!query && ids.length > 0) throw idNotSupported();
      return { params };
    }
    if (!query) {
      const known = registered.get(hash);
      if (known === undefined) throw persistedQueryNotFound();
      return { params: { ...params, query: known } };
    }
    // Yoga refuses any other value.
    if (typeof query !== 'string') return { params };
    checkLimit('characters', query.length);
    if (createHash('sha256').update(query).digest('hex') !== hash) throw hashMismatch();
    return { params, remember: () => void registered.set(hash, query) };
  };
}

/** Returns the hash that Apollo's protocol sends; undefined if there is none. */
function readHash(extensions: unknown): string | undefined {
  const { persistedQuery } = (extensions ?? {}) as { persistedQuery?: unknown };
  if (persistedQuery === undefined || persistedQuery === null) return undefined;
  const { version, sha256Hash } = persistedQuery as { version?: unknown; sha256Hash?: unknown };
  if (version !== 1 || !isId(sha256Hash)) throw malformedHash();
  return sha256Hash;
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/**
 * Returns the document with one of these ids. An id may say how it is made, in the request or in the manifest: `sha256:…`
 * (GraphQL over HTTP, "Persisted Documents").
 */
function find(manifest: Manifest, ids: readonly string[]): string | undefined {
  for (const id of ids) {
    const bare = id.replace(/^sha256:/, '');
    const document = manifest.get(id) ?? manifest.get(bare) ?? manifest.get(`sha256:${bare}`);
    if (document !== undefined) return document;
  }
  return undefined;
}

function isAdmin(viewer: Viewer): boolean {
  return viewer.kind !== 'anonymous' && viewer.role === 'admin';
}
