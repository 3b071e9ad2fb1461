/** The place of the objects: a bucket, and a prefix of all names in it. */
export interface S3Location {
  bucket: string;
  /** Empty, or a path that ends with a slash. */
  prefix: string;
  /** The address of the service, without a path: `https://s3.eu-central-1.amazonaws.com`. */
  endpoint: string;
  region: string;
  /** Whether the bucket is the first part of the path; otherwise it is the first part of the host name. */
  isPathStyle: boolean;
}

/** Parameters of a request's URL. */
export type S3Query = Readonly<Record<string, string>>;

/**
 * Returns the URL of an object, whose name is relative to the prefix, or of the bucket if `name` is null. A parameter
 * with an empty value is a subresource, such as `uploads`.
 */
export function s3Url(location: S3Location, name: string | null, query: S3Query = {}): URL {
  const { bucket, prefix, endpoint, isPathStyle } = location;
  const url = new URL(endpoint);
  if (!isPathStyle) url.hostname = `${bucket}.${url.hostname}`;
  const path = name === null ? '' : `${prefix}${name}`;
  url.pathname = isPathStyle ? `/${bucket}/${path}` : `/${path}`;
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  return url;
}
