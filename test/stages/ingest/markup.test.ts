import { Parser } from 'htmlparser2';
import { describe, expect, it } from 'vitest';
import { stripMarkup } from '../../../stages/ingest/markup.ts';

const fold = (text: string): string => text.replace(/\s+/g, ' ').trim();

describe('tags', () => {
  it.each([
    ['<p>First.</p><p>Second.</p>', 'First. Second.'],
    ['<jats:p>We use <jats:italic>E. coli</jats:italic>.</jats:p>', 'We use E. coli.'],
    ['H<sub>2</sub>O and CO<SUB>2</SUB>, m<sup>2</sup>', 'H2O and CO2, m2'],
    ['10<sup>5</sup> cells, 10<sup>-3</sup> M, study<sup>1</sup>', '10^5 cells, 10^-3 M, study1'],
    ['<mml:math><mml:mi>x</mml:mi><mml:mo>=</mml:mo><mml:mn>1</mml:mn></mml:math>', 'x=1'],
    ['a<br/>b<BR>c', 'a b c'],
    ['<a href="https://x.org/?a=1&amp;b=2" target=_blank>link</a>', 'link'],
    ['one<!-- not <b>text</b> -->two', 'onetwo'],
    ['x<script>var a = "<p>";</script>y<style>p{}</style>z', 'x y z'],
    ['<![CDATA[inside]]>', 'inside'],
    ['<?xml version="1.0"?>text', 'text'],
  ])('%s', (text, expected) => {
    expect(fold(stripMarkup(text))).toBe(expected);
  });

  it.each([
    'p < 0.05 and x > 3',
    'for a<b and c>d we have b<c',
    'if x <y then z> 2',
    'the <unk> token and <EOS>',
    'List<String> and vector<int>',
    'i <- 3; a <= b; c << d',
    'an unfinished <a href="x and then the rest',
    'open <!-- comment without end',
    '<3 and >_<',
  ])('keeps %s', (text) => {
    expect(stripMarkup(text)).toBe(text);
  });

  it('keeps what follows a script that never closes', () => {
    expect(fold(stripMarkup('a <script> b <i>c</i>'))).toBe('a b c');
  });

  it('agrees with htmlparser2 12.0.0 on well-formed markup', () => {
    for (const html of [
      '<p>We <b>measure</b> the <i>rate</i> of &alpha;-decay &amp; more.</p>',
      '<div class="abstract"><h2>Aim</h2> To <em lang="en">see</em>.</div>',
      'A<span style="color: red">B</span>C &#233; &#x4e2d; &hellip;',
      "<p id='1'>x &lt; y</p>",
    ]) {
      let expected = '';
      const parser = new Parser({
        ontext: (text) => {
          expected += text;
        },
        onopentag: (name) => {
          if (['p', 'div', 'h2'].includes(name)) expected += ' ';
        },
        onclosetag: (name) => {
          if (['p', 'div', 'h2'].includes(name)) expected += ' ';
        },
      });
      parser.end(html);
      expect(fold(stripMarkup(html))).toBe(fold(expected));
    }
  });

  it('keeps text that htmlparser2 reads as tags', () => {
    let read = '';
    const parser = new Parser({
      ontext: (text) => {
        read += text;
      },
    });
    parser.end('for a<b and c>d we have b<c');
    expect(read).toBe('for ad we have b');
  });
});

describe('entities', () => {
  it.each([
    ['AT&amp;T &lt; 5 &eacute;&#233;&#xe9; &nbsp;x', 'AT&T < 5 ééé x'],
    ['twice: &amp;lt;jats:p&amp;gt;text&amp;lt;/jats:p&amp;gt; &amp;amp;', 'twice: text &'],
    ['&lt;p&gt;encoded tags&lt;/p&gt;', 'encoded tags'],
    ['p &lt; 0.05 and x &gt; 3', 'p < 0.05 and x > 3'],
    ['R&D, Q&A; &unknown; &copy2020', 'R&D, Q&A; &unknown; &copy2020'],
  ])('%s', (text, expected) => {
    expect(fold(stripMarkup(text))).toBe(expected);
  });
});
