import type { InputShapeFromFields } from '@pothos/core';
import type { File } from '../../../domain/file/file.ts';
import { signPathForNow } from '../../../domain/file/signed-url.ts';
import { builder, type GraphqlContext } from '../../builder.ts';

/** The properties of a file that `toFileUrl` reads. */
export const URL_NEEDS = ['urlPath', 'isPrivate'] as const;

/** Returns the URL of a file: signed if the file is private, so that an `<img>` can show it. */
export function toFileUrl(
  { urlPath, isPrivate }: Pick<File, (typeof URL_NEEDS)[number]>,
  { domain, toUrl }: GraphqlContext,
): string {
  return toUrl(isPrivate ? signPathForNow(domain, urlPath) : urlPath);
}

/** The arguments of a field that is a signed URL. */
export const SIGNED_URL_ARGS = builder.args((t) => ({
  expiresInSeconds: t.int({
    defaultValue: 3600,
    description: 'Lifetime of the URL in seconds, from 1 to 604,800 (7 days).',
  }),
  download: t.boolean({
    defaultValue: false,
    description: 'Whether a browser saves the file instead of displaying it.',
  }),
}));

/** Converts `SIGNED_URL_ARGS` to the arguments of `signPath`. */
export function toSignedUrlOptions({
  expiresInSeconds,
  download,
}: InputShapeFromFields<typeof SIGNED_URL_ARGS>) {
  const query: Record<string, string> = download ? { download: '1' } : {};
  return { input: { expiresInSeconds: expiresInSeconds ?? 3600 }, query };
}
