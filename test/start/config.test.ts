import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Config, ConfigError, parseConfig, VARIABLES } from '../../src/start/config.ts';

describe('defaults', () => {
  it('an empty environment yields a complete configuration', () => {
    expect(parseConfig({})).toEqual({
      host: '127.0.0.1',
      port: 4000,
      publicUrl: null,
      dataDir: resolve('data'),
      databaseUrl: `sqlite:${resolve('data/trivium.db')}`,
      storage: { type: 'file', directory: resolve('data/blobs') },
      storageRedirect: 'never',
      auth: 'open',
      corsOrigins: null,
      adminKey: null,
      jwtSecret: null,
      urlKeys: null,
      visibilityDefault: 'unlisted',
      stripLocation: 'never',
      jwksUrl: null,
      jwtPreviousSecrets: [],
      jwtAudiences: [],
      jwtIssuers: [],
      isJwtExpiryRequired: true,
      usersFile: null,
      imageBytesMax: 50 * 1024 * 1024,
      selfcommunityImageBytesMax: 5 * 1024 * 1024,
      documentBytesMax: 50 * 1024 * 1024,
      fileBytesMax: 1024 * 1024 * 1024,
      imagePixelsMax: 100_000_000,
      versionsMax: 5,
      thumbnailSizes: [160, 320, 640, 1280],
      renditionCacheBytesMax: 1024 * 1024 * 1024,
      documentTypes: ['application/pdf'],
      uploadTtlHours: 24,
      auditDays: 90,
      rehashDays: 30,
      trashDays: 30,
      statementTimeoutMs: 10_000,
      jobConcurrency: 2,
      connectionsPerAddressMax: null,
      bodyBytesPerSecondMin: 1024,
      lockWaitSeconds: 60,
      outboundAllowedHosts: [],
      trustedProxies: [],
      rate: { requestsPerSecondMax: 2000, isLoopbackLimited: false },
      quotas: {
        uploadsMax: 1000,
        promisedBytesMax: 2 ** 40,
        storedBytesMax: 0,
        itemsMax: 0,
        subscriptionsMax: 200,
        subscriptionsTotalMax: 2000,
        addressFactor: 10,
        freeBytesMin: 2 ** 28,
      },
      isGraphiqlEnabled: true,
      manifestFile: null,
      isFastPathEnabled: true,
      logLevel: 'info',
      previewDecoders: expect.arrayContaining(['heic', 'svg', 'pdf']),
      searchPath: '',
      unknownVariables: [],
    } satisfies Config);
  });

  it('an empty variable counts as unset', () => {
    const empty = Object.fromEntries(Object.keys(VARIABLES).map((name) => [name, '']));
    expect(parseConfig(empty)).toEqual(parseConfig({}));
  });

  it('the database and the blobs are in the data directory', () => {
    const { databaseUrl, storage } = parseConfig({ TRIVIUM_DATA_DIR: '/srv/media' });
    expect([databaseUrl, storage.directory]).toEqual([
      'sqlite:/srv/media/trivium.db',
      '/srv/media/blobs',
    ]);
  });

  it.each([
    ['127.0.0.1', 'open'],
    ['127.8.8.8', 'open'],
    ['localhost', 'open'],
    ['::1', 'open'],
    ['0.0.0.0', 'required'],
    ['::', 'required'],
    ['192.168.1.7', 'required'],
    ['127.0.0.1.example.org', 'required'],
    ['media.example.org', 'required'],
  ])('on host %s authentication is %s', (host, auth) => {
    expect(parseConfig({ TRIVIUM_HOST: host }).auth).toBe(auth);
  });

  it('TRIVIUM_IMAGE_BYTES_MAX holds for every dialect', () => {
    expect(parseConfig({ TRIVIUM_IMAGE_BYTES_MAX: '7' })).toMatchObject({
      imageBytesMax: 7,
      selfcommunityImageBytesMax: 7,
    });
  });

  it('TRIVIUM_AUTH takes precedence over the host', () => {
    expect(parseConfig({ TRIVIUM_AUTH: 'required' }).auth).toBe('required');
    expect(parseConfig({ TRIVIUM_AUTH: 'open', TRIVIUM_HOST: '0.0.0.0' }).auth).toBe('open');
  });

  it('GraphiQL is enabled when authentication is open, unless TRIVIUM_GRAPHIQL is set', () => {
    expect(parseConfig({ TRIVIUM_AUTH: 'required' }).isGraphiqlEnabled).toBe(false);
    expect(parseConfig({ TRIVIUM_GRAPHIQL: 'off' }).isGraphiqlEnabled).toBe(false);
    expect(parseConfig({ TRIVIUM_AUTH: 'required', TRIVIUM_GRAPHIQL: 'on' })).toMatchObject({
      isGraphiqlEnabled: true,
    });
  });
});

