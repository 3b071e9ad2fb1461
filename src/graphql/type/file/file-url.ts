import type { File } from '../../../domain/file/file.ts';
import { signPathForNow } from '../../../domain/file/signed-url.ts';
import type { GraphqlContext } from '../../builder.ts';

/** The properties of a file that `toFileUrl` reads. */
export const URL_NEEDS = ['urlPath', 'isPrivate'] as const;

/** Returns the URL of a file: signed if the file is private, so that an `<img>` can show it. */
export function toFileUrl(
  { urlPath, isPrivate }: Pick<File, (typeof URL_NEEDS)[number]>,
  { domain, toUrl }: GraphqlContext,
): string {
  return toUrl(isPrivate ? signPathForNow(domain, urlPath) : urlPath);
}
