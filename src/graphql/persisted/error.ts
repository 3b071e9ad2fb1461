import { GraphQLError } from 'graphql';

/**
 * The server does not know the document of a hash. Apollo's and urql's clients then send the document as well. They look
 * for exactly this message or code. The status is 200, because some clients read no body of another one.
 */
export function persistedQueryNotFound(): GraphQLError {
  const http = { status: 200, headers: { 'cache-control': 'private, no-store' } };
  const extensions = { code: 'PERSISTED_QUERY_NOT_FOUND', http };
  return new GraphQLError('PersistedQueryNotFound', { extensions });
}

/** The document is not the one that the hash belongs to. */
export function hashMismatch(): GraphQLError {
  const message = '`sha256Hash` is not the SHA-256 of `query`, as 64 lower-case hex digits.';
  return refusal(400, 'PERSISTED_QUERY_HASH_MISMATCH', message);
}

/** `extensions.persistedQuery` is malformed. */
export function malformedHash(): GraphQLError {
  const message = 'Expected `extensions.persistedQuery: { version: 1, sha256Hash: "…" }`.';
  return refusal(400, 'BAD_REQUEST', message);
}

/** The id of a document is no text. */
export function malformedId(): GraphQLError {
  const message =
    'Expected the id of a document (`documentId`, `id` or `doc_id`) as a string, not empty.';
  return refusal(400, 'BAD_REQUEST', message);
}

/** The client names a document, but the server has no manifest. */
export function idNotSupported(): GraphQLError {
  const message = 'This server has no documents with ids (TRIVIUM_PERSISTED_ONLY). Send `query`.';
  return refusal(400, 'PERSISTED_QUERY_NOT_SUPPORTED', message);
}

/** The server runs the documents of its manifest only. */
export function persistedOnly(id: string | undefined): GraphQLError {
  const reason =
    id === undefined
      ? 'Send the id of one as `documentId`, `id`, `doc_id` or `extensions.persistedQuery.sha256Hash`.'
      : 'It has none with this id.';
  const message = `This server runs the documents of its manifest only (TRIVIUM_PERSISTED_ONLY). ${reason}`;
  return refusal(403, 'PERSISTED_QUERY_ONLY', message);
}

function refusal(status: number, code: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { status } } });
}
