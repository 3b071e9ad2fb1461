import { type InputIssue, InvalidInputError } from '../../../domain/error.ts';
import { parseForeignJson } from '../../../lib/json.ts';
import { parseUuidOrDigits } from '../../../lib/uuid.ts';
import type { Content } from '../body.ts';
import { issueOf } from '../error.ts';

/**
 * The properties of a body that every item has. Undefined: absent; where null is not listed, it
 * counts as absent.
 */
export interface ItemInput {
  name: string | undefined;
  mediaTypeAlias: string | undefined;
  /** Uuid of the parent in lower case, with hyphens; null: the root. */
  parentId: string | null | undefined;
  sortOrder: number | undefined;
}

/** The value of `umbracoFile`, in the form of either editor. */
export interface FileValue {
  /** The name or the address of the file; null: neither is given. */
  src: string | null;
  /** As given; the domain checks them. */
  focalPoint: unknown;
  crops: unknown;
}

/**
 * Reads the keys that every item has. Ignores keys that begin with `_`, because clients send back
 * what they have read (contract §4.4). This and the functions below add faults to `issues`.
 */
export function readItem(content: Content, issues: InputIssue[]): ItemInput {
  return {
    name: read(content, 'name', issues, toName),
    mediaTypeAlias: read(content, 'mediaTypeAlias', issues, toText),
    parentId: read(content, 'parentId', issues, toId),
    sortOrder: read(content, 'sortOrder', issues, toInteger),
  };
}

/** Reads the file of an item whose type has one. Null: the client clears it; undefined: absent. */
export function readFile(content: Content, issues: InputIssue[]): FileValue | null | undefined {
  return read(content, 'umbracoFile', issues, toFileValue);
}

/** Reads the address of a link. Null: the client clears it; undefined: absent. */
export function readUrl(content: Content, issues: InputIssue[]): string | null | undefined {
  return read(content, 'url', issues, (value) => toText(value) || null);
}

/** Adds to `issues` that a property is missing, unless it is already at fault. */
export function noteMissing(alias: string, message: string, issues: InputIssue[]): void {
  if (!issues.some(({ path }) => path[0] === alias)) issues.push(issueOf(alias, message));
}

/** Throws InvalidInputError with all issues, if there are any. */
export function refuse(issues: readonly InputIssue[]): void {
  if (issues.length > 0) throw new InvalidInputError(issues);
}

class UnreadableError extends Error {}

function read<T>(
  content: Content,
  alias: string,
  issues: InputIssue[],
  parse: (value: unknown) => T,
): T | undefined {
  try {
    return Object.hasOwn(content, alias) ? parse(content[alias]) : undefined;
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
    issues.push(issueOf(alias, error.message));
    return undefined;
  }
}

function toText(value: unknown): string | undefined {
  if (value === null) return undefined;
  if (typeof value === 'string') return value;
  throw new UnreadableError('Expected a string.');
}

function toName(value: unknown): string | undefined {
  const name = toText(value);
  if (name?.trim() === '') throw new UnreadableError('Media has no name.');
  return name;
}

function toId(value: unknown): string | null {
  if (value === null) return null;
  const id = typeof value === 'string' ? parseUuidOrDigits(value) : null;
  if (id === null) throw new UnreadableError('Expected a GUID.');
  return id;
}

function toInteger(value: unknown): number | undefined {
  if (value === null) return undefined;
  if (typeof value === 'number' && (value | 0) === value) return value;
  throw new UnreadableError('Expected an integer.');
}

/** Reads the value of a file. Contract §5.8: an object, its JSON as text, or a bare name. */
function toFileValue(value: unknown): FileValue | null {
  if (value === null || value === '') return null;
  const parsed = typeof value === 'string' && value.startsWith('{') ? parseText(value) : value;
  if (typeof parsed === 'string') return { src: parsed, focalPoint: undefined, crops: undefined };
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new UnreadableError('Expected an object or a string.');
  }
  const { src, focalPoint, crops } = parsed as Record<string, unknown>;
  if (src === null || src === '') return null;
  if (src !== undefined && typeof src !== 'string') {
    throw new UnreadableError('Expected a string in src.');
  }
  return { src: src ?? null, focalPoint, crops };
}

function parseText(text: string): unknown {
  try {
    return parseForeignJson(text);
  } catch {
    return text;
  }
}
