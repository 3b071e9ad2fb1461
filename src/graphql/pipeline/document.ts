import {
  type DocumentNode,
  GraphQLError,
  Lexer,
  parse,
  Source,
  TokenKind,
  validate,
} from 'graphql';
import type { Viewer } from '../../domain/viewer/viewer.ts';
import { schema } from '../schema.ts';
import { createDocumentCache } from './document-cache.ts';
import { checkLimit, introspectionRefusal, RefusedOperationError } from './limit.ts';
import { measureDocument, type Shape } from './shape.ts';

/** Maximum number of errors of one document. Each looks for a name that may be meant. */
const ERRORS_MAX = 10;

/** Settings of the documents. */
export interface DocumentOptions {
  /** Whether anyone may read `__schema` and `__type`. If false, a credential is needed. */
  isIntrospectionPublic: boolean;
}

/** Parses and validates documents, each once while it is in the cache. */
export interface Documents {
  /** Throws RefusedOperationError for a document that is too long, GraphQLError for one that is malformed. */
  parse: (text: string) => DocumentNode;
  /**
   * Returns the errors of a document. Throws RefusedOperationError for one beyond the limits, and for one that reads the
   * schema if the viewer may not.
   */
  validate: (document: DocumentNode, viewer: Viewer) => readonly GraphQLError[];
}

/** Creates the reader of documents, with its cache. */
export function createDocuments({ isIntrospectionPublic }: DocumentOptions): Documents {
  const documents = createDocumentCache();
  const introspective = new WeakSet<DocumentNode>();
  const validated = new WeakMap<DocumentNode, readonly GraphQLError[]>();
  return {
    parse(text) {
      const known = documents.get(text);
      if (known !== undefined) return known;
      const document = parseWithinLimits(text);
      documents.set(text, document);
      return document;
    },
    validate(document, viewer) {
      const isRefused = !isIntrospectionPublic && viewer.kind === 'anonymous';
      const known = validated.get(document);
      if (known !== undefined) {
        // Another viewer may have sent it before.
        if (isRefused && introspective.has(document)) throw introspectionRefusal();
        return known;
      }
      // Checked before validation, some of whose rules are slow for documents beyond a limit.
      const shape = measureDocument(document);
      checkShape(shape);
      if (shape.isIntrospective) introspective.add(document);
      if (isRefused && shape.isIntrospective) throw introspectionRefusal();
      const errors = validate(schema, document, undefined, {
        maxErrors: ERRORS_MAX,
      }).map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED'));
      validated.set(document, errors);
      return errors;
    },
  };
}

function checkShape(shape: Shape): void {
  for (const limited of ['operations', 'directives', 'depth', 'aliases'] as const) {
    checkLimit(limited, shape[limited]);
  }
}

function parseWithinLimits(text: string): DocumentNode {
  checkLimit('characters', text.length);
  try {
    scanTokens(text);
    return parse(text);
  } catch (error) {
    throw error instanceof RefusedOperationError ? error : withCode(error, 'GRAPHQL_PARSE_FAILED');
  }
}

/**
 * Counts tokens before the parser runs. The parser's own limit comes too late for nested brackets, because the parser
 * recurses for each of them.
 */
function scanTokens(text: string): void {
  const lexer = new Lexer(new Source(text));
  let tokens = 0;
  let nesting = 0;
  while (lexer.advance().kind !== TokenKind.EOF) {
    const { kind } = lexer.token;
    if (OPENING.has(kind)) nesting++;
    if (CLOSING.has(kind)) nesting--;
    checkLimit('tokens', ++tokens);
    checkLimit('nesting', nesting);
  }
}

const OPENING = new Set<TokenKind>([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const CLOSING = new Set<TokenKind>([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);

/**
 * Returns the error with a code. With `spec`, the status is 200 for clients that accept `application/json`, as GraphQL
 * over HTTP §6.4.1 requires.
 */
function withCode(error: unknown, code: string): GraphQLError {
  if (!(error instanceof GraphQLError)) throw error;
  const { message, nodes = null, source, positions } = error;
  const extensions = { code, http: { spec: true, status: 400 } };
  return new GraphQLError(message, { nodes, source, positions, extensions });
}
