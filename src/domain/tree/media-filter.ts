import { isTooDeep, JSON_LEVELS_MAX } from '../../lib/json.ts';
import { toNfc } from '../../lib/name.ts';
import { toSearchWords } from '../../lib/search-text.ts';
import type { Circle, MetadataMatch, NodeFilter } from '../../store/tree/condition.ts';
import { type InputIssue, InvalidInputError } from '../error.ts';
import {
  checkSearch,
  checkValues,
  FILTER_CONDITIONS_MAX,
  FILTER_LEVELS_MAX,
  SEARCH_LENGTH_MAX,
  TAGS_MAX,
} from '../search.ts';

/** The filter of a list of media: a media item has to match every given field. */
export interface MediaFilter extends Omit<NodeFilter, 'kind' | 'below' | 'and' | 'or' | 'not'> {
  and?: readonly MediaFilter[] | undefined;
  or?: readonly MediaFilter[] | undefined;
  not?: MediaFilter | undefined;
  /** The media item is anywhere below this folder. */
  underFolderId?: number | undefined;
  /** Whether the visibility is `public`. */
  isPublic?: boolean | undefined;
}

type Path = InputIssue['path'];

/** A filter in another one. */
export interface Nested {
  filter: MediaFilter;
  path: Path;
}

/** Returns the filters directly in a filter, with their paths. */
export function nestedIn({ and = [], or = [], not }: MediaFilter, path: Path = []): Nested[] {
  return [
    ...and.map((filter, index) => ({ filter, path: [...path, 'and', index] })),
    ...or.map((filter, index) => ({ filter, path: [...path, 'or', index] })),
    ...(not === undefined ? [] : [{ filter: not, path: [...path, 'not'] }]),
  ];
}

/** Tells whether a filter, or one in it, asks for a place. */
export function asksForPlace(filter: MediaFilter): boolean {
  return (
    filter.near !== undefined || nestedIn(filter).some((nested) => asksForPlace(nested.filter))
  );
}

const COMBINATIONS: readonly string[] = ['and', 'or', 'not'];

/**
 * Throws InvalidInputError, with the whole path of the field, if a filter is nested too deeply, has too many conditions,
 * or if one of its fields is invalid.
 */
export function checkMediaFilter(filter: MediaFilter): void {
  const root: Nested = { filter, path: ['filter'] };
  checkFields(root);
  let conditions = 0;
  let level = nestedIn(filter, root.path);
  for (let depth = 1; level.length > 0; depth++) {
    const [first] = level;
    if (depth > FILTER_LEVELS_MAX && first) {
      throw invalid(first.path, 'TOO_BIG', `Expected at most ${FILTER_LEVELS_MAX} levels.`);
    }
    for (const nested of level) {
      conditions += Math.max(fieldsOf(nested.filter).length, 1);
      if (conditions > FILTER_CONDITIONS_MAX) {
        const message = `Expected at most ${FILTER_CONDITIONS_MAX} conditions in \`and\`, \`or\` and \`not\` together.`;
        throw invalid(root.path, 'TOO_BIG', message);
      }
    }
    for (const nested of level) checkFields(nested);
    level = level.flatMap(({ filter, path }) => nestedIn(filter, path));
  }
}

function fieldsOf(filter: MediaFilter): string[] {
  const given = Object.entries(filter).filter(([, value]) => value !== undefined);
  return given.map(([field]) => field).filter((field) => !COMBINATIONS.includes(field));
}

function checkFields({ filter, path }: Nested): void {
  const { tagIds, anyTagIds, unfiled, folderId, near, metadata } = filter;
  for (const field of fieldsOf(filter)) {
    checkValues([...path, field], filter[field as keyof MediaFilter]);
  }
  checkValues([...path, 'tagIds'], tagIds, TAGS_MAX);
  checkValues([...path, 'anyTagIds'], anyTagIds, TAGS_MAX);
  checkSearch([...path, 'search'], filter.search, toSearchWords);
  checkSearch([...path, 'nameContains'], filter.nameContains, () => []);
  checkTexts(filter, path);
  checkRanges(filter, path);
  if (near) checkNear(near, [...path, 'near']);
  if (metadata) checkMetadata(metadata, [...path, 'metadata']);
  if (unfiled && folderId !== undefined) {
    throw invalid([...path, 'unfiled'], 'CONFLICT', 'Give `folderId` or `unfiled`, not both.');
  }
}

/** PostgreSQL fails on a NUL. A text that no media item can have would find nothing, and with `not` everything. */
function checkTexts(filter: MediaFilter, path: Path): void {
  const { nameContains, ownedBy, md5, mimeTypes = [], extensions = [] } = filter;
  const texts = { nameContains: [nameContains], ownedBy: [ownedBy], md5: [md5] };
  for (const [field, values] of Object.entries({ ...texts, mimeTypes, extensions })) {
    if (values.some((text) => text?.includes('\0'))) {
      throw invalid([...path, field], 'INVALID', 'May not contain a NUL character.');
    }
  }
  const checkEach = (field: string, values: readonly string[], form: RegExp, message: string) => {
    const index = values.findIndex((value) => !form.test(value));
    if (index >= 0) throw invalid([...path, field, index], 'INVALID', message);
  };
  const typeMessage = 'Expected a MIME type, or all of one kind, as in `image/*`.';
  checkEach('mimeTypes', mimeTypes.map(toMimeType), MIME_TYPE, typeMessage);
  const extensionMessage = 'Expected a filename extension, as in `jpg`.';
  checkEach('extensions', extensions.map(toExtension), EXTENSION, extensionMessage);
}