describe('values', () => {
  it.each([
    ['file:/srv/blobs', '/srv/blobs'],
    ['file:///srv/blobs', '/srv/blobs'],
    ['file:blobs', resolve('blobs')],
    ['file:./blobs', resolve('blobs')],
  ])('TRIVIUM_STORAGE_URL %s is the directory %s', (url, directory) => {
    expect(parseConfig({ TRIVIUM_STORAGE_URL: url }).storage).toEqual({ type: 'file', directory });
  });

  it('the trailing slash of the public URL is removed', () => {
    const { publicUrl } = parseConfig({ TRIVIUM_PUBLIC_URL: 'https://media.example.org/base/' });
    expect(publicUrl).toBe('https://media.example.org/base');
  });

  it('the JWKS URL keeps its trailing slash, since it is a different URL without it', () => {
    const TRIVIUM_JWKS_URL = 'https://id.example.org/keys/';
    expect(parseConfig({ TRIVIUM_JWKS_URL }).jwksUrl).toBe(TRIVIUM_JWKS_URL);
  });

  it('document types are a list', () => {
    const { documentTypes } = parseConfig({
      TRIVIUM_DOCUMENT_TYPES: 'application/pdf, application/vnd.oasis.opendocument.text',
    });
    expect(documentTypes).toEqual(['application/pdf', 'application/vnd.oasis.opendocument.text']);
  });

  it('keys of signed URLs are a list', () => {
    const [first, second] = [
      'first-key-0123456789-abcdefghijkl',
      'second-key-0123456789-mnopqrstuvwx',
    ];
    const { urlKeys } = parseConfig({ TRIVIUM_URL_KEYS: `${first}, ${second}` });
    expect(urlKeys).toEqual([first, second]);
  });

  it('allowed hosts are a list', () => {
    const { outboundAllowedHosts } = parseConfig({
      TRIVIUM_OUTBOUND_ALLOWED_HOSTS: 'wiki.example:8080, 10.1.0.0/16',
    });
    expect(outboundAllowedHosts).toEqual(['wiki.example:8080', '10.1.0.0/16']);
  });

  it('origins of pages are a list', () => {
    const { corsOrigins } = parseConfig({
      TRIVIUM_CORS_ORIGINS: 'https://a.example, http://b.example:8080,capacitor://localhost',
    });
    expect(corsOrigins).toEqual([
      'https://a.example',
      'http://b.example:8080',
      'capacitor://localhost',
    ]);
  });

  it('trusted proxies have an old name, too', () => {
    const named = { TRIVIUM_TRUSTED_PROXIES: '10.0.0.1', TRIVIUM_TRUST_PROXY: '10.0.0.2' };
    expect(parseConfig(named).trustedProxies).toEqual(['10.0.0.1']);
    expect(parseConfig({ TRIVIUM_TRUST_PROXY: '10.0.0.2' }).trustedProxies).toEqual(['10.0.0.2']);
  });

  it('secrets that a person or a program has chosen well are accepted', () => {
    for (const secret of ['correct horse battery', 'tvm_0123456789abcdef', '1f0c9a77e3b2d4586']) {
      const { jwtSecret } = parseConfig({ TRIVIUM_JWT_SECRET: secret });
      expect(jwtSecret).toBe(secret);
    }
  });

  it('the configuration is frozen', () => {
    const config = parseConfig({});
    expect(() => Object.assign(config, { port: 1 })).toThrow(TypeError);
  });

  it('unknown TRIVIUM_ variables are reported, except those of the client', () => {
    const { unknownVariables } = parseConfig({
      TRIVIUM_PROT: '80',
      TRIVIUM_URL: 'http://127.0.0.1:4000',
      TRIVIUM_API_KEY: 'tvm_x',
      PATH: '/bin',
    });
    expect(unknownVariables).toEqual(['TRIVIUM_PROT']);
  });
});

