/** What looks like a key, the token of a session, or a JWT. */
const CREDENTIAL = /\b(?:tv[msa]_[\w-]{8,}|eyJ[\w-]+\.[\w-]+\.[\w-]*)/g;

/** The signature of a rendition, `/i/{dir}/{version}/{parameters}.{signature}/{name}`: it opens a private image. */
const IMAGE_SIGNATURE = /^(\/i\/[^/]*\/[^/]*\/(?:[^/]*\.)?)[^/.]+(?=\/)/;

/**
 * Returns the path of a URL as it is logged: without the query, which can hold secrets, without the signature of a rendition,
 * and without a credential that somebody has put into the path by mistake.
 */
export function loggedPath(url: string): string {
  const [path = ''] = url.split('?', 1);
  return path.replace(IMAGE_SIGNATURE, '$1***').replace(CREDENTIAL, '***');
}
