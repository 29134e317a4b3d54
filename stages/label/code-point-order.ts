/** The order of texts where nothing else decides. */

/**
 * Compares by Unicode code points. JavaScript's own `<` compares UTF-16 units and puts characters beyond
 * the first plane before U+E000 to U+FFFF; SQLite and other programs do not.
 */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const unitA = a.charCodeAt(at);
    const unitB = b.charCodeAt(at);
    if (unitA === unitB) continue;
    const highA = isSurrogate(unitA);
    return highA === isSurrogate(unitB) ? unitA - unitB : highA ? 1 : -1;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
