import type { GraphQLField } from 'graphql';
import { PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from '../domain/page.ts';
import {
  FILTER_CONDITIONS_MAX,
  FILTER_LEVELS_MAX,
  SEARCH_LENGTH_MAX,
  TAGS_MAX,
  WORDS_MAX,
} from '../domain/search.ts';

/**
 * The number of items for which a list field is priced: a number, the length of the list in an argument
 * (`{ argument }`), the value of the argument `first` (`FirstRange`), or `'page'`: the field belongs to a connection, and
 * the page size is an argument of the field that returns the connection.
 */
export type ListSize = number | 'page' | { argument: string } | FirstRange;

/** The values of the argument `first`. */
export interface FirstRange {
  default: number;
  max: number;
}

/** Assumed size of lists that declare none, such as the tags, files and ancestors of a media item. */
export const LIST_SIZE_DEFAULT = 10;

/** Returns options for a field that declare its list size. */
export function withListSize(listSize: ListSize) {
  return { extensions: { listSize } };
}

/** Returns the list size that a field declares; 10 if it declares none. */
export function listSizeOf({ extensions }: GraphQLField<unknown, unknown>): ListSize {
  return (extensions.listSize as ListSize | undefined) ?? LIST_SIZE_DEFAULT;
}

/** Returns options for a connection field whose pages have other sizes than those of most lists. */
export function withPageSize(pageSize: FirstRange) {
  return { extensions: { pageSize } };
}

/** Returns the sizes of the pages of a connection field. */
export function pageSizeOf({ extensions }: GraphQLField<unknown, unknown>): FirstRange {
  const pageSize = extensions.pageSize as FirstRange | undefined;
  return pageSize ?? { default: PAGE_SIZE_DEFAULT, max: PAGE_SIZE_MAX };
}

/** Options of the field `totalCount` of a connection: the field that returns the connection prices it. */
export const PRICED_AS_COUNT = { extensions: { isCount: true } };

/** Tells whether a field counts the whole list of its connection. */
export function isCount({ extensions }: GraphQLField<unknown, unknown>): boolean {
  return extensions.isCount === true;
}

/** The parts of the facets of a list. */
export type Facet = keyof typeof FACET_WORK;

/** Returns the work of a field of facets; 0 for any other field. */
export function facetWorkOf({ extensions }: GraphQLField<unknown, unknown>): number {
  return extensions.facet ? FACET_WORK[extensions.facet as Facet] : 0;
}

/**
 * The work of a list, in the unit of the cost: one field of a result, which takes about a microsecond. The figures are
 * for 100,000 media.
 */
const WORK = {
  /** A word of a search. The index of words may hold many media for it. */
  word: 3000,
  /** A tag of a filter. */
  tag: 500,
  /** A criterion beyond the first, or an order: the index that serves the first criterion does not serve it. */
  criterion: 3000,
  /** A condition of a filter in a filter: each node is checked for it. */
  check: 500,
  /** Criteria that no index serves: the list may have to check all media. */
  unserved: 20_000,
} as const;

/**
 * The most work of a list: it visits each media item once, however many criteria it checks. An order by relevance repeats
 * its search, but stops when the page is full. A page of any allowed filter, with its count and all of its facets, costs
 * less than the limit of an operation. The words of filters in a filter are added to this.
 */
const LIST_WORK_MAX = { plain: 25_000, ranked: 40_000 } as const;

/** Number of ranks in the order by relevance. */
const RANKS = 4;

/** The work to find a page by an index. */
export const LIST_WORK = 10;
/** The work to count a list by an index. */
export const COUNT_WORK = 500;
/**
 * A count costs as much as this many pages in no order: it visits every entry, while a page stops when it is full. The
 * page, the count and the facets of a list share its selection, so that they cost five times as much as the selection.
 */
export const COUNT_PAGES = 2;

/**
 * The work of each part of the facets of a list: it reads and groups what a count only visits. All parts are one read,
 * whose selection costs as much as that of a count.
 */
export const FACET_WORK = { types: 8000, months: 8000, size: 15_000, tags: 25_000 } as const;

/** Reads an argument of a field as the client sent it: nothing has checked its type. */
type ReadArgument = (name: string) => unknown;

/** Returns the words of a search. */
type ToWords = (search: string) => readonly unknown[];

/** Returns options for a list field that takes `filter` and `orderBy`: its work follows from them. */
export function pricedByFilter(toWords: ToWords = () => []) {
  const work = (read: ReadArgument) => {
    const filter = read('filter');
    const nested = nestedIn(filter);
    const { and, or, not, search, tagIds, ...others } = given(filter);
    const words = wordsOf(search, toWords);
    const tags = Array.isArray(tagIds) ? Math.min(tagIds.length, TAGS_MAX) : 0;
    const own = Object.keys(others).length + Math.sign(words) + Math.sign(tags);
    const conditions = nested.flatMap(conditionsOf).length;
    // Without criteria of its own, an index may serve one of the conditions, but not several.
    const criteria = own + Math.min(conditions, own > 0 ? 1 : 2);
    const order = read('orderBy') ?? null;
    const isSorted = criteria > 0 && order !== null;
    const isRanked = (order as { field?: unknown } | null)?.field === 'RELEVANCE';
    const work =
      ([filter, ...nested].some(isUnserved) ? WORK.unserved : 0) +
      // Each rank is a search of its own.
      words * WORK.word * (isRanked ? RANKS : 1) +
      tags * WORK.tag +
      Math.max(conditions - 1, 0) * WORK.check +
      (Math.max(criteria - 1, 0) + Number(isSorted)) * WORK.criterion;
    const most = isRanked ? LIST_WORK_MAX.ranked : LIST_WORK_MAX.plain;
    return Math.min(work, most) + nestedWordWork(nested, toWords);
  };
  return { extensions: { work } };
}

/** Returns options for a mutation that counts a list: `price` is that of the list, `filter` a field of its input. */
export function pricedAsCount(price: ReturnType<typeof pricedByFilter>) {
  const work = (read: ReadArgument) => {
    const { filter } = (read('input') ?? {}) as { filter?: unknown };
    const ofList = price.extensions.work((name) => (name === 'filter' ? filter : undefined));
    return LIST_WORK + COUNT_WORK + COUNT_PAGES * ofList;
  };
  return { extensions: { work } };
}

/** The work to name a rendition: its canonical parameters and its signature. Measured: 10 microseconds on an idle core. */
const RENDITION_WORK = 20;

/**
 * Returns options for a field that names as many renditions as `count` finds in its arguments: other requests wait while
 * they are computed.
 */
export function pricedByRenditions(count: (read: ReadArgument) => number) {
  return { extensions: { work: (read: ReadArgument) => RENDITION_WORK * count(read) } };
}

/** Returns the work to find the nodes of a list: a count and facets do not need their order. */
export function selectionWorkOf(field: GraphQLField<unknown, unknown>, read: ReadArgument): number {
  return workOf(field, (name) => (name === 'orderBy' ? undefined : read(name)));
}

/** Returns the work that a list does beyond `LIST_WORK`, or another field beyond its result. */
export function workOf({ extensions }: GraphQLField<unknown, unknown>, read: ReadArgument): number {
  const work = extensions.work as ((read: ReadArgument) => number) | undefined;
  return work?.(read) ?? 0;
}

/** Returns the filters in a filter, as many as the domain accepts: it refuses more with a better message. */
function nestedIn(filter: unknown, levels = FILTER_LEVELS_MAX): object[] {
  if (levels === 0) return [];
  const { and, or, not } = given(filter);
  const all = [and, or, not].flat().filter((one) => typeof one === 'object' && one !== null);
  const some = all.slice(0, FILTER_CONDITIONS_MAX) as object[];
  const below = some.flatMap((one) => nestedIn(one, levels - 1));
  return [...some, ...below].slice(0, FILTER_CONDITIONS_MAX);
}

/** Returns the fields of a filter in a filter without the filters in it. */
function conditionsOf(filter: object): string[] {
  const { and, or, not, ...others } = given(filter);
  return Object.keys(others);
}

/** No index serves the words of a filter in a filter. */
function nestedWordWork(filters: readonly object[], toWords: ToWords): number {
  const words = filters.map((filter) => wordsOf(given(filter).search, toWords));
  return words.reduce((sum, count) => sum + count, 0) * WORK.word;
}

/** The domain refuses longer texts and more words, with a better message. */
function wordsOf(search: unknown, toWords: ToWords): number {
  const text = typeof search === 'string' ? search.slice(0, SEARCH_LENGTH_MAX) : '';
  return Math.min(toWords(text).length, WORDS_MAX);
}

/**
 * Tells whether a filter asks for what media do not have or do not match, for their shape, or for a part of a name: no
 * index serves these.
 */
function isUnserved(filter: unknown): boolean {
  const { not, orientations, nameContains, tagged, hasAltText, isPublic, metadata } =
    Object(filter);
  const lacks = [tagged, hasAltText, isPublic, Object(metadata).exists];
  return Boolean(not || orientations || nameContains) || lacks.includes(false);
}

/** Returns the fields of a filter that narrow the list. */
function given(filter: unknown): Record<string, unknown> {
  const entries = Object.entries(filter ?? {}).filter(([field, value]) =>
    field === 'unfiled' ? value === true : value !== null && value !== undefined,
  );
  return Object.fromEntries(entries);
}
