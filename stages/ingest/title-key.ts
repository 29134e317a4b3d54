/** The normal form of a title, by which the same paper is known under other ids. */

/** Letters and digits that a title needs before it tells papers apart. */
const minLetters = 16;
const minWords = 3;

/** The same for scripts written without spaces, whose characters say more. */
const minIdeographs = 6;
const ideograph = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/gu;

/** Titles that many papers share, in the form that titleKey gives. */
const sharedTitle =
  /^(?:editorial|guesteditorial|preface|foreword|introductionto(?:the|this)?(?:special|issue|workshop|volume|proceedings)|messagefrom|letter(?:from|tothe)editor|tableofcontents|frontmatter|backmatter|listof(?:reviewers|contributors|referees)|acknowledge?ments?to|bookreview|callforpapers|proceedingsofthe|correctionto$|erratum$|corrigendum$|abstractsof|aboutthe(?:author|cover)|inthisissue)/;

/**
 * Letters and digits alone, without accents, in lower case; null for a title too short or too common to
 * tell papers apart.
 */
export function titleKey(title: string): string | null {
  const words = title
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu);
  if (words === null) return null;
  const key = words.join('');
  const isLong = key.length >= minLetters && words.length >= minWords;
  if (!isLong && (key.match(ideograph)?.length ?? 0) < minIdeographs) return null;
  return sharedTitle.test(key) ? null : key;
}
