import type { DispositionType } from './file/disposition.ts';

/** Limits on the way in which a browser treats bytes that anybody may have uploaded. */
export interface ContentPolicy {
  disposition: DispositionType;
  /**
   * Content-Security-Policy of the response; null for types that a browser never runs as a document
   * of our origin.
   */
  csp: string | null;
}

/**
 * The policy of documents. `sandbox` gives them an origin of their own, without scripts, forms or
 * pop-ups, and nothing is loaded. Inline styles, embedded images and fonts are allowed, because
 * drawing programs write all three into SVG. In an `<img>` an SVG loads and runs nothing anyway,
 * and looks the same.
 */
const SANDBOX =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:";

/**
 * Images, sound and video: the browser's own player or viewer shows them, and no bytes make it run
 * code in our origin. They have no policy, because in `default-src 'none'` a video that is opened
 * by itself does not play. Neither has PDF, whose scripts run inside the viewer, apart from any
 * origin: in a sandbox Safari shows an empty page, and Chromium drops the policy
 * (adobe/aem-core-wcm-components#2839).
 */
const INERT = /^(?:(?:image|audio|video)\/(?!.*xml)|application\/pdf$)/;

/**
 * Types that a browser shows as text or as an image. `nosniff` keeps it from rendering them as a
 * page; the policy is a second line of defence.
 */
const SHOWN =
  /^(?:image\/svg\+xml|application\/(?:json|yaml)|text\/(?:plain|csv|tab-separated-values|markdown|vtt))$/;

/**
 * Returns the policy of a MIME type. Known harmless types are shown; all others, above all HTML,
 * XHTML, XML and unknown types, are saved, and sandboxed as well: without scripts a page is of
 * little use here, but its text would still appear under our address and pass for ours. `<img>`,
 * `<video>`, `<track>` and `fetch` can load an attachment.
 */
export function contentPolicy(mimeType: string): ContentPolicy {
  if (INERT.test(mimeType)) return { disposition: 'inline', csp: null };
  return { disposition: SHOWN.test(mimeType) ? 'inline' : 'attachment', csp: SANDBOX };
}

/**
 * Headers of every response: the set of the package `helmet`, with the values for a server of JSON and files. HSTS is
 * without `includeSubDomains`, because other hosts below this one may serve HTTP.
 */
const EVERYWHERE: Readonly<Record<string, string>> = {
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
};

/** Headers of responses that are no pages: a browser loads, frames and runs nothing of them. */
const OF_DATA: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
};

/** Headers of every response. Pages replace the Content-Security-Policy, and files use `FILE_EXCEPTIONS`. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = { ...EVERYWHERE, ...OF_DATA };

/**
 * Headers that files do not have. Pages of other sites embed files, documents in frames too. Their policy depends on
 * the type. A browser refuses to open a sandboxed document that has an opener policy (HTML, "Creating navigation params
 * by fetching").
 */
export const FILE_EXCEPTIONS = [
  'content-security-policy',
  'cross-origin-opener-policy',
  'x-frame-options',
] as const;
