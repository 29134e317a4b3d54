import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { countAll } from '../../../stages/export/counts.ts';
import { escapeHtml, formatCount, formatShare, shorten, textWidth } from '../../../stages/export/html.ts';
import { placeLabels } from '../../../stages/export/report-labels.ts';
import { MAX_DOTS, topicMap } from '../../../stages/export/report-map.ts';
import { punchcard } from '../../../stages/export/report-punchcard.ts';
import { dark, light, type Theme } from '../../../stages/export/report-style.ts';
import { documents, exported, inputOf, type TestDocument } from './input.ts';

const html = (await exported(inputOf(documents), { min_entity_documents: 1 })).get('report.html') ?? '';

/** Every opening and closing tag in order, so that a document's structure can be checked without a browser. */
function tags(text: string): { name: string; closing: boolean; selfClosed: boolean; attributes: string }[] {
  return [...text.matchAll(/<(\/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[^<>]*?)?)(\/?)>/g)].map((match) => ({
    closing: match[1] === '/',
    name: match[2].toLowerCase(),
    attributes: match[3],
    selfClosed: match[4] === '/',
  }));
}

describe('report.html', () => {
  it('escapes every text', () => {
    for (const markup of ['<b>', '<i>', '<script', '<img']) expect(html).not.toContain(markup);
    expect(html).toContain('-1 is &lt;b&gt;cold&lt;/b&gt;');
    expect(html).toContain('+attention &lt;i&gt;&amp;&lt;/i&gt; &quot;BLEU&quot;');
    expect(html).toContain('&lt;img src=x&gt; is not markup');
    expect(html).toContain('duplicate &amp; &quot;title&quot;');
    expect(html).toContain('&lt;/pre&gt;&lt;script&gt;');
  });

  it('closes every element it opens', () => {
    const empty = new Set(['meta', 'br', 'img', 'link']);
    const open: string[] = [];
    for (const { name, closing, selfClosed } of tags(html.replace(/<style>[^<]*<\/style>/, ''))) {
      if (empty.has(name) || selfClosed) continue;
      if (closing) expect(open.pop()).toBe(name);
      else open.push(name);
    }
    expect(open).toEqual([]);
  });

  it('allows its own style sheet and nothing else', () => {
    const style = /<style>([^<]*)<\/style>/.exec(html)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(html).toContain(
      `content="default-src &#39;none&#39;; style-src &#39;sha256-${hash}&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;"`,
    );
    expect(tags(html).filter(({ attributes }) => /\s(style|on\w+|src)=/.test(attributes))).toEqual([]);
    expect(html).not.toMatch(/https?:\/\//);
    expect(html).not.toContain('@import');
  });

  it('links only within the page and to the tables beside it', () => {
    const links = [...html.matchAll(/href="([^"]*)"/g)].map(([, link]) => link);
    const ids = new Set([...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id));
    const files = ['punchcard_topic_year.csv', 'punchcard_entity_year.csv'];
    for (const link of links) {
      expect(link.startsWith('#') ? ids.has(link.slice(1)) : files.includes(link)).toBe(true);
    }
    expect(links).toContain('#topic-8');
    expect(ids.size).toBe([...html.matchAll(/\sid="/g)].length);
  });

  it('tells counts, outliers, what was left out and what has no year', () => {
    expect(html).toContain('<h1>2 topics in 7 documents</h1>');
    expect(html).toContain('<dt>in no topic (1 outlier)</dt><dd>14.3%</dd>');
    expect(html).toContain('<dt>rows left out</dt><dd>4</dd>');
    expect(html).toContain('<dt>years (1 document without one)</dt><dd>2001–2004</dd>');
    expect(html).toContain('1 document without a year is not counted here');
    // Only what this run did.
    expect(html).toContain('1 topic continued, 1 merged');
  });

  it('gives every drawing a title, and every header cell a scope', () => {
    const drawings = html.match(/<svg [^>]*(?:aria-labelledby|aria-label|aria-hidden)=[^>]*>/g) ?? [];
    expect(drawings).toHaveLength(html.split('<svg ').length - 1);
    expect(html.match(/<th [^>]*scope=/g)).toHaveLength(html.split(/<th[ >]/).length - 1);
  });

  it('draws circles by the numbers of the table', () => {
    expect(html).toContain('<title>Parsing, 2001: 2 documents, 66.7% of the topic, 100% of the year</title>');
    expect(html).not.toContain('<title>Parsing, 2003');
  });
});

describe('topic map', () => {
  const many = Array.from({ length: 20_000 }, (_, i): TestDocument => {
    const topic = i < 5000 ? -1 : i < 5020 ? 2 : i < 5030 ? 1 : 0;
    return {
      id: `p${String(i).padStart(5, '0')}`,
      title: '',
      year: null,
      topic,
      x: i % 100,
      y: i / 200,
      mentions: [],
    };
  });

  function drawn(list: TestDocument[]): { dots: Map<string, number>; text: string } {
    const input = inputOf(list);
    const text = [
      ...topicMap(
        input,
        countAll(input),
        input.topics.topicId.map((_, row) => row),
      ),
    ].join('');
    const groups = [
      ...text.matchAll(
        /<g class="(?:topic m\d|outliers)"><title>([^:]*):[^<]*<\/title><path [^>]*d="([^"]*)"/g,
      ),
    ];
    return { dots: new Map(groups.map(([, label, path]) => [label, path.split('M').length - 1])), text };
  }

  it('thins out to the limit, keeps small topics, and tells', () => {
    const { dots, text } = drawn(many);
    const total = [...dots.values()].reduce((sum, count) => sum + count, 0);
    expect(total).toBeLessThanOrEqual(MAX_DOTS);
    expect(total).toBeGreaterThan(MAX_DOTS - 10);
    expect(dots.get('Topic 1')).toBe(10);
    expect(dots.get('Topic 2')).toBeGreaterThanOrEqual(12);
    expect(text).toContain(`${formatCount(total)} of 20,000 documents are drawn`);
  });

  it('draws every document of a small corpus and says nothing of thinning', () => {
    const { dots, text } = drawn(documents);
    expect([...dots.values()].sort()).toEqual([1, 3, 3]);
    expect(text).not.toContain('are drawn');
  });

  it('tells of documents so far off that they would squeeze the rest', () => {
    const list = many.slice(0, 1000).map((document, i) => (i === 0 ? { ...document, x: 1e6 } : document));
    expect(drawn(list).text).toContain('1 far-off document lies outside the frame');
  });

  it('draws documents that all lie on one point', () => {
    expect(drawn(documents.map((document) => ({ ...document, x: 1, y: 1 }))).text).not.toContain('NaN');
  });

  it('places labels inside the frame and over no other, the earlier ones first', () => {
    const anchors = Array.from({ length: 60 }, (_, i) => ({
      label: `a topic of some length, number ${i}`,
      x: (i * 97) % 400,
      y: (i * 61) % 300,
    }));
    const size = { width: 400, height: 300, fontSize: 12, lineCharacters: 20, maxLines: 2 };
    const labels = placeLabels(anchors, [], size);
    expect(labels[0].anchor).toBe(0);
    expect(labels.length).toBeGreaterThan(5);
    expect(labels.length).toBeLessThan(60);
    const boxes = labels.map(({ lines, x, y }) => {
      const half = Math.max(...lines.map((line) => textWidth(line, 12, 'bold'))) / 2;
      return { left: x - half, right: x + half, top: y - 9, bottom: y + (lines.length - 1) * 13.8 + 3 };
    });
    for (const [i, a] of boxes.entries()) {
      expect(a.left >= 0 && a.right <= 400 && a.top >= 0 && a.bottom <= 300).toBe(true);
      for (const b of boxes.slice(0, i)) {
        expect(a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom).toBe(false);
      }
    }
  });

  it('moves a label off the dots when there is room beside them', () => {
    const dots = Array.from({ length: 25 }, (_, i) => ({
      x: 190 + (i % 5) * 5,
      y: 140 + Math.floor(i / 5) * 5,
    }));
    const size = { width: 400, height: 300, fontSize: 12, lineCharacters: 20, maxLines: 2 };
    const [alone] = placeLabels([{ label: 'parsing', x: 200, y: 150 }], [], size);
    const [moved] = placeLabels([{ label: 'parsing', x: 200, y: 150 }], dots, size);
    expect(Math.abs(alone.y - 154)).toBeLessThan(3);
    expect(Math.abs(moved.y - 154)).toBeGreaterThan(12);
    expect(Math.abs(moved.y - 154)).toBeLessThan(40);
    expect(alone.lead).toBe(null);
    expect(moved.lead?.x).toBe(200);
  });
});

describe('punchcard', () => {
  const row = { label: 'A', link: null, documents: [1, 4, 0], total: 5 };
  const card = {
    id: 'c',
    title: 'T',
    rowName: 'topic',
    rows: [row],
    years: [2000, 2001, 2002],
    yearDocuments: [1, 100, 0],
  };
  const text = [...punchcard(card)].join('');

  it('sizes circles by area', () => {
    const radii = [...text.matchAll(/<circle cx="[^"]*" cy="\d+" r="([^"]*)" class="s\d"><title>/g)].map(
      ([, r]) => Number(r),
    );
    expect(radii).toHaveLength(2);
    expect(radii[1] / radii[0]).toBeCloseTo(2, 1);
  });

  it('colours a larger share of the year more strongly', () => {
    const steps = [...text.matchAll(/<circle cx="[^"]*" cy="\d+" r="[^"]*" class="s(\d)"><title>/g)].map(
      ([, step]) => Number(step),
    );
    expect(steps[0]).toBeGreaterThan(steps[1]);
  });

  it('keeps the newest years of a long span and tells', () => {
    const years = Array.from({ length: 80 }, (_, i) => 1900 + i);
    const long = {
      ...card,
      years,
      yearDocuments: years.map(() => 1),
      rows: [{ ...row, documents: years.map(() => 1), total: 80 }],
    };
    const drawn = [...punchcard(long)].join('');
    expect(drawn).toContain('The last 60 of 80 years are drawn, from 1920; the table has all, from 1900.');
    expect(drawn.match(/<title>A, \d+:/g)).toHaveLength(60);
  });

  it('draws rows that have no documents in the years shown', () => {
    const nothing = [...punchcard({ ...card, rows: [{ ...row, documents: [0, 0, 0], total: 0 }] })].join('');
    expect(nothing).not.toContain('NaN');
    expect(nothing).not.toContain('Infinity');
  });
});

describe('colours', () => {
  function linearOf(colour: string): number[] {
    return [1, 3, 5].map((at) => {
      const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
  }

  /** WCAG 2.2, relative luminance and contrast ratio. */
  function contrast(a: string, b: string): number {
    const luminance = (colour: string): number => {
      const [red, green, blue] = linearOf(colour);
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const [dim, bright] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (bright + 0.05) / (dim + 0.05);
  }

  it.each([
    ['light', light],
    ['dark', dark],
  ] as [string, Theme][])('text has 4.5 : 1 and marks 3 : 1 in the %s theme', (_, theme) => {
    for (const ground of [theme.ground, theme.panel]) {
      for (const text of [theme.ink, theme.soft, theme.link])
        expect(contrast(text, ground)).toBeGreaterThanOrEqual(4.5);
      for (const mark of [...theme.marks, theme.rim])
        expect(contrast(mark, ground)).toBeGreaterThanOrEqual(3);
    }
    // Each step of the punchcards stands further from the ground than the one before.
    const steps = theme.steps.map((step) => contrast(step, theme.ground));
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
  });

  // Machado, Oliveira & Fernandes (2009), full severity, on linear RGB.
  const sights: Record<string, number[][]> = {
    ordinary: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
    protan: [
      [0.152286, 1.052583, -0.204868],
      [0.114503, 0.786281, 0.099216],
      [-0.003882, -0.048116, 1.051998],
    ],
    deutan: [
      [0.367322, 0.860646, -0.227968],
      [0.280085, 0.672501, 0.047413],
      [-0.01182, 0.04294, 0.968881],
    ],
    tritan: [
      [1.255528, -0.076749, -0.178779],
      [-0.078411, 0.930809, 0.147602],
      [0.004733, 0.691367, 0.3039],
    ],
  };

  /** CIELAB, D65, of a colour as it is seen. */
  function labOf(colour: string, sight: number[][]): number[] {
    const linear = linearOf(colour);
    const [r, g, b] = sight.map((row) =>
      Math.min(
        1,
        Math.max(
          0,
          row.reduce((sum, weight, i) => sum + weight * linear[i], 0),
        ),
      ),
    );
    const [x, y, z] = [
      (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
      0.2126 * r + 0.7152 * g + 0.0722 * b,
      (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
    ].map((value) => (value > 0.008856 ? Math.cbrt(value) : 7.787 * value + 16 / 116));
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
  }

  it.each(Object.entries(sights))('topics are told apart on the map in %s sight', (_, sight) => {
    for (const { marks } of [light, dark]) {
      const seen = marks.map((mark) => labOf(mark, sight));
      for (const [i, a] of seen.entries()) {
        for (const b of seen.slice(0, i)) {
          expect(Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])).toBeGreaterThan(25);
        }
      }
    }
  });
});

describe('text in the report', () => {
  it('shortens at a word and never inside a character', () => {
    expect(shorten('neural machine translation', 26)).toBe('neural machine translation');
    expect(shorten('neural machine translation', 18)).toBe('neural machine…');
    expect(Array.from(shorten('😀😀😀😀', 3))).toEqual(['😀', '😀', '…']);
  });

  it('writes counts and shares as a person reads them', () => {
    expect([0, 999, 51396, 1234567].map(formatCount)).toEqual(['0', '999', '51,396', '1,234,567']);
    expect([0, 0.0001, 0.0123, 0.9999, 1].map(formatShare)).toEqual(['0%', '<0.1%', '1.2%', '100%', '100%']);
    expect(escapeHtml(`<a href="x">'&'`)).toBe('&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;');
  });
});
