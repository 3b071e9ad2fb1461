/** The markup languages that a browser parses; each of them can carry scripts. */
export type Markup = 'svg' | 'html' | 'xml';

/**
 * Returns the markup language of `text`, the beginning of a file, detected from its first element
 * after white space, comments, processing instructions and a DOCTYPE. Returns `null` for plain
 * text, even if it contains markup further on: no browser runs that when it is served as text with
 * `nosniff`.
 *
 * In doubt it returns the active type: a text that starts with a comment, prolog or DOCTYPE that
 * does not end within `text` is HTML or XML, never plain text. Runs in time linear in the length of
 * the text; resolves no entities and reads nothing else.
 */
export function detectMarkup(text: string): Markup | null {
  const start = skipSpace(text, 0);
  const isXml = /^<\?xml\s/.test(text.slice(start, start + 6));
  const root = skipProlog(text, start);
  if (root.doctype === 'html') return 'html';
  const isDeclared = isXml || root.doctype !== null;
  // An unclosed comment hides everything after it. Browsers treat text that starts with one as
  // HTML.
  if (root.at === -1) return isDeclared ? 'xml' : 'html';
  const markup = markupOfElement(text, root.at, isXml ? XHTML_ELEMENTS : HTML_ELEMENTS);
  return markup ?? (isDeclared ? 'xml' : null);
}

interface Root {
  /** Position after the prolog; -1 when the prolog does not end within the text. */
  at: number;
  /** Name in the DOCTYPE, in lower case; null when there is no DOCTYPE. */
  doctype: string | null;
}

function skipProlog(text: string, start: number): Root {
  let at = start;
  let doctype: string | null = null;
  while (at !== -1) {
    const next = skipSpace(text, at);
    if (text.startsWith('<!--', next)) at = past(text, '-->', next + 4);
    else if (text.startsWith('<?', next)) at = past(text, '?>', next + 2);
    else if (/^<!doctype\s/i.test(text.slice(next, next + 10))) {
      doctype = /^\s*([\w.:-]*)/.exec(text.slice(next + 9, next + 265))?.[1]?.toLowerCase() ?? '';
      at = skipDoctype(text, next);
    } else return { at: next, doctype };
  }
  return { at, doctype };
}

/**
 * Returns the position after the `>` that ends a DOCTYPE, or -1. The quotes, comments and
 * declarations of its internal subset may contain other `>`.
 */
function skipDoctype(text: string, start: number): number {
  const token = /<!--|["'[\]>]/g;
  let isInSubset = false;
  token.lastIndex = start;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [found] = match;
    if (found === '>' && !isInSubset) return token.lastIndex;
    if (found === '[' || found === ']') isInSubset = found === '[';
    const end = found === '<!--' ? '-->' : found;
    if (found === '<!--' || found === '"' || found === "'") {
      token.lastIndex = past(text, end, token.lastIndex);
      if (token.lastIndex <= match.index) return -1;
    }
  }
  return -1;
}

function past(text: string, end: string, from: number): number {
  const at = text.indexOf(end, from);
  return at === -1 ? -1 : at + end.length;
}

function skipSpace(text: string, from: number): number {
  const space = /[\s\ufeff]*/y;
  space.lastIndex = from;
  space.test(text);
  return space.lastIndex;
}

/**
 * Elements that mark a text as HTML when they come first: the list of the WHATWG's MIME sniffing
 * standard, and further elements that can run scripts or start a document. Plain text hardly ever
 * starts with one.
 */
const HTML_ELEMENTS = new Set(
  (
    'html head body script iframe h1 div font table a style title b br p ' +
    'h2 h3 h4 h5 h6 img object embed form input button meta link base template frameset frame ' +
    'video audio ul ol dl pre span center section article main header footer nav noscript math'
  ).split(' '),
);

/**
 * Elements that mark a text with an XML declaration as HTML. The other names are left out because
 * further XML vocabularies have an `article`, `section` or `table`.
 */
const XHTML_ELEMENTS: ReadonlySet<string> = new Set(['html']);

function markupOfElement(
  text: string,
  at: number,
  htmlElements: ReadonlySet<string>,
): Markup | null {
  // 4 KiB hold any tag without embedded data, and in practice the namespace is the first attribute.
  const tag = /^<([a-z_][\w.:-]*)(?=[\s/>]|$)([^>]*)/i.exec(text.slice(at, at + 4096));
  const name = tag?.[1]?.toLowerCase();
  if (name === undefined) return null;
  const local = name.slice(name.indexOf(':') + 1);
  if (local === 'svg') return 'svg';
  if (htmlElements.has(local)) return 'html';
  return /\sxmlns[:=]/.test(tag?.[2] ?? '') ? 'xml' : null;
}