describe('problems', () => {
  it('all problems are reported at once, each with its variable and the expected value', () => {
    const wrong = {
      TRIVIUM_PORT: '65536',
      TRIVIUM_AUTH: 'maybe',
      TRIVIUM_DATABASE_URL: 'mysql://localhost/media',
      TRIVIUM_IMAGE_BYTES_MAX: '5 MiB',
    };
    expect(problemsOf(wrong)).toEqual([
      'TRIVIUM_PORT: expected a whole number from 0 to 65535',
      'TRIVIUM_DATABASE_URL: expected sqlite:<file> or postgres://…',
      'TRIVIUM_AUTH: expected open or required',
      'TRIVIUM_IMAGE_BYTES_MAX: expected a whole number from 1 to 9007199254740991',
    ]);
  });

  it.each([
    ['TRIVIUM_PORT', '-1'],
    ['TRIVIUM_PORT', '80.5'],
    ['TRIVIUM_PORT', '0x50'],
    ['TRIVIUM_PORT', '1e3'],
    ['TRIVIUM_PORT', ' 80'],
    ['TRIVIUM_PUBLIC_URL', 'media.example.org'],
    ['TRIVIUM_PUBLIC_URL', 'ftp://media.example.org'],
    ['TRIVIUM_PUBLIC_URL', 'https://media.example.org/?tenant=1'],
    ['TRIVIUM_PUBLIC_URL', 'https://media.example.org/#top'],
    ['TRIVIUM_DATABASE_URL', 'sqlite:'],
    ['TRIVIUM_STORAGE_URL', 'gs://bucket'],
    ['TRIVIUM_ADMIN_KEY', 'too-short'],
    ['TRIVIUM_ADMIN_KEY', 'a'.repeat(64)],
    ['TRIVIUM_ADMIN_KEY', 'abcdefgabcdefgabcdefg'],
    ['TRIVIUM_JWT_SECRET', 'secret'],
    ['TRIVIUM_JWT_SECRET', `${' '.repeat(10)}1a2b3c4d5e`],
    ['TRIVIUM_JWT_SECRET', 'password-password-password'],
    ['TRIVIUM_JWT_SECRET', '12345678901234567890'],
    ['TRIVIUM_CORS_ORIGINS', '*'],
    ['TRIVIUM_CORS_ORIGINS', 'null'],
    ['TRIVIUM_CORS_ORIGINS', 'app.example.org'],
    ['TRIVIUM_CORS_ORIGINS', 'https://*.example.org'],
    ['TRIVIUM_CORS_ORIGINS', 'https://app.example.org/'],
    ['TRIVIUM_CORS_ORIGINS', 'https://app.example.org:443'],
    ['TRIVIUM_CORS_ORIGINS', 'https://App.example.org'],
    ['TRIVIUM_CORS_ORIGINS', 'https://user@app.example.org'],
    ['TRIVIUM_CORS_ORIGINS', 'https://app.example.org,'],
    ['TRIVIUM_CORS_ORIGINS', 'https://app.example.org https://b.example.org'],
    ['TRIVIUM_TRUSTED_PROXIES', 'proxy.example.org'],
    ['TRIVIUM_JWT_PREVIOUS_SECRETS', 'secret'],
    ['TRIVIUM_JWT_PREVIOUS_SECRETS', 'password-password-password'],
    ['TRIVIUM_URL_KEYS', 'a'.repeat(40)],
    ['TRIVIUM_URL_KEYS', 'too-short'],
    ['TRIVIUM_URL_KEYS', 'first-key-0123456789-abcdefghijkl,second-key-too-short-01'],
    ['TRIVIUM_URL_KEYS', 'first-key-0123456789-abcdefghijkl,'],
    ['TRIVIUM_VISIBILITY_DEFAULT', 'secret'],
    ['TRIVIUM_STRIP_LOCATION', 'yes'],
    ['TRIVIUM_JWKS_URL', 'file:///etc/passwd'],
    ['TRIVIUM_FILE_BYTES_MAX', '0'],
    ['TRIVIUM_FILE_BYTES_MAX', '9007199254740993'],
    ['TRIVIUM_DOCUMENT_TYPES', 'pdf'],
    ['TRIVIUM_UPLOAD_TTL_HOURS', '0'],
    ['TRIVIUM_STATEMENT_TIMEOUT_MS', '99'],
    ['TRIVIUM_OUTBOUND_ALLOWED_HOSTS', 'http://wiki.example/'],
    ['TRIVIUM_GRAPHIQL', 'yes'],
    ['TRIVIUM_LOG_LEVEL', 'verbose'],
  ])('%s=%s is rejected', (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([expect.stringMatching(`^${name}: expected .+`)]);
  });

  it('a message never contains a secret', () => {
    const secret = 'hunter2-short';
    for (const name of ['TRIVIUM_ADMIN_KEY', 'TRIVIUM_URL_KEYS']) {
      expect(problemsOf({ [name]: secret }).join()).not.toContain(secret);
    }
  });

  it('every variable has a description', () => {
    for (const [, description] of Object.values(VARIABLES)) expect(description).toMatch(/\w{4}/);
  });
});

/** Returns the problems that `parseConfig` reports; an empty list for a valid configuration. */
function problemsOf(env: Record<string, string>): string[] {
  try {
    parseConfig(env);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
}