const MIME_TYPE = /^[^*/\s]+\/(?:\*|[^*/\s]+)$/;
const EXTENSION = /[^.\s]/;

function checkRanges(filter: MediaFilter, path: Path): void {
  for (const field of ['sizeBytes', 'width', 'height', 'durationMs'] as const) {
    const { min = 0, max = min } = filter[field] ?? {};
    if (min < 0) throw invalid([...path, field, 'min'], 'OUT_OF_RANGE', 'Expected at least 0.');
    if (max < 0) throw invalid([...path, field, 'max'], 'OUT_OF_RANGE', 'Expected at least 0.');
    if (min > max) throw invalid([...path, field], 'INVALID', '`min` may not exceed `max`.');
  }
  for (const field of ['updatedAt', 'takenAt'] as const) {
    const { from, to } = filter[field] ?? {};
    if (from && to && from > to)
      throw invalid([...path, field], 'INVALID', '`from` may not be after `to`.');
  }
}

/** The greatest distance on the earth. */
const RADIUS_MAX_M = 20_040_000;

function checkNear({ latitude, longitude, radiusM }: Circle, path: Path): void {
  const limits = {
    latitude: [latitude, -90, 90],
    longitude: [longitude, -180, 180],
    radiusM: [radiusM, 1, RADIUS_MAX_M],
  } as const;
  for (const [field, [value, min, max]] of Object.entries(limits)) {
    if (value >= min && value <= max) continue;
    throw invalid([...path, field], 'OUT_OF_RANGE', `Expected ${min} to ${max}.`);
  }
}

function checkMetadata({ key, equals, exists }: MetadataMatch, path: Path): void {
  if (key.length > SEARCH_LENGTH_MAX || key.includes('\0')) {
    const message = `Expected at most ${SEARCH_LENGTH_MAX} characters, without NUL.`;
    throw invalid([...path, 'key'], 'INVALID', message);
  }
  if (isTooDeep(equals)) {
    throw invalid([...path, 'equals'], 'TOO_BIG', `Expected at most ${JSON_LEVELS_MAX} levels.`);
  }
  if (equals !== undefined && exists === false) {
    throw invalid([...path, 'exists'], 'CONFLICT', 'Give `equals`, or `exists: false`, not both.');
  }
}

function invalid(path: Path, code: string, message: string): InvalidInputError {
  return new InvalidInputError([{ path, code, message }]);
}

/** Returns the ids of all folders that a filter names as `underFolderId`, each once. */
export function foldersIn(filter: MediaFilter): number[] {
  const own = filter.underFolderId === undefined ? [] : [filter.underFolderId];
  const nested = nestedIn(filter).flatMap(({ filter }) => foldersIn(filter));
  return [...new Set([...own, ...nested])];
}

/** What a filter refers to. */
interface Referred {
  /** Returns the path of the nodes directly in a folder; undefined if there is no such folder. */
  pathBelow: (folderId: number) => string | undefined;
  /** Tells whether a tag is being deleted. Its rows are still there while a job deletes them. */
  isDeleted: (tagId: number) => boolean;
  /** The owner whose media `near` finds; null: it finds none; undefined: it finds all. */
  placesOf?: string | null | undefined;
}

/** Returns a checked filter as the store reads it. */
export function toNodeFilter(filter: MediaFilter, referred: Referred): NodeFilter {
  const { underFolderId, isPublic, and, or, not, ...own } = filter;
  const { tagIds, anyTagIds, extensions, mimeTypes, nameContains } = own;
  const inner = (nested: MediaFilter) => toNodeFilter(nested, referred);
  const ofPublic: NodeFilter[] =
    isPublic === undefined ? [] : [{ visibility: isPublic ? ['public'] : ['unlisted', 'private'] }];
  const below = underFolderId === undefined ? undefined : referred.pathBelow(underFolderId);
  const isEmpty =
    (underFolderId !== undefined && below === undefined) || tagIds?.some(referred.isDeleted);
  const all = [...(and ?? []).map(inner), ...ofPublic, ...withVisiblePlace(filter, referred)];
  return {
    ...own,
    ...(all.length > 0 && { and: all }),
    ...(or && { or: or.map(inner) }),
    ...(not && { not: inner(not) }),
    ...(below !== undefined && { below }),
    ...(anyTagIds && { anyTagIds: anyTagIds.filter((id) => !referred.isDeleted(id)) }),
    ...(mimeTypes && { mimeTypes: mimeTypes.map(toMimeType) }),
    ...(extensions && { extensions: extensions.map(toExtension) }),
    ...(nameContains && { nameContains: toNfc(nameContains) }),
    ...(isEmpty && { ids: [] }),
  };
}

function withVisiblePlace({ near }: MediaFilter, { placesOf }: Referred): NodeFilter[] {
  if (near === undefined || placesOf === undefined) return [];
  return [placesOf === null ? { ids: [] } : { ownedBy: placesOf }];
}

function toExtension(extension: string): string {
  return extension.replace(/^\./, '').toLowerCase();
}

/** Case does not matter, and files are stored without parameters of their type. */
function toMimeType(mimeType: string): string {
  return (mimeType.split(';')[0] ?? '').trim().toLowerCase();
}
