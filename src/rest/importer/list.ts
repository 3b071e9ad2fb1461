import type { Condition, FieldType, Part, Search } from '../../domain/search.ts';
import { type DocumentAnswer, type ResourceObject, toIncluded } from './document.ts';
import { parseFlag } from './field-value.ts';
import { type Fieldset, parseFieldset, parseIncluded } from './fieldset.ts';
import { type FilterFields, parseFilter } from './filter.ts';
import { type PageRequest, parsePage, toPageLinks } from './page.ts';
import { badParameter, readAll } from './problem.ts';
import type { Parameter, QueriedCall } from './query.ts';
import { parseSort, type SortFields } from './sort.ts';

/** A type of resource that can be listed. */
export interface ListedType<Field extends string> {
  name: string;
  filters: FilterFields<Field>;
  sorts: SortFields<Field>;
}

/** A list, and how to read it. */
export interface List<Field extends string, Node> extends ListedType<Field> {
  search: (search: Search<Field>) => Promise<Part<Node>>;
  count: (conditions: readonly Condition<Field>[]) => Promise<number>;
  show: (nodes: readonly Node[], fieldset: Fieldset) => Promise<ResourceObject[]>;
}

/** Names on the wire with the fields they stand for, as filters. */
export function toFilters<Field extends string>(
  fields: Readonly<Record<string, Field>>,
  types: Readonly<Record<Field, FieldType>>,
): FilterFields<Field> {
  const filters = Object.entries(fields).map(([name, field]) => [
    name,
    { field, type: types[field] },
  ]);
  return Object.fromEntries(filters);
}

/** Answers with a page of a list: contract §2. It is counted only if asked for. */
export async function answerList<Field extends string, Node>(
  call: QueriedCall,
  list: List<Field, Node>,
): Promise<DocumentAnswer> {
  const { page, order, isCounted, filter, fieldset, isIncluded } = parseList(call, list);
  const { conditions, ignored } = filter;
  const offset = Math.min((page.number - 1) * page.size, Number.MAX_SAFE_INTEGER);
  const part = await list.search({ conditions, order, limit: page.size, offset });
  const count = isCounted ? await list.count(conditions) : null;
  const counted = count === null ? {} : { count, more: part.hasMore };
  const document = {
    data: await list.show(part.nodes, fieldset),
    ...toIncluded(isIncluded),
    meta: { ...counted, ...(ignored.length > 0 && { ignored }) },
    links: toLinks(call, page, part, count),
  };
  // RFC 7240 §3: what was preferred, and done.
  const headers = isLenient(call) ? { 'preference-applied': 'handling=lenient' } : {};
  return { status: 200, body: document, headers };
}

function parseList<Field extends string>(call: QueriedCall, list: ListedType<Field>) {
  const { query } = call;
  return readAll({
    page: () => parsePage(query),
    order: () => parseSort(query, list.sorts),
    isCounted: () => parseCount(query),
    filter: () => parseFilter(query, list.filters, { isLenient: isLenient(call) }),
    fieldset: () => parseFieldset(query, list.name),
    isIncluded: () => parseIncluded(query),
  });
}

/** Contract §2.3; nothing behind the `=` is false, as in the reference. */
function parseCount(query: readonly Parameter[]): boolean {
  const sent = query.findLast(({ family }) => family === 'count');
  if (sent === undefined || sent.value === '') return false;
  const isCounted = sent.members.length === 0 ? parseFlag(sent.value ?? 'true') : null;
  if (isCounted === null) throw badParameter('count', 'must be a boolean');
  return isCounted;
}

/** RFC 7240 §4.4: `Prefer: handling=lenient`. */
function isLenient({ request }: QueriedCall): boolean {
  const preferences = [request.headers.prefer ?? []].flat().join(',').split(/[,;]/);
  return preferences.some((one) => /^\s*handling\s*=\s*"?lenient"?\s*$/i.test(one));
}

function toLinks<Node>(
  { query, request, toUrl }: QueriedCall,
  page: PageRequest,
  { nodes, hasMore }: Part<Node>,
  count: number | null,
) {
  const path = request.url.split('?', 1)[0] ?? '';
  const extent = { hasMore, isEmpty: nodes.length === 0, count };
  return toPageLinks(query, page, extent, (text) => toUrl(text === '' ? path : `${path}?${text}`));
}
