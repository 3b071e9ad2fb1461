import { type GraphQLArgument, getNamedType, isInputObjectType } from 'graphql';
import {
  DomainError,
  type FailedObject,
  type InputIssue,
  InvalidInputError,
  NotFoundError,
} from '../domain/error.ts';
import { globalIdParts } from './id.ts';

type Path = InputIssue['path'];

/**
 * Returns the error of a mutation in the terms of its caller: the path of an issue begins with the argument, and an
 * object that was not found, or that failed among several, is named by the id that was sent.
 */
export function inTermsOfCaller(error: unknown, args: Readonly<Record<string, unknown>>): unknown {
  if (!(error instanceof DomainError)) return error;
  const translated = translate(error, args);
  const failed = failedOf(error, args);
  if (failed === undefined) return translated;
  const { sentId } = failed;
  const own =
    translated instanceof NotFoundError ? new NotFoundError(translated.noun, sentId) : translated;
  if (own === translated) own.message = `${sentId}: ${translated.message}`;
  own.failed = failed;
  return own;
}

/** The arguments of mutations of many objects that hold the ids of these. */
const ID_LISTS: readonly unknown[] = ['ids', 'mediaIds'];

/** Returns the one of many objects that failed; undefined if the error is not about one that was sent. */
function failedOf(
  error: DomainError,
  args: Readonly<Record<string, unknown>>,
): (FailedObject & { sentId: string }) | undefined {
  const { failed } = error;
  if (failed !== undefined) {
    const sentId = sentIdOf(toSought(failed), args);
    return sentId === undefined ? undefined : { ...failed, sentId };
  }
  if (!(error instanceof InvalidInputError)) return undefined;
  const [list, index, ...below] = error.issues[0]?.path ?? [];
  if (!ID_LISTS.includes(list) || typeof index !== 'number' || below.length > 0) return undefined;
  const input = args.input as Readonly<Record<string, unknown>> | undefined;
  const sentId = (input?.[String(list)] as readonly unknown[] | undefined)?.[index];
  // No row has the id 0.
  return typeof sentId === 'string' ? { id: 0, sentId } : undefined;
}

function toSought({ id, kind = null }: FailedObject): Sought {
  const types = kind === null ? TYPES.node : [kind === 'folder' ? 'Folder' : 'Media'];
  return { id: String(id), types };
}

function translate(error: DomainError, args: Readonly<Record<string, unknown>>): DomainError {
  if (error instanceof InvalidInputError && 'input' in args) {
    // The one argument of a mutation says nothing to people.
    return new InvalidInputError(
      error.issues.map((issue) => ({ ...issue, path: ['input', ...issue.path] })),
      error.message,
    );
  }
  if (!(error instanceof NotFoundError)) return error;
  const sent = sentIdOf({ id: error.id, types: TYPES[error.noun] }, args);
  return sent === undefined ? error : new NotFoundError(error.noun, sent);
}

/**
 * Returns the issues of a query with whole paths. Operations name the fields of a filter without the argument that holds
 * it, because dialects send filters in different ways.
 */
export function withArguments(
  error: InvalidInputError,
  args: readonly GraphQLArgument[],
): InvalidInputError {
  return withPaths(error, (path) => {
    const [field] = path;
    if (args.some(({ name }) => name === field)) return path;
    const holder = args.find(({ type }) => {
      const named = getNamedType(type);
      return isInputObjectType(named) && String(field) in named.getFields();
    });
    return holder === undefined ? path : [holder.name, ...path];
  });
}

/** Returns the error about other paths. Its message names them too, unless it is one of its own. */
function withPaths(error: InvalidInputError, toPath: (path: Path) => Path): InvalidInputError {
  const issues = error.issues.map((issue) => ({ ...issue, path: toPath(issue.path) }));
  const isDefault = error.message === new InvalidInputError(error.issues).message;
  return isDefault ? new InvalidInputError(issues) : new InvalidInputError(issues, error.message);
}

/** The types of the global ids of an object, by its noun. Ids of other objects are sent as they are stored. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  'API key': ['ApiKey'],
  file: ['File'],
  folder: ['Folder'],
  job: ['Job'],
  media: ['Media'],
  node: ['Folder', 'Media'],
  tag: ['Tag'],
  user: ['User'],
  version: ['FileVersion'],
};

/** An object, by the types that its global id may have. */
interface Sought {
  id: string;
  types: readonly string[] | undefined;
}

/** Returns the global id among the arguments that stands for an object; undefined if there is none. */
function sentIdOf(sought: Sought, value: unknown): string | undefined {
  if (typeof value === 'string') {
    const sent = globalIdParts(value);
    const isSame = sent?.id === sought.id && sought.types?.includes(sent.typename);
    return isSame ? value : undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  for (const part of Object.values(value)) {
    const found = sentIdOf(sought, part);
    if (found !== undefined) return found;
  }
  return undefined;
}
