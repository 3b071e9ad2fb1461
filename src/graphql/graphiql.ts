import { randomBytes } from 'node:crypto';
import type { GraphiQLOptions } from 'graphql-yoga';
import { EXAMPLES } from './example.ts';

/**
 * Returns the Content-Security-Policy of the page. It may load nothing from elsewhere but images, which query results
 * may link to: its script, styles, fonts and workers are inline. Only the script with the nonce runs.
 */
const policyOf = (nonce: string) =>
  [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    "style-src 'unsafe-inline'",
    'font-src data:',
    'img-src data: http: https:',
    'worker-src blob:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/** Options of the page at `/graphql`: one tab for each example. */
export const GRAPHIQL_OPTIONS: GraphiQLOptions = {
  title: 'Trivium',
  defaultTabs: EXAMPLES,
};

/**
 * Fixes tabs that could not be clicked: the focus moves a tab back to the start of its last animation, so that the
 * click misses it.
 */
const TABS_STAY = '<style>.graphiql-tab { transform: none !important; }</style>';

/** The page, and the policy without which it must not be sent. */
export interface Page {
  html: string;
  /** Content-Security-Policy; it names the nonce of this page's script. */
  policy: string;
}

/**
 * Renders the page. Its package is a string of some megabytes, 45 MiB of memory once loaded: it is imported on demand.
 */
export async function renderPage(options: GraphiQLOptions): Promise<Page> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const nonce = randomBytes(16).toString('base64');
  const html = renderGraphiQL(options)
    .replace('</head>', `${TABS_STAY}</head>`)
    // The first is the only one: the text occurs again inside of the script.
    .replace('<script>', `<script nonce="${nonce}">`);
  return { html, policy: policyOf(nonce) };
}
