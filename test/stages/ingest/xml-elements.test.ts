import { describe, expect, it } from 'vitest';
import { UserError } from '../../../pipeline/errors.ts';
import { createXmlScanner, textOf, valueIn } from '../../../stages/ingest/xml-elements.ts';

function scan(text: string, pieceLength = text.length || 1, wanted = ['paper']) {
  const scanner = createXmlScanner(new Set(wanted), 'papers.xml');
  const found = {
    elements: [] as { text: string | null; line: number }[],
    faults: [] as { line: number; detail: string }[],
  };
  const take = ({ elements, faults }: ReturnType<typeof scanner.push>): void => {
    found.elements.push(...elements.map((element) => ({ text: textOf(element), line: element.line })));
    found.faults.push(...faults);
  };
  for (let i = 0; i < text.length; i += pieceLength) take(scanner.push(text.slice(i, i + pieceLength)));
  take(scanner.end());
  return found;
}

const texts = (text: string, pieceLength?: number) =>
  scan(text, pieceLength).elements.map((element) => element.text);

describe('elements', () => {
  const document =
    '<?xml version="1.0"?>\n<!DOCTYPE all PUBLIC "-//X//DTD//EN" "http://dtd.example/all.dtd">\n<all id="9"><in n="1">\n<paper id="a">One <i>t</i>wo &amp; &#233;</paper>\n<other>no</other>\n<paper id="b"><![CDATA[<three>]]></paper></in>\n</all>\n';

  it('come with their text, line, attributes and what is around them', () => {
    const scanner = createXmlScanner(new Set(['paper']), 'papers.xml');
    const { elements } = scanner.push(document);
    expect(
      elements.map(({ line, attributes, around }) => [line, attributes.id, around.map(({ name }) => name)]),
    ).toEqual([
      [4, 'a', ['all', 'in']],
      [6, 'b', ['all', 'in']],
    ]);
    expect(elements.map(textOf)).toEqual(['One two & é', '<three>']);
    expect(elements[0].around[1].attributes).toEqual({ n: '1' });
    expect(scanner.end()).toEqual({ elements: [], faults: [] });
  });

  it.each([1, 2, 3, 10, 100])('are the same in pieces of %i characters', (length) => {
    expect(scan(document, length)).toEqual(scan(document));
  });

  it('lose their prefixes, and hold those of the same name within them', () => {
    expect(texts('<x:all xmlns:x="urn:x"><x:paper>a<x:paper>b</x:paper></x:paper></x:all>')).toEqual(['ab']);
  });

  it('give single values with their spaces mended', () => {
    const scanner = createXmlScanner(new Set(['paper']), 'papers.xml');
    const [paper] = scanner.push('<paper><t> a\n  b </t><e/></paper>').elements;
    expect([valueIn(paper, 't'), valueIn(paper, 'e'), valueIn(paper, 'none')]).toEqual([
      'a b',
      undefined,
      undefined,
    ]);
  });
});

describe('what is not to be trusted', () => {
  it.each([
    '<!DOCTYPE all [<!ENTITY a "b">]><all/>',
    '<!DOCTYPE all SYSTEM "x.dtd" [<!ENTITY % a SYSTEM "file:///etc/passwd">%a;]><all/>',
    '<!DOCTYPE all [\n<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]><all><paper>&lol2;</paper></all>',
  ])('declarations of entities are refused: %s', (text) => {
    expect(() => scan(text)).toThrow(UserError);
  });

  it('entities that XML does not know break their element alone', () => {
    const found = scan(
      '<all><paper>a</paper><paper>&nbsp;</paper><paper>&xxe;</paper><paper>d</paper></all>',
    );
    expect(found.elements.map(({ text }) => text)).toEqual(['a', 'd']);
    expect(found.faults).toHaveLength(2);
  });

  it('nesting without end is given up', () => {
    const found = scan(`<all><paper>${'<b>'.repeat(100_000)}</paper><paper>after</paper></all>`);
    expect(found.faults[0].detail).toContain('nested too deeply');
    expect(() => texts('<a>'.repeat(100_000))).toThrow('elements nested 64 deep');
  });

  it('an element without end is given up at its bound', () => {
    const found = scan(`<all><paper>${'x'.repeat(9_000_000)}</paper>\n<paper>after</paper></all>`, 1 << 16);
    expect(found.elements).toEqual([{ text: 'after', line: 2 }]);
    expect(found.faults).toMatchObject([{ line: 1, detail: expect.stringContaining('at most') }]);
  });

  it('costs time in proportion to its length, however often it is broken', () => {
    const found = scan(`<all>${'<paper>&x;</paper>'.repeat(30_000)}<paper>after</paper></all>`, 1 << 18);
    expect(found.faults).toHaveLength(30_000);
    expect(found.elements).toHaveLength(1);
  });
});

describe('broken XML', () => {
  it.each([1, 7, 1000])('costs the element that it breaks and no other (pieces of %i)', (length) => {
    const text =
      '<all>\n<paper>a</paper>\n<paper>b<i></paper>\n<paper>c</paper>\n<paper>d < e</paper>\n<paper>f</paper>\n</all>';
    const found = scan(text, length);
    expect(found.elements).toEqual([
      { text: 'a', line: 2 },
      { text: 'c', line: 4 },
      { text: 'f', line: 6 },
    ]);
    expect(found.faults.map(({ line }) => line)).toEqual([3, 5]);
  });

  it('keeps what was around it', () => {
    const scanner = createXmlScanner(new Set(['paper']), 'papers.xml');
    const broken =
      '<all><in n="7"><paper>&x;</paper><paper>b</paper><paper>&x;</in><in n="8"><paper>c</paper></in></all>';
    const { elements, faults } = scanner.push(broken);
    expect(faults).toHaveLength(2);
    expect(elements.map(({ around }) => around.map(({ attributes }) => attributes.n))).toEqual([
      [undefined, '7'],
      [undefined, '8'],
    ]);
    expect(scanner.end().faults).toEqual([]);
  });

  it('tells of an end that comes too early', () => {
    expect(scan('<all><paper>a</paper><paper>b').faults).toMatchObject([
      { detail: 'the text ends within the element' },
    ]);
    expect(scan('<all><paper>a</paper>').faults).toHaveLength(1);
    expect(scan('no XML at all').faults).toHaveLength(1);
  });
});
