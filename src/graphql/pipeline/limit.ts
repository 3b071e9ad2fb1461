import { GraphQLError } from 'graphql';
import type { Cost } from './cost.ts';

/** The limits of an operation. Each prevents a different way of requesting too much. */
export const LIMITS = {
  /** Bounds the size of the document cache. GraphiQL's introspection query, longer than most, has 2,100. */
  characters: 50_000,
  /**
   * Bounds the time of parsing and validation, which grows with the square of the fields in one place: at 2,000, a field
   * repeated 400 times took 0.2 s. GraphiQL's introspection query has 184.
   */
  tokens: 1_000,
  /** Nested brackets: the parser, the rules and coercion recurse for each, and some hundreds overflow the stack. */
  nesting: 50,
  /** Operations in one document: a tab of GraphiQL may hold several, of which one runs. */
  operations: 10,
  /** Allows seven nested connections by `nodes`, or four by `edges` and `node`, and the fields of the innermost. */
  depth: 15,
  /** Aliases of fields: enough for a screen of lists, too few to guess ids. */
  aliases: 30,
  /** Each directive is checked against all others at its place. Clients write a few of `@include` and `@skip`. */
  directives: 20,
  /** `totalCount` and facets: enough to count each type of media, too few to count everything in many ways. */
  counts: 12,
  /**
   * Fields of the response and work of the lists: see `cost.ts`. All fields of 200 media and of the objects that belong
   * to them cost 90,000, without `srcset`.
   */
  cost: 200_000,
} as const;

type Limited = keyof typeof LIMITS;

const REFUSALS: Record<Limited, { code: string; of: string; advice: string }> = {
  characters: {
    code: 'DOCUMENT_TOO_LONG',
    of: 'characters in a document',
    advice: 'Send values as variables.',
  },
  tokens: {
    code: 'TOO_MANY_TOKENS',
    of: 'tokens in a document',
    advice: 'Send values as variables, or split the document.',
  },
  nesting: {
    code: 'OPERATION_TOO_DEEP',
    of: 'levels of nested brackets',
    advice: 'Send values as variables, or split the operation.',
  },
  operations: {
    code: 'TOO_MANY_OPERATIONS',
    of: 'operations in a document',
    advice: 'Send each operation in a request of its own.',
  },
  depth: {
    code: 'OPERATION_TOO_DEEP',
    of: 'levels of nested fields, including those in fragments',
    advice: 'Fetch the deeper fields in a second operation, by id.',
  },
  aliases: {
    code: 'TOO_MANY_ALIASES',
    of: 'aliases, counted again for each use of a fragment',
    advice: 'Split the operation, or ask for `nodes(ids:)`.',
  },
  directives: {
    code: 'TOO_MANY_DIRECTIVES',
    of: 'directives in a document',
    advice: 'Split the operation.',
  },
  counts: {
    code: 'TOO_MANY_COUNTS',
    of: 'fields that count a list (`totalCount` and the fields of `facets`)',
    advice: 'Split the operation, or leave out counts that nobody reads.',
  },
  cost: {
    code: 'OPERATION_TOO_COSTLY',
    of: 'for the cost: the fields of the response if every page is full, plus the work of its lists',
    advice:
      'Request smaller pages with `first`, fewer fields or counts, or a filter with fewer words and criteria.',
  },
};

/** The error for an operation that is refused before it runs, with HTTP 400. */
export class RefusedOperationError extends GraphQLError {
  constructor(message: string, code: string, more: Record<string, unknown> = {}) {
    super(message, { extensions: { code, ...more, http: { status: 400 } } });
  }
}

/**
 * Throws RefusedOperationError, which names the limit and the remedy, if the value exceeds the limit or is NaN.
 */
export function checkLimit(limited: Limited, amount: number): void {
  if (amount <= LIMITS[limited]) return;
  throw refusal(limited);
}

/** The cost of the operations that precede one in its request. */
export type CostBefore = Pick<Cost, 'cost' | 'counts'>;

/**
 * Throws RefusedOperationError if an operation, together with those before it, costs too much. The error names the most
 * expensive part.
 */
export function checkCost({ cost, counts, dearest, counting }: Cost, before?: CostBefore): void {
  const totalCounts = counts + (before?.counts ?? 0);
  if (totalCounts > LIMITS.counts) {
    const path = counting.join('.');
    const example = path && `, such as \`${path}\``;
    const reason = `${subjectOf(counts, totalCounts)} has ${totalCounts}${example}. `;
    throw refusal('counts', reason, { dearest: path });
  }
  const total = cost + (before?.cost ?? 0);
  if (total <= LIMITS.cost) return;
  const path = dearest.join('.');
  const sum = `${subjectOf(cost, total)} costs ${total.toLocaleString('en')}. `;
  const part = path && `Its most expensive part is \`${path}\`. `;
  throw refusal('cost', sum + part, { cost: total, dearest: path });
}

function subjectOf(amount: number, total: number): string {
  return total > amount ? 'With those before it in the batch, the operation' : 'The operation';
}

function refusal(limited: Limited, reason = '', details: Record<string, unknown> = {}) {
  const limit = LIMITS[limited];
  const { code, of, advice } = REFUSALS[limited];
  const message = `The limit is ${limit.toLocaleString('en')} ${of}. ${reason}${advice}`;
  return new RefusedOperationError(message, code, { ...details, limit });
}

/** Returns the error for `__schema` and `__type` without a credential, where GraphiQL is disabled. */
export function introspectionRefusal(): RefusedOperationError {
  const state = 'Introspection needs a credential on this server (TRIVIUM_GRAPHIQL is off).';
  const message = `${state} The schema is also in the file \`schema.graphql\` of the source code.`;
  return new RefusedOperationError(message, 'INTROSPECTION_DISABLED');
}
