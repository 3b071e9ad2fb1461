import type { Answer } from '../../http/dialect.ts';
import { badParameter, readAll } from './problem.ts';
import type { Parameter } from './query.ts';

/** The result of a handler: a document of JSON:API. */
export interface DocumentAnswer extends Answer {
  headers?: Readonly<Record<string, string>>;
  /** Whether the answer has an ETag, so that a client that has this document gets 304. */
  isCacheable?: boolean;
}

/** A resource object: contract §1.4. */
export interface ResourceObject {
  type: string;
  id: string;
  attributes: object;
}

/** Attributes in their order. */
export type Attributes = Readonly<Record<string, unknown>>;

/** Returns a resource object. `extra` attributes appear only if the fieldset names them. */
export function toResourceObject(
  { type, id }: { type: string; id: string },
  { shown, extra = {} }: { shown: Attributes; extra?: Attributes },
  fieldset: Fieldset,
): ResourceObject {
  if (fieldset === null) return { type, id, attributes: shown };
  const named = Object.entries({ ...shown, ...extra }).filter(([name]) => fieldset.has(name));
  return { type, id, attributes: Object.fromEntries(named) };
}

/** What a document shows: the attributes, and `included`, which is always empty, if it is requested (contract §2.5). */
export interface Shown {
  fieldset: Fieldset;
  included: { included?: [] };
}

/** Parses what the document of a type is to show. Throws ProblemError. */
export function parseShown(query: readonly Parameter[], type: string): Shown {
  return readAll({
    fieldset: () => parseFieldset(query, type),
    included: () => (parseIncluded(query) ? { included: [] as [] } : {}),
  });
}

/** Returns the response with one resource. It has an ETag. */
export function answerResource(
  data: ResourceObject | undefined,
  { included }: Shown,
): DocumentAnswer {
  return { status: 200, body: { data, ...included }, isCacheable: true };
}

/** Names of the attributes to show; null: the usual ones. */
export type Fieldset = ReadonlySet<string> | null;

/**
 * Parses the fieldset of a type. Contract §2.4: `fields[TYPE]=a,b`, repeated, with `[]` or with
 * indices, and `fields=a,b` for the type of the list. An empty value names no attribute; unknown
 * names are ignored.
 */
function parseFieldset(query: readonly Parameter[], type: string): Fieldset {
  const sent = query.filter(({ family, members }) => {
    const isOwn = members.length === 0 || members[0] === type || isItem(members[0]);
    return family === 'fields' && isOwn;
  });
  if (sent.length === 0) return null;
  for (const { name, members } of sent) {
    const [, item = '', ...rest] = members;
    if (!isItem(item) || rest.length > 0) throw badParameter(name, 'must be a list of names');
  }
  return new Set(sent.flatMap(({ value }) => value?.split(',') ?? []).map((name) => name.trim()));
}

function isItem(member: string | undefined): boolean {
  return member !== undefined && /^\d*$/.test(member);
}

/**
 * Returns whether the document has `included`, which is always empty: contract §2.5. Throws
 * ProblemError if anything is to be included: 400 for JSON:API's `include`, 422 for the reference's
 * `included`.
 */
function parseIncluded(query: readonly Parameter[]): boolean {
  const sent = query.filter(({ family }) => family === 'include' || family === 'included');
  const asked = sent.find(({ value }) => value !== null && value !== '');
  if (asked === undefined) return sent.length > 0;
  const status = asked.family === 'include' ? 400 : 422;
  throw badParameter(asked.family, 'must be empty: nothing can be included', status);
}
