import type { FieldType, OrderStep, Part, Search } from '../../lib/search.ts';
import { type DocumentAnswer, type Fieldset, parseShown, type ResourceObject } from './document.ts';
import { type FilterFields, parseFilter } from './filter.ts';
import { type PageRequest, parsePage, toPageLinks } from './page.ts';
import { badParameter, readAll, readEach, suggestion } from './problem.ts';
import { type Parameter, parseFlag, type QueriedCall } from './query.ts';

/**
 * Fields that a list can be ordered by, by their names on the wire. `id` is the default.
 */
type SortFields<Field extends string> = Readonly<Record<string, Field>> & { id: Field };

/** A type of resource that can be listed. */
export interface ListedType<Field extends string> {
  name: string;
  filters: FilterFields<Field>;
  sorts: SortFields<Field>;
}

/** A list, and the function that reads it. */
export interface List<Field extends string, Node> extends ListedType<Field> {
  search: (search: Search<Field> & { isCounted: boolean }) => Promise<Part<Node>>;
  show: (nodes: readonly Node[], fieldset: Fieldset) => Promise<ResourceObject[]>;
}

/**
 * Returns a type whose fields have the same names on the wire as in the domain, except for those in
 * `renamed`; null: the field is not on the wire. Lists are ordered by `sortId` where the client
 * names `id`: the order is the same, and its index exists anyway.
 */
export function listedType<Field extends string>(
  name: string,
  types: Readonly<Record<Field, FieldType>>,
  renamed: Readonly<Partial<Record<Field, string | null>>>,
  sortId: Field,
): ListedType<Field> {
  const named = (Object.keys(types) as Field[]).flatMap((field): [string, Field][] => {
    const wireName = field in renamed ? renamed[field] : field;
    return wireName == null ? [] : [[wireName, field]];
  });
  const filters = named.map(([name, field]) => [name, { field, type: types[field] }]);
  return {
    name,
    filters: Object.fromEntries(filters),
    sorts: { ...(Object.fromEntries(named) as Record<string, Field>), id: sortId },
  };
}

/** Returns a page of a list: contract §2. Counts the list only if asked. */
export async function answerList<Field extends string, Node>(
  call: QueriedCall,
  list: List<Field, Node>,
): Promise<DocumentAnswer> {
  const { page, order, isCounted, filter, shown } = parseList(call, list);
  const { conditions, ignored } = filter;
  const offset = Math.min((page.number - 1) * page.size, Number.MAX_SAFE_INTEGER);
  const part = await list.search({ conditions, order, limit: page.size, offset, isCounted });
  const { count, hasMore } = part;
  const counted = count === null ? {} : { count, more: hasMore };
  const document = {
    data: await list.show(part.nodes, shown.fieldset),
    ...shown.included,
    meta: { ...counted, ...(ignored.length > 0 && { ignored }) },
    links: toLinks(call, page, part),
  };
  // RFC 7240 §3: the preference that was applied.
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
    shown: () => parseShown(query, list.name),
  });
}

/**
 * Parses the order. Contract §2.2: all keys in their order, then `id`, so that pages are stable; it follows the
 * direction of the last key, so that `-size` is the reverse of `size`. Throws ProblemError: 400 for an unknown key, as
 * JSON:API requires.
 */
function parseSort<Field extends string>(
  query: readonly Parameter[],
  fields: SortFields<Field>,
): OrderStep<Field>[] {
  const items = query
    .filter(({ family }) => family === 'sort')
    .flatMap(({ value }) => value?.split(',') ?? [])
    .filter((item) => item !== '' && item !== '-');
  const steps = readEach(items, (item) => {
    const name = item.replace(/^-/, '');
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field !== undefined) return { field, descending: item.startsWith('-') };
    throw badParameter(
      'sort',
      `has no field "${name}"${suggestion(name, Object.keys(fields))}`,
      400,
    );
  });
  if (steps.length === 0) return [{ field: fields.id, descending: false }];
  // A repeated field changes nothing.
  return steps.filter(
    ({ field }, index) => steps.findIndex((one) => one.field === field) === index,
  );
}

/** Returns whether the list is to be counted: contract §2.3. An empty value is false, as in the reference. */
function parseCount(query: readonly Parameter[]): boolean {
  const sent = query.findLast(({ family }) => family === 'count');
  if (sent === undefined || sent.value === '') return false;
  const isCounted = sent.members.length === 0 ? parseFlag(sent.value ?? 'true') : null;
  if (isCounted === null) throw badParameter('count', 'must be a boolean');
  return isCounted;
}

/** Tells whether the client sent `Prefer: handling=lenient`: RFC 7240 §4.4. */
function isLenient({ request }: QueriedCall): boolean {
  const preferences = [request.headers.prefer ?? []].flat().join(',').split(/[,;]/);
  return preferences.some((one) => /^\s*handling\s*=\s*"?lenient"?\s*$/i.test(one));
}

function toLinks<Node>(
  { query, request, toUrl }: QueriedCall,
  page: PageRequest,
  { nodes, hasMore, count }: Part<Node>,
) {
  const path = request.url.split('?', 1)[0] ?? '';
  const extent = { hasMore, isEmpty: nodes.length === 0, count };
  return toPageLinks(query, page, extent, (text) => toUrl(text === '' ? path : `${path}?${text}`));
}
