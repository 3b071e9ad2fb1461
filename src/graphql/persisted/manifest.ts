import { parse } from 'graphql';
import { parseJsonFile } from '../../lib/json.ts';

/** The documents of a manifest, by their ids. */
export type Manifest = ReadonlyMap<string, string>;

/** A file is not a manifest of persisted documents. The message says why. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
}

/**
 * Parses a manifest: the `persisted-documents.json` of GraphQL Code Generator and the `persistConfig.file` of Relay's
 * compiler, which are objects of documents by hash, or the manifest of Apollo's `generate-persisted-query-manifest`. A
 * document that the schema does not know is accepted, because a manifest also holds those of older clients. Throws
 * ManifestError.
 */
export function parseManifest(text: string): Manifest {
  const manifest = new Map<string, string>();
  for (const [id, document] of readEntries(parseJson(text))) {
    checkDocument(id, document);
    if ((manifest.get(id) ?? document) !== document) {
      throw new ManifestError(`it has two documents with the id "${id}"`);
    }
    manifest.set(id, document);
  }
  if (manifest.size === 0) throw new ManifestError('it has no documents');
  return manifest;
}

function parseJson(text: string): unknown {
  try {
    return parseJsonFile(text);
  } catch {
    throw new ManifestError('it is not JSON');
  }
}

function readEntries(content: unknown): [id: string, document: string][] {
  if (!isRecord(content)) throw new ManifestError(`expected ${BY_HASH} or ${APOLLO}`);
  if (!('operations' in content)) return readTexts(content);
  const { format, version, operations } = content;
  const isApollos = format === 'apollo-persisted-query-manifest' && version === 1;
  if (!isApollos || !Array.isArray(operations)) throw new ManifestError(`expected ${APOLLO}`);
  return operations.map((operation: unknown) => {
    const { id, body } = isRecord(operation) ? operation : {};
    if (isText(id) && isText(body)) return [id, body];
    throw new ManifestError('each of `operations` must have an `id` and a `body`');
  });
}

function readTexts(content: Record<string, unknown>): [id: string, document: string][] {
  return Object.entries(content).map(([id, document]) => {
    if (isText(id) && isText(document)) return [id, document];
    throw new ManifestError(`expected ${BY_HASH}; "${id}" has none`);
  });
}

const BY_HASH = 'an object of documents by their hashes';

/** https://www.apollographql.com/docs/graphos/platform/security/persisted-queries#manifest-format */
const APOLLO =
  'a manifest of Apollo: `format` "apollo-persisted-query-manifest", `version` 1, and `operations`';

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function checkDocument(id: string, document: string): void {
  try {
    parse(document, { noLocation: true });
  } catch (error) {
    throw new ManifestError(`the document "${id}" is malformed: ${(error as Error).message}`);
  }
}
