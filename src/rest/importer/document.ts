import type { Answer } from '../../http/dialect.ts';
import type { Fieldset } from './fieldset.ts';

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

/** What of a thing is shown: `extra` only what is asked for by name. */
export function toResourceObject(
  { type, id }: { type: string; id: string },
  { shown, extra = {} }: { shown: Attributes; extra?: Attributes },
  fieldset: Fieldset,
): ResourceObject {
  if (fieldset === null) return { type, id, attributes: shown };
  const named = Object.entries({ ...shown, ...extra }).filter(([name]) => fieldset.has(name));
  return { type, id, attributes: Object.fromEntries(named) };
}

/** Contract §2.5: `included` is there only where it was asked for, and then empty. */
export function toIncluded(isAsked: boolean): { included?: [] } {
  return isAsked ? { included: [] } : {};
}
