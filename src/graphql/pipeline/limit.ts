import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  Lexer,
  type ParseOptions,
  parse,
  Source,
  TokenKind,
} from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { createCostMeter } from './cost.ts';
import { checkLimit, introspectionRefusal, LIMITS, RefusedOperationError } from './refusal.ts';
import { measureDocument, type Shape } from './shape.ts';

/** How operations are limited. */
export interface LimitOptions {
  measureCost: MeasureCost;
  /** False: `__schema` and `__type` are refused. */
  isIntrospectionEnabled: boolean;
}

/** `extensions.cost` of every answer to an operation that ran. */
export interface Cost {
  requested: number;
  limit: number;
}

/** What a valid operation costs. */
export type MeasureCost = (args: ExecutionArgs) => Cost;

/** A meter of costs, which remembers what it has found out of a document. */
export function createMeasureCost(): MeasureCost {
  const measure = createCostMeter();
  return (args) => ({ requested: measure(args), limit: LIMITS.cost });
}

/**
 * Refuses operations that ask for too much, with HTTP 400 and before any resolver. Measures a document
 * once for as long as Yoga's cache holds it, and checks every request: the cost depends on variables.
 */
export function limitOperations({ measureCost, isIntrospectionEnabled }: LimitOptions): Plugin {
  const shapeOf = rememberShapes();
  const checkCost = (args: ExecutionArgs): Cost => {
    const cost = measureCost(args);
    checkLimit('cost', cost.requested);
    return cost;
  };
  return {
    onParse({ params, setParseFn }) {
      // Here, and so before Yoga's cache, which keeps the text also of what is refused.
      checkLimit('characters', sourceText(params.source).length);
      setParseFn(parseBounded);
      return ({ result }) => {
        // Yoga would remember what it is given as a result, and answer it with 200.
        if (result instanceof RefusedOperationError) throw result;
      };
    },
    // Before the rules of validation, some of which are dear for such documents.
    onValidate({ params: { documentAST } }) {
      const shape = shapeOf(documentAST);
      for (const limited of ['operations', 'directives', 'depth', 'aliases'] as const) {
        checkLimit(limited, shape[limited]);
      }
      if (shape.isIntrospective && !isIntrospectionEnabled) throw introspectionRefusal();
    },
    onExecute({ args }) {
      const cost = checkCost(args);
      return {
        onExecuteDone({ result, setResult }) {
          if (!isAsyncIterable(result)) setResult(withCost(result, cost));
        },
      };
    },
    onSubscribe({ args }) {
      const cost = checkCost(args);
      return {
        onSubscribeResult: () => ({
          onNext: ({ result, setResult }) => {
            if (!isAsyncIterable(result)) setResult(withCost(result, cost));
          },
        }),
      };
    },
  };
}

function rememberShapes(): (document: DocumentNode) => Shape {
  const shapes = new WeakMap<DocumentNode, Shape>();
  return (document) => {
    const known = shapes.get(document);
    if (known) return known;
    const shape = measureDocument(document);
    shapes.set(document, shape);
    return shape;
  };
}

function sourceText(source: string | Source): string {
  return typeof source === 'string' ? source : source.body;
}

function parseBounded(source: string | Source, options?: ParseOptions): DocumentNode {
  scanTokens(sourceText(source));
  return parse(source, options);
}

/** Counts before the parser, whose own limit of tokens comes too late for brackets: it calls itself for each. */
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

/** The result as it is answered. */
export function withCost(result: ExecutionResult, cost: Cost): ExecutionResult {
  return { ...result, extensions: { ...result.extensions, cost } };
}
