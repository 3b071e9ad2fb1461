import { Parser } from 'htmlparser2';

/** Callbacks for the parts of a page, called in document order; names are in lower case. */
export interface HtmlHandler {
  onOpen(name: string, attributes: Readonly<Record<string, string>>): void;
  onText?(text: string): void;
  onClose?(name: string): void;
}

/**
 * The depth of nested elements; browsers have the same limit. At each end tag the parser searches all open elements:
 * a mebibyte of `<b>` and `</x>` took it 27 seconds.
 */
const DEPTH_MAX = 512;
/** Characters that are parsed between two checks of the depth. */
const PIECE_LENGTH = 8192;

/** Parses a page, even a malformed one; stops where a page is nested too deeply. */
export function scanHtml(html: string, { onOpen, onText, onClose }: HtmlHandler): void {
  let depth = 0;
  const parser = new Parser({
    onopentag(name, attributes) {
      depth += 1;
      onOpen(name, attributes);
    },
    ...(onText && { ontext: onText }),
    onclosetag(name) {
      depth -= 1;
      onClose?.(name);
    },
  });
  for (let at = 0; at < html.length && depth <= DEPTH_MAX; at += PIECE_LENGTH) {
    parser.write(html.slice(at, at + PIECE_LENGTH));
  }
  parser.end();
}
