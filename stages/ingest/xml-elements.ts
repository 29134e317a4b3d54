/**
 * Takes elements of chosen names out of XML, piece by piece, each as a small tree. Nothing outside of the text is
 * ever looked at: external references are not followed, and a document that declares entities is refused. Where
 * XML is broken, the element that it breaks is given up, and reading goes on at the next.
 */

import sax, { type SAXOptions, type SAXParser, type Tag } from 'sax';
import { UserError } from '../../pipeline/errors.ts';

export interface XmlElement {
  /** Without prefix. */
  name: string;
  attributes: Readonly<Record<string, string>>;
  children: (XmlElement | string)[];
}

export interface FoundElement extends XmlElement {
  /** Line where the element starts, from 1. */
  line: number;
  /** The elements around it, outermost first, without their children. */
  around: readonly OuterElement[];
}

export interface OuterElement extends Omit<XmlElement, 'children'> {
  /** With prefix. */
  tag: string;
}

export interface XmlFault {
  line: number;
  detail: string;
}

export interface XmlScanner {
  push(text: string): { elements: FoundElement[]; faults: XmlFault[] };
  end(): { elements: FoundElement[]; faults: XmlFault[] };
  /** Line that was reached. */
  line(): number;
}

/** The longest element that is taken, in characters; a record with thousands of authors is a tenth of it. */
const maxElementLength = 1 << 23;

/** Deeper nesting is no record's. */
const maxDepth = 64;

/** Only the five entities of XML itself are known; the package's types lack the first of these. */
const options = { strictEntities: true, position: true } as SAXOptions;

/** Thrown out of the parser where XML is broken. */
class BrokenXml extends Error {}

/**
 * @param wanted Names of the elements to take; one within another is part of it.
 * @param path For messages.
 * @throws UserError when the document declares entities or an element is read outside of any document.
 */
