/** A bucket as a URL names it. */
export interface S3Place {
  bucket: string;
  /** Empty, or a path that ends with a slash. */
  prefix: string;
  /** Null: AWS. */
  endpoint: string | null;
  region: string | null;
  /** Null: true with an endpoint, otherwise false. */
  isPathStyle: boolean | null;
}

/** The form of such a URL. */
export const S3_URL_EXPECTED = 's3://bucket/prefix?endpoint=…&region=…&path-style=true|false';

const PARAMETERS: Readonly<Record<string, [RegExp, string]>> = {
  endpoint: [/^https?:\/\/[^/?#@]+\/?$/, 'an http or https URL without a path or credentials'],
  region: [/^[a-z0-9-]{1,64}$/, 'a region such as eu-central-1'],
  'path-style': [/^(true|false)$/, 'true or false'],
};

/** Reads a URL of a bucket. Returns the expected form, for people, if it is wrong. */
export function parseS3Url(url: string): S3Place | string {
  const [, bucket, path = '', query = ''] =
    /^s3:\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(url) ?? [];
  if (bucket === undefined) return S3_URL_EXPECTED;
  if (bucket.includes('@')) {
    return 'an s3: URL without credentials, which are in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
  }
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    return 'the name of a bucket after s3://, of 3 to 63 lower-case letters, digits, dots and hyphens';
  }
  const prefix = path.replace(/\/$/, '');
  if (!/^([\w-][\w.-]*(\/[\w-][\w.-]*)*)?$/.test(prefix) || prefix.length > 512) {
    return 'a prefix of letters, digits, hyphens, underscores and dots, separated by slashes';
  }
  const parameters = parseParameters(query);
  if (typeof parameters === 'string') return parameters;
  const { endpoint, region, 'path-style': pathStyle } = parameters;
  return {
    bucket,
    prefix: prefix === '' ? '' : `${prefix}/`,
    endpoint: endpoint === undefined ? null : new URL(endpoint).origin,
    region: region ?? null,
    isPathStyle: pathStyle === undefined ? null : pathStyle === 'true',
  };
}

function parseParameters(query: string): Record<string, string> | string {
  const found: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    const [pattern, expected] = PARAMETERS[name] ?? [];
    if (pattern === undefined)
      return `no parameters but ${Object.keys(PARAMETERS).join(', ')}, not ${name}`;
    if (name in found) return `${name} once`;
    const isValid = pattern.test(value) && (name !== 'endpoint' || URL.canParse(value));
    if (!isValid) return `${name}=${expected}`;
    found[name] = value;
  }
  return found;
}
