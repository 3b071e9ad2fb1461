/** What looks like a key, the token of a session, or a JWT. */
const CREDENTIAL = /\b(?:tv[msa]_[\w-]{8,}|eyJ[\w-]+\.[\w-]+\.[\w-]*)/g;

/**
 * Returns the path of a URL as it is logged: without the query, which can hold secrets, and without a credential that
 * somebody has put into the path by mistake.
 */
export function loggedPath(url: string): string {
  const [path = ''] = url.split('?', 1);
  return path.replace(CREDENTIAL, '***');
}
