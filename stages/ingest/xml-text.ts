/** Text of titles and abstracts whose markup is XML of its own: formulas and powers keep their sense. */

import type { XmlElement } from './xml-elements.ts';

/** Case guards, italics and the like vanish; formulas in TeX stand between dollar signs. */
export function readableText(element: XmlElement | null): string {
  if (element === null) return '';
  let text = '';
  for (const child of element.children) {
    if (typeof child === 'string') {
      text += child;
      continue;
    }
    const inside = readableText(child);
    if (child.name === 'tex-math') text += inside.startsWith('$') ? inside : `$${inside}$`;
    else if (child.name === 'p' || child.name === 'br') text += ` ${inside} `;
    // 10<sup>5</sup> must not become 105.
    else if (child.name === 'sup' && /[0-9]$/.test(text) && /^[-−–+]?[0-9]/.test(inside))
      text += `^${inside}`;
    else text += inside;
  }
  return text;
}
