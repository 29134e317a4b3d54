import { describe, expect, it } from 'vitest';
import { createRandom } from '../../pipeline/math/random.ts';
import { insideWord, planWindows, sentenceStart, wordStart } from '../../pipeline/model/token-windows.ts';

/** '#' begins a sentence, '.' a word, '-' goes on with one. */
const read = (picture: string): Uint8Array =>
  Uint8Array.from(picture, (sign) => (sign === '#' ? sentenceStart : sign === '.' ? wordStart : insideWord));
const plan = (picture: string, room: number): string[] =>
  planWindows(read(picture), room).map(
    ({ first, end, keptFirst, keptEnd }) => `${first}-${end} keeps ${keptFirst}-${keptEnd}`,
  );

describe('planWindows', () => {
  it('takes a text that fits as it is, and nothing for none', () => {
    expect(plan('#...#...', 8)).toEqual(['0-8 keeps 0-8']);
    expect(plan('', 8)).toEqual([]);
  });

  it('cuts at sentences and reads the last one of a window again in the next', () => {
    //    0   4 6 8   12  16
    expect(plan('#...#.#.#...#...#...', 16)).toEqual(['0-16 keeps 0-16', '12-20 keeps 16-20']);
  });

  it('takes words before a sentence where no whole sentence fits into the overlap', () => {
    expect(plan('#.......#.......#.......', 16)).toEqual(['0-16 keeps 0-16', '12-24 keeps 16-24']);
  });

  it('gives up the overlap where a sentence needs the whole window', () => {
    expect(plan('#...#.......', 8)).toEqual(['0-4 keeps 0-4', '4-12 keeps 4-12']);
  });

  it('cuts a sentence that is too long at words, and changes over amid the overlap', () => {
    expect(plan('#.-.-.-.-.-.-.-.-.-', 8)).toEqual(['0-7 keeps 0-7', '5-13 keeps 7-13', '11-19 keeps 13-19']);
  });

  it('cuts a word that is too long where it must', () => {
    expect(plan('#-----------', 8)).toEqual(['0-8 keeps 0-7', '6-12 keeps 7-12']);
  });

  it('keeps every token once, within its window, and every sentence that fits in one piece', () => {
    const random = createRandom(5);
    for (let round = 0; round < 3000; round++) {
      const n = 1 + Math.floor(random.nextFloat() * 120);
      const room = 1 + Math.floor(random.nextFloat() * 40);
      const shares = [random.nextFloat() * 0.3, random.nextFloat()];
      const breaks = Uint8Array.from({ length: n }, () => {
        const drawn = random.nextFloat();
        return drawn < shares[0] ? sentenceStart : drawn < shares[1] ? wordStart : insideWord;
      });
      const windows = planWindows(breaks, room);
      let kept = 0;
      for (const { first, end, keptFirst, keptEnd } of windows) {
        expect(keptFirst).toBe(kept);
        expect(keptEnd).toBeGreaterThan(keptFirst);
        expect(keptFirst).toBeGreaterThanOrEqual(first);
        expect(keptEnd).toBeLessThanOrEqual(end);
        expect(end - first).toBeLessThanOrEqual(room);
        kept = keptEnd;
      }
      expect(kept).toBe(n);
      const borders = [0, ...[...breaks.keys()].filter((at) => at > 0 && breaks[at] === sentenceStart), n];
      for (let s = 0; s + 1 < borders.length; s++) {
        const [first, end] = [borders[s], borders[s + 1]];
        if (end - first > room) continue;
        const deciding = windows.filter((window) => window.keptFirst <= first && window.keptEnd >= end);
        expect(deciding).toHaveLength(1);
      }
    }
  });

  it('needs at most a third more tokens than the text has, sentence by sentence', () => {
    const random = createRandom(6);
    const breaks = Uint8Array.from({ length: 20_000 }, () =>
      random.nextFloat() < 0.04 ? sentenceStart : wordStart,
    );
    const read = planWindows(breaks, 510).reduce((sum, { first, end }) => sum + end - first, 0);
    expect(read).toBeLessThan(20_000 * 1.34);
    expect(read).toBeGreaterThan(20_000);
  });
});
