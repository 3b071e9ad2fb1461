import type { FastifyRequest } from 'fastify';
import { NotFoundError } from '../../domain/error.ts';
import type { Answer, Call } from '../../http/dialect.ts';
import type { Window } from '../../lib/search.ts';

/** Contract §4: the shipped user interface relies on this default. */
const LIMIT_DEFAULT = 10;
/** The reference has no maximum. */
const LIMIT_MAX = 1000;

/** The contents of a list. */
interface PageSource {
  count: number;
  nodes: (window: Window) => Promise<object[]>;
}

/**
 * Returns a page of a list. Contract §4, LimitOffset: a `limit` that is not a positive number is
 * replaced by the default, an `offset` that is not a number by 0.
 */
export async function toPageBody(
  { request, toUrl }: Call,
  { count, nodes }: PageSource,
): Promise<Answer> {
  const query = parseQuery(request);
  const limit = Math.min(toCount(query.get('limit')) || LIMIT_DEFAULT, LIMIT_MAX);
  const offset = toCount(query.get('offset'));
  const path = request.url.split('?', 1)[0] ?? '';
  const link = (to: number) => toUrl(`${path}?${toQuery(query, limit, to)}`);
  return {
    status: 200,
    body: {
      count,
      next: offset + limit < count ? link(offset + limit) : null,
      previous: offset > 0 ? link(offset - limit) : null,
      results: offset < count ? await nodes({ limit, offset }) : [],
    },
  };
}

/** Returns the query of a request. The last of repeated keys counts. */
export function parseQuery({ url }: FastifyRequest): URLSearchParams {
  const query = new URLSearchParams(url.split('?').slice(1).join('?'));
  return new URLSearchParams([...new Map(query)]);
}

/** Returns the `id` of a path. Throws NotFoundError for an id that no row can have. */
export function parseId({ params }: FastifyRequest, noun: string): number {
  const { id } = params as { id: string };
  if (/^\d{1,15}$/.test(id)) return Number(id);
  throw new NotFoundError(noun, id);
}

/** Returns the query of a page. Contract §4: keys in alphabetical order; no `offset` at the start of the list. */
function toQuery(query: URLSearchParams, limit: number, offset: number): URLSearchParams {
  const changed = new URLSearchParams(query);
  changed.set('limit', String(limit));
  if (offset > 0) changed.set('offset', String(offset));
  else changed.delete('offset');
  changed.sort();
  return changed;
}

/** Parses a count. A number too large to be exact is past the end of any list. */
function toCount(text: string | null): number {
  const digits = text?.trim() ?? '';
  return /^\d+$/.test(digits) ? Math.min(Number(digits), Number.MAX_SAFE_INTEGER) : 0;
}
