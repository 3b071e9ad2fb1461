import { z } from 'zod';
import { cleanFilename } from '../../lib/filename.ts';
import { EVERYTHING } from '../../store/scope.ts';
import { findMediaByResource } from '../../store/tree/media.ts';
import { attributes } from '../attribute.ts';
import type { Context } from '../context.ts';
import { InvalidInputError } from '../error.ts';
import type { ResourceFile } from '../file/resource.ts';
import { clientKey, parseInput } from '../input.ts';
import { authorize } from '../viewer/access.ts';
import { type Into, take } from './door.ts';
import { findResource, intoResource } from './resource-files.ts';
import { discardStaged, type IncomingFile, type StagedFile, stageFile } from './staging.ts';

/** The properties that a request declares for its files. Known only when the whole request has arrived. */
export interface UploadDetails {
  key: string | null;
  projectId: string | null;
}

/** Reads a request, and passes each of its files to `onFile`, one after the other. */
export type Receive = (onFile: (file: IncomingFile) => Promise<void>) => Promise<UploadDetails>;

const uploadInput = z.object({
  resource: attributes.resource,
  key: attributes.key.nullable(),
  projectId: clientKey(255).nullable(),
});

/**
 * Stores files under keys of a resource. The resource is a media item; if it does not exist, it is created, unfiled. A
 * file without a key is the original; each of several files has its name as its key. All or nothing: a failure leaves
 * no rows, and no bytes for longer than until the next sweep. Adding to an existing resource needs its creator or an
 * admin. Throws ConflictError ALREADY_EXISTS, InvalidInputError, TooLargeError, UnsupportedMediaError, ForbiddenError,
 * and the errors of `receive`.
 */
export async function uploadToResource(
  ctx: Context,
  { resource, key }: { resource: string; key: string | null },
  receive: Receive,
): Promise<ResourceFile[]> {
  authorize(ctx, 'resource.create');
  // Before the bytes: a request that can be rejected now should not be sent to its end.
  await findResource(ctx, resource, key === null ? [] : [key]);
  const staged: StagedFile[] = [];
  try {
    const details = await receive(async ({ bytes, ...declared }) => {
      staged.push(await stageFile(ctx, bytes, declared));
    });
    const into = intoNamedResource({ resource, ...details });
    return await take(ctx, staged.splice(0), into);
  } catch (error) {
    // The files that `take` has not received, because the request broke off.
    await discardStaged(ctx, staged);
    throw error;
  }
}

function intoNamedResource(input: z.input<typeof uploadInput>): Into<ResourceFile[]> {
  return async (ctx, staged) => {
    const { key, projectId, ...named } = parseInput(uploadInput, input);
    // A resource of an earlier version may be stored as it was given.
    const isStored =
      named.resource === input.resource
        ? undefined
        : findMediaByResource(ctx.db, EVERYTHING, input.resource);
    const resource = (await isStored)?.resource ?? named.resource;
    const files = withKeys(staged, { resource, key });
    return intoResource({ resource, projectId }, files, (_, added) => added.files)(ctx, staged);
  };
}

function withKeys(
  staged: readonly StagedFile[],
  { resource, key }: { resource: string; key: string | null },
): StagedFile[] {
  const [first, ...others] = staged;
  if (first === undefined) throw InvalidInputError.of('file', 'REQUIRED', 'It is required.');
  if (others.length === 0) return [withKey(first, key ?? '', resource)];
  if (key) throw InvalidInputError.of('key', 'CONFLICT', 'Expected no key for several files.');
  const files = staged.map((file) => withKey(file, file.filename, resource));
  if (files.some((file) => file.key === '')) {
    throw InvalidInputError.of('file', 'BLANK', 'Each of several files must have a filename.');
  }
  return files;
}

/**
 * Returns the file under its key. Contract §4.1: a file without a name gets the name of its resource; a variant gets
 * its key.
 */
function withKey(staged: StagedFile, key: string, resource: string): StagedFile {
  return { ...staged, key, filename: staged.filename || cleanFilename(key || resource) };
}