export function createXmlScanner(wanted: ReadonlySet<string>, path: string): XmlScanner {
  /** The element that is being taken, and those open within it. */
  let open: XmlElement[] = [];
  let around: OuterElement[] = [];
  let elementLine = 0;
  let elementStart = 0;
  let found: FoundElement[] = [];
  let faults: XmlFault[] = [];
  let parser = newParser();
  /** Lines and characters before those that this parser has seen. */
  let lineOffset = 0;
  /** Set while broken XML is passed over: what was seen of it and may yet begin an element. */
  let seeking: string | null = null;
  /** Where reading may go on: a wanted element, or an end or a sibling of one that is around. */
  let goingOn = /(?!)/;
  let seenLines = 0;

  function newParser(): SAXParser {
    const made = sax.parser(true, options);
    made.onerror = (error) => {
      throw new BrokenXml(error.message.split('\n')[0]);
    };
    made.ondoctype = (text) => {
      if (text.includes('['))
        throw new UserError(
          `ingest: expected XML without declarations of its own in ${path}, found some in its document type, which are refused: entities can be made to grow without bound or to read other files.`,
        );
    };
    made.onopentag = openElement;
    made.onclosetag = closeElement;
    made.ontext = addText;
    made.oncdata = addText;
    return made;
  }

  function openElement(tag: Tag | { name: string; attributes: unknown }): void {
    const element = {
      name: tag.name.replace(/^.*:/, ''),
      attributes: { ...(tag.attributes as Record<string, string>) },
    };
    if (open.length === 0 && !wanted.has(element.name)) {
      around.push({ ...element, tag: tag.name });
      if (around.length > maxDepth) {
        throw new UserError(`ingest: expected records in ${path}, found elements nested ${maxDepth} deep.`);
      }
      return;
    }
    if (open.length === 0) {
      elementLine = lineOffset + parser.line + 1;
      elementStart = parser.position;
    }
    const made: XmlElement = { ...element, children: [] };
    open.at(-1)?.children.push(made);
    open.push(made);
    if (open.length > maxDepth) throw new BrokenXml('Elements are nested too deeply');
  }

  function closeElement(): void {
    const closed = open.pop();
    if (closed === undefined) around.pop();
    else if (open.length === 0) found.push({ ...closed, line: elementLine, around: [...around] });
  }

  function addText(text: string): void {
    open.at(-1)?.children.push(text);
  }

  /** Gives up what is open: what follows is looked through for the next element. */
  function giveUp(detail: string, line: number): void {
    faults.push({ line: open.length > 0 ? elementLine : line, detail });
    open = [];
    const outer = around.map(({ tag }) => tag.replace(/[^\p{L}\p{N}_:-]/gu, '\\$&'));
    goingOn = new RegExp(
      `<(?:[\\w.-]+:)?(?:${[...wanted].join('|')})(?=[\\s/>])|</?(?:${outer.join('|') || '(?!)'})(?=[\\s/>])`,
      'u',
    );
    seeking = '';
    seenLines = line - 1;
  }

  /** Looks for the next element. @returns The text from there on; null where there is none. */
  function seek(text: string): string | null {
    const whole = seeking === '' || seeking === null ? text : seeking + text;
    const match = goingOn.exec(whole);
    if (match === null) {
      // Enough to recognise a start tag that the pieces part.
      const kept = whole.slice(-200);
      seenLines += count(whole) - count(kept);
      seeking = kept;
      return null;
    }
    seeking = null;
    lineOffset = seenLines + count(whole.slice(0, match.index));
    parser = newParser();
    // What stood around the broken place stands around what follows.
    const outer = around;
    around = [];
    parser.write(outer.map(({ tag }) => `<${tag}>`).join(''));
    around = outer;
    return whole.slice(match.index);
  }

  /** Reads on. @returns The text behind what is broken; null where all was read. */
  function read(text: string): string | null {
    const before = parser.position;
    try {
      parser.write(text);
      if (open.length > 0 && parser.position - elementStart > maxElementLength) {
        giveUp(`expected at most ${maxElementLength} characters in an element`, lineOffset + parser.line + 1);
      }
      return null;
    } catch (error) {
      if (!(error instanceof BrokenXml)) throw error;
      giveUp(error.message, lineOffset + parser.line + 1);
      return text.slice(parser.position - before);
    }
  }

  function taken(): { elements: FoundElement[]; faults: XmlFault[] } {
    const result = { elements: found, faults };
    found = [];
    faults = [];
    return result;
  }

  return {
    push(text) {
      for (let rest: string | null = text; rest !== null; ) rest = seeking === null ? read(rest) : seek(rest);
      return taken();
    },
    end() {
      if (seeking === null && open.length > 0) {
        faults.push({ line: elementLine, detail: 'the text ends within the element' });
      } else if (seeking === null) {
        try {
          parser.close();
        } catch (error) {
          if (!(error instanceof BrokenXml)) throw error;
          faults.push({ line: lineOffset + parser.line + 1, detail: error.message });
        }
      }
      return taken();
    },
    line: () => (seeking === null ? lineOffset + parser.line + 1 : seenLines + 1),
  };
}

function count(text: string): number {
  return text.split('\n').length - 1;
}

/** The first child of a name; null where there is none. */
export function childOf(element: XmlElement | null | undefined, name: string): XmlElement | null {
  return childrenOf(element, name)[0] ?? null;
}

export function childrenOf(element: XmlElement | null | undefined, name: string): XmlElement[] {
  return (element?.children ?? []).filter(
    (child): child is XmlElement => typeof child !== 'string' && child.name === name,
  );
}

/** All text of an element, that of its descendants included; null for no element. */
export function textOf(element: XmlElement | null | undefined): string | null {
  if (element === null || element === undefined) return null;
  return element.children
    .map((child) => (typeof child === 'string' ? child : (textOf(child) ?? '')))
    .join('');
}

/** The trimmed text of the first child of a name; undefined where it is empty or missing. */
export function valueIn(element: XmlElement | null | undefined, name: string): string | undefined {
  return textOf(childOf(element, name))?.replace(/\s+/g, ' ').trim() || undefined;
}
