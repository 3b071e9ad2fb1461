import type { FastifyRequest } from 'fastify';
import { type DocumentNode, getOperationAST, OperationTypeNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { schema } from '../schema.ts';
import type { DocumentCache } from './document-cache.ts';
import { type MeasureCost, withCost } from './limit.ts';
import { type OperationContext, run } from './run.ts';

/** What the shortcut has in common with Yoga. */
export interface ShortcutOptions {
  /** What Yoga has parsed, by its text. */
  documents: DocumentCache;
  measureCost: MeasureCost;
}

/** An answer with status 200. */
export interface Answer {
  contentType: string;
  body: string;
}

interface Params {
  query: string;
  operationName: string | null;
  variables: Record<string, unknown>;
}

/**
 * Answers plain requests ahead of Yoga, which makes a `Request` and a `Response` of each and spends more on
 * these than on the operation: JSON with a query or a mutation of a document that Yoga has run before, and so found
 * valid and within the limits. To anything else, wrong variables included, the answer here is null, and Yoga's counts.
 */
export function createShortcut({ documents, measureCost }: ShortcutOptions) {
  const runBefore = new WeakSet<DocumentNode>();
  const noteDocuments: Plugin = {
    onExecute: ({ args: { document } }) => void runBefore.add(document),
  };
  const answer = async (
    request: FastifyRequest,
    contextValue: OperationContext,
  ): Promise<Answer | null> => {
    const contentType = negotiate(request.headers.accept);
    const params = readParams(request);
    const document = params === null ? undefined : documents.get(params.query);
    if (contentType === null || params === null || !document || !runBefore.has(document)) {
      return null;
    }
    const { operationName, variables } = params;
    const operation = getOperationAST(document, operationName);
    if (!operation || operation.operation === OperationTypeNode.SUBSCRIPTION) return null;
    const args = { schema, document, contextValue, operationName, variableValues: variables };
    const cost = measureCost(args);
    if (cost.requested > cost.limit) return null;
    const result = await run(args);
    // Nothing has been run.
    if (!('data' in result)) return null;
    return { contentType, body: JSON.stringify(withCost(result, cost)) };
  };
  return { noteDocuments, answer };
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** The type of the answer, by what Yoga takes of an `Accept` header: the first of its types that there is. */
const ANSWER_TYPES: Record<string, string> = {
  '*/*': JSON_TYPE,
  'application/*': JSON_TYPE,
  'application/json': JSON_TYPE,
  'application/graphql-response+json': 'application/graphql-response+json; charset=utf-8',
};

function negotiate(accept = '*/*'): string | null {
  // It is asked for by hardly anybody, and Yoga has rules for it.
  if (accept.includes('charset')) return null;
  for (const range of accept.toLowerCase().split(',')) {
    const [type = ''] = range.split(';');
    const answerType = ANSWER_TYPES[type.trim()];
    if (answerType !== undefined) return answerType;
  }
  return null;
}

/** The parameters of a request that is as nearly all are. */
function readParams({ method, headers, body }: FastifyRequest): Params | null {
  const isJson = method === 'POST' && /^application\/json(;|$)/.test(headers['content-type'] ?? '');
  if (!isJson || typeof body !== 'object' || body === null) return null;
  const {
    query,
    operationName = null,
    variables,
    ...others
  } = body as Partial<Record<string, unknown>>;
  if (typeof query !== 'string' || Object.keys(others).length > 0) return null;
  if (typeof operationName !== 'string' && operationName !== null) return null;
  const values = variables ?? {};
  if (typeof values !== 'object' || Array.isArray(values)) return null;
  return { query, operationName, variables: values as Record<string, unknown> };
}
