import type { TestApp } from './app.ts';
import { type GraphqlOptions, graphql } from './graphql.ts';

/** Selects fields of the image of a media item, given by its number. Throws for an error. */
export async function imageOf(
  app: Pick<TestApp, 'url'>,
  mediaId: number,
  fields: string,
  sender: GraphqlOptions = {},
) {
  const query = `{ media(by: { databaseId: ${mediaId} }) { image { ${fields} } } }`;
  const { data, errors } = await graphql(app, query, {}, sender);
  if (errors) throw new Error(JSON.stringify(errors));
  return data.media.image;
}

/** Returns the path of a rendition, given by the arguments of `Image.url`. */
export async function renditionPath(
  app: Pick<TestApp, 'url'>,
  mediaId: number,
  args: string,
  sender: GraphqlOptions = {},
): Promise<string> {
  const { url } = await imageOf(app, mediaId, `url(${args})`, sender);
  return url.slice(app.url.length);
}

/** The `Accept` headers that browsers send for images, and that of curl. */
export const ACCEPT = {
  chrome: 'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8',
  safari:
    'image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5',
  oldSafari: 'image/webp,image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5',
  curl: '*/*',
};
