import type { ToUrl } from '../../http/absolute-url.ts';

/** A link of HAL. `templated` is present only if the address has variables. */
export interface Link {
  href: string;
  templated?: true;
}

/** The links of a resource by relation, each with one target or several. */
export type Links = Readonly<Record<string, Link | readonly Link[]>>;

/**
 * Returns the links. Contract §3.2: one target is an object, several are an array, and a relation without any is
 * absent.
 */
export function toLinks(relations: Readonly<Record<string, readonly Link[]>>): Links {
  const entries = Object.entries(relations).flatMap(([relation, links]) => {
    const [first, ...others] = links;
    if (first === undefined) return [];
    return [[relation, others.length === 0 ? first : links] as const];
  });
  return Object.fromEntries(entries);
}

/** Returns the links of this dialect; each is absolute. */
export function linksOf(toUrl: ToUrl) {
  return {
    root: (): Link => ({ href: toUrl('/media') }),
    item: (id: string): Link => ({ href: toUrl(`/media/${id}`) }),
    children: (id: string, query = ''): Link => ({
      href: toUrl(`/media/${id}/children${query}`),
    }),
    types: (): Link => ({ href: toUrl('/media/type') }),
    type: (alias: string): Link => ({ href: toUrl(`/media/type/${alias}`) }),
    anyItem: (): Link => ({ href: toUrl('/media/{id}'), templated: true }),
    anyChildren: (): Link => ({
      href: toUrl('/media/{id}/children{?page,pageSize}'),
      templated: true,
    }),
    anyType: (): Link => ({ href: toUrl('/media/type/{alias}'), templated: true }),
  };
}

/**
 * Formats a date as contract §2.7 requires: UTC, without trailing zeros in the fraction, and without a fraction of
 * zero.
 */
export function toDate(date: Date): string {
  return date.toISOString().replace(/\.?0*Z$/, 'Z');
}
