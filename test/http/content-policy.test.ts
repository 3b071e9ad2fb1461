import { expect, test } from 'vitest';
import { contentPolicy } from '../../src/http/content-policy.ts';

test.each(['image/png', 'image/jpeg', 'image/heic', 'audio/mpeg', 'video/mp4', 'application/pdf'])(
  '%s is shown by the browser itself, without a policy',
  (type) => expect(contentPolicy(type)).toEqual({ disposition: 'inline', csp: null }),
);

test.each(['image/svg+xml', 'text/plain', 'text/csv', 'text/markdown', 'application/json'])(
  '%s is shown in a sandbox',
  (type) => {
    const { disposition, csp } = contentPolicy(type);
    expect(disposition).toBe('inline');
    expect(csp).toMatch(/^sandbox; default-src 'none'; style-src 'unsafe-inline'/);
    expect(csp).not.toMatch(/allow-|script-src|'self'|https?:/);
  },
);

test.each([
  'text/html',
  'application/xhtml+xml',
  'application/xml',
  'text/xml',
  'application/rss+xml',
  'text/javascript',
  'text/css',
  'image/something+xml',
  'IMAGE/SVG+XML',
  'multipart/x-mixed-replace',
  'message/rfc822',
  'application/x-shockwave-flash',
  'application/octet-stream',
  'application/zip',
  'application/pdfx',
  'font/woff2',
  'nonsense',
  '',
])('%s is saved, and sandboxed as well', (type) => {
  const { disposition, csp } = contentPolicy(type);
  expect(disposition).toBe('attachment');
  expect(csp).toContain('sandbox;');
});
