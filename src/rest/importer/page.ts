import { badParameter, readAll } from './problem.ts';
import { type Parameter, parseInteger } from './query.ts';

/** The requested page of a list. */
export interface PageRequest {
  /** Number of the page, from 1. */
  number: number;
  size: number;
}

/** Contract §2.1: the default as well. */
export const PAGE_SIZE_MAX = 1000;

/**
 * Parses the page of a query: contract §2.1. Throws ProblemError: 422, or 400 for another way of
 * paging.
 */
export function parsePage(query: readonly Parameter[]): PageRequest {
  const sent = query.filter(({ family }) => family === 'page');
  const { number, size } = readAll({
    number: () => readMember(sent, 'number'),
    size: () => readMember(sent, 'size'),
    others: () => refuseOthers(sent),
  });
  return { number: number ?? 1, size: size ?? PAGE_SIZE_MAX };
}

function readMember(sent: readonly Parameter[], member: 'number' | 'size'): number | null {
  const parameter = sent.findLast(({ members }) => members[0] === member);
  if (parameter === undefined) return null;
  const { name, members, value } = parameter;
  const number = members.length === 1 ? parseInteger(value ?? '') : null;
  if (number === null) throw badParameter(name, 'must be an integer');
  const isInRange = number >= 1 && (member === 'number' || number <= PAGE_SIZE_MAX);
  if (isInRange) return number;
  const expected = member === 'size' ? `between 1 and ${PAGE_SIZE_MAX}` : 'positive';
  throw badParameter(name, `must be ${expected}`);
}

function refuseOthers(sent: readonly Parameter[]): void {
  for (const { name, members } of sent) {
    if (members.length === 0) throw badParameter('page', 'must be an object, as in page[number]=2');
    if (members[0] === 'number' || members[0] === 'size') continue;
    throw badParameter(name, 'is unknown: use page[number] and page[size]', 400);
  }
}

/** The known extent of a list. */
export interface PageExtent {
  hasMore: boolean;
  isEmpty: boolean;
  /** Number of items in the whole list; null: not counted. */
  count: number | null;
}

/**
 * Returns links to pages, which keep all other parameters; null: there is no such page. Contract
 * §1.5. The last page is known if the list was counted, and on the last page itself.
 */
export function toPageLinks(
  query: readonly Parameter[],
  { number, size }: PageRequest,
  { hasMore, isEmpty, count }: PageExtent,
  toUrl: (query: string) => string,
) {
  const kept = query.filter(({ name }) => name !== 'page[number]').map(({ raw }) => raw);
  const link = (page: number) => toUrl([...kept, `page%5Bnumber%5D=${page}`].join('&'));
  const isLast = !hasMore && (!isEmpty || number === 1);
  const last = count !== null ? Math.max(1, Math.ceil(count / size)) : isLast ? number : null;
  return {
    self: toUrl(query.map(({ raw }) => raw).join('&')),
    first: link(1),
    prev: number > 1 ? link(Math.min(number - 1, last ?? number)) : null,
    next: hasMore ? link(number + 1) : null,
    last: last === null ? null : link(last),
  };
}
