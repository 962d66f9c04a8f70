import { parse } from "parse5";
import type { DefaultTreeAdapterTypes } from "parse5";
import { SaxesParser } from "saxes";

/** An element met while reading a document, in document order. */
export interface FoundElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Elements of an SVG (or any XML) text; throws where it is not well-formed. */
export function elementsOf(xml: string): FoundElement[] {
  const found: { name: string; attributes: Record<string, string>; text: string }[] = [];
  const open: number[] = [];
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", (tag) => {
    open.push(found.length);
    found.push({ name: tag.name, attributes: { ...tag.attributes }, text: "" });
  });
  parser.on("text", (text) => {
    const current = open.at(-1);
    if (current !== undefined) found[current]!.text += text;
  });
  parser.on("closetag", () => open.pop());
  parser.write(xml).close();
  return found;
}

type Node = DefaultTreeAdapterTypes.ChildNode | DefaultTreeAdapterTypes.Document;

/** Elements of an HTML page and the parse errors of the HTML standard. */
export function readHtml(html: string): { elements: FoundElement[]; errors: string[] } {
  const errors: string[] = [];
  const document = parse(html, {
    sourceCodeLocationInfo: true,
    onParseError: (error) => errors.push(`${error.code} in line ${error.startLine}`),
  });
  const elements: FoundElement[] = [];
  const textOf = (node: Node): string =>
    node.nodeName === "#text"
      ? (node as DefaultTreeAdapterTypes.TextNode).value
      : "childNodes" in node
        ? node.childNodes.map(textOf).join("")
        : "";
  const visit = (node: Node): void => {
    if ("tagName" in node) {
      const attributes = Object.fromEntries(node.attrs.map(({ name, value }) => [name, value]));
      elements.push({ name: node.tagName, attributes, text: textOf(node) });
    }
    if ("childNodes" in node) node.childNodes.forEach(visit);
  };
  visit(document);
  return { elements, errors };
}
