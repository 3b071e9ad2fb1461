import type { DispositionType } from './disposition.ts';

/** How a browser may treat bytes that anybody may have sent us. */
export interface ContentPolicy {
  disposition: DispositionType;
  /** Content-Security-Policy of the answer; null for what a browser never runs as a document of ours. */
  csp: string | null;
}

/**
 * What a document gets: `sandbox` makes it an origin of its own, without scripts, forms or pop-ups, and nothing is loaded.
 * Inline styles stay, and embedded images and fonts, because drawing programs write all three into SVG. In an `<img>` an SVG
 * loads and runs nothing anyway, and looks the same.
 */
const SANDBOX =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:";

/**
 * Pictures, sound, video: the browser's own player or viewer shows them, and no bytes make it run anything in our origin.
 * Without a policy, because in `default-src 'none'` a video that is opened by itself does not play. Nor for PDF, whose scripts
 * run inside the viewer, apart from any origin: in a sandbox Safari shows an empty page, and Chromium drops the policy
 * (adobe/aem-core-wcm-components#2839).
 */
const INERT = /^(?:(?:image|audio|video)\/(?!.*xml)|application\/pdf$)/;

/** What a browser shows as text, or as a picture. With `nosniff` it makes no page of them; the policy is a second wall. */
const SHOWN =
  /^(?:image\/svg\+xml|application\/(?:json|yaml)|text\/(?:plain|csv|tab-separated-values|markdown|vtt))$/;

/**
 * By MIME type. Known harmless types are shown; all others, HTML, XHTML, XML and what is not known above all, are for saving
 * and sandboxed as well: without scripts a page is of little use here, but its text would still stand under our address and
 * be taken for ours. An attachment is no obstacle to `<img>`, `<video>`, `<track>` or `fetch`.
 */
export function contentPolicy(mimeType: string): ContentPolicy {
  if (INERT.test(mimeType)) return { disposition: 'inline', csp: null };
  return { disposition: SHOWN.test(mimeType) ? 'inline' : 'attachment', csp: SANDBOX };
}
