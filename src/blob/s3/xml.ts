import { Parser } from 'htmlparser2';

/** An element of an XML document. */
export interface XmlElement {
  name: string;
  /** Its own text, without that of its children. */
  text: string;
  children: XmlElement[];
}

/** Returns the root element of a document; null if the text has none. Names keep their letters, and lose no prefix. */
export function parseXml(text: string): XmlElement | null {
  const top: XmlElement = { name: '', text: '', children: [] };
  const open = [top];
  const parser = new Parser(
    {
      onopentag(name) {
        const element = { name, text: '', children: [] };
        open.at(-1)?.children.push(element);
        open.push(element);
      },
      ontext(part) {
        const element = open.at(-1);
        if (element !== undefined) element.text += part;
      },
      onclosetag() {
        if (open.length > 1) open.pop();
      },
    },
    { xmlMode: true },
  );
  parser.end(text);
  return top.children[0] ?? null;
}

/** Returns the children of this name. */
export function childrenOf(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

/** Returns the text of the first child of this name; empty if there is none. */
export function textIn(element: XmlElement, name: string): string {
  return childrenOf(element, name)[0]?.text ?? '';
}

/** Renders an element with children or text. */
export function renderXml(name: string, content: string | number | readonly string[]): string {
  const inner = Array.isArray(content) ? content.join('') : escapeText(String(content));
  return `<${name}>${inner}</${name}>`;
}

function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
