import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import packageInfo from '@graphql-yoga/render-graphiql/package.json' with { type: 'json' };
import { EXAMPLES } from './example.ts';

/**
 * Returns the Content-Security-Policy of the page. It may load nothing from elsewhere but images, which query results
 * may link to: its fonts and workers are inline. Only the scripts with the nonce run.
 */
const policyOf = (nonce: string) =>
  [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    "style-src 'self' 'unsafe-inline'",
    'font-src data:',
    'img-src data: http: https:',
    'worker-src blob:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/** The files that the page loads, by extension. */
export const GRAPHIQL_EXTENSIONS = ['js', 'css', 'ico'] as const;

/** A file of the page: compressed only, because its megabytes stay in memory. */
export interface GraphiqlFile {
  br: Uint8Array;
  gzip: Uint8Array;
}

/** The files of the page. */
export type GraphiqlFiles = Readonly<Record<(typeof GRAPHIQL_EXTENSIONS)[number], GraphiqlFile>>;

/** Name of the files without their extension. It changes with their content, so that browsers keep them for ever. */
export const GRAPHIQL_NAME = `graphiql-${packageInfo.version}-1`;

let loading: Promise<GraphiqlFiles> | undefined;

/** Returns the files of the page. The first call takes a second or two: nothing of them is loaded before. */
export function graphiqlFiles(): Promise<GraphiqlFiles> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(): Promise<GraphiqlFiles> {
  const worker = new Worker(new URL('./graphiql-worker.ts', import.meta.url));
  const [files] = await once(worker, 'message');
  return files;
}

/** The page, and the policy without which it must not be sent. */
export interface Page {
  html: string;
  /** Content-Security-Policy; it names the nonce of this page's scripts. */
  policy: string;
}

/** Tabs that people can click: the focus moves a tab back to the start of its last animation, so that the click misses it. */
const TABS_STAY = '.graphiql-tab { transform: none !important; }';

/**
 * Code that returns the content of the tab to show: the one with the query of the address, else the one that was open last.
 * GraphiQL keeps the tabs, but opens a new tab if none of them has the content that it is given.
 */
const SHOWN_TAB = `(() => {
  try {
    const { tabs, activeTabIndex } = JSON.parse(localStorage.getItem('graphiql:tabState'));
    const asked = new URLSearchParams(location.search).get('query');
    const isShown = ({ query }) => asked === null || query === asked;
    const { query, variables, headers } = [tabs[activeTabIndex], ...tabs].find(isShown);
    return { query: query ?? '', variables: variables ?? '', initialHeaders: headers ?? '' };
  } catch {
    // The first visit, a new query, or a browser that keeps nothing.
    return {};
  }
})()`;

/** Renders the page at `/graphql`: one tab for each example. It loads its files from `/graphql/…`. */
export function renderPage(nonce: string = randomBytes(16).toString('base64')): Page {
  const base = `/graphql/${GRAPHIQL_NAME}`;
  const options = { title: 'Trivium', defaultTabs: EXAMPLES };
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Trivium</title>
<link rel="icon" href="${base}.ico">
<link rel="stylesheet" href="${base}.css">
<style>${TABS_STAY}</style>
</head>
<body id="body" class="no-focus-outline">
<noscript>You need to enable JavaScript to run this app.</noscript>
<div id="root"></div>
<script nonce="${nonce}" src="${base}.js"></script>
<script nonce="${nonce}">
YogaGraphiQL.renderYogaGraphiQL(document.querySelector('#root'), { ...${inScript(options)}, ...${SHOWN_TAB} });
</script>
</body>
</html>
`;
  return { html, policy: policyOf(nonce) };
}

/** Returns JSON within a script, which `</script>` in a text would end. */
function inScript(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}
