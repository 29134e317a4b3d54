/**
 * The normal form of a mention: what spelling variants of one name have in common. A key is only ever
 * compared, never shown, so a rule may leave a strange word behind as long as no two names meet.
 */

import { type Acronym, findAcronyms, withoutPlural } from './acronyms.ts';

/**
 * Words in lower case, acronyms ("CNN") in capitals, one space between.
 *
 * Folded: Unicode compatibility forms, case, hyphens and spaces, plural of the last word, British spelling,
 * leading determiners, outer punctuation, an acronym in brackets behind its long form.
 *
 * @returns Never empty for text that is not.
 */
export function formKey(text: string): string {
  const words = wordsOf(cleanSurface(text));
  if (words.length === 0) return text.normalize('NFKC').trim().toLowerCase() || text;
  return words
    .map((word, i) => {
      const head = i === words.length - 1 || PREPOSITIONS.has(words[i + 1]);
      return wordKeyOf(word, head);
    })
    .join(' ');
}

/** How the mentions of one document are keyed: an acronym that the document defines counts as its long form. */
export function documentForms(...texts: string[]): { acronyms: Acronym[]; formOf(text: string): string } {
  const acronyms = texts.flatMap(findAcronyms);
  const longKeys = new Map<string, string>();
  for (const { short, long } of acronyms) {
    const key = formKey(short);
    if (!longKeys.has(key)) longKeys.set(key, formKey(long));
  }
  return {
    acronyms,
    formOf: (text) => {
      const key = formKey(text);
      return longKeys.get(key) ?? key;
    },
  };
}

/** A surface as it may be shown: white space single, determiners, outer punctuation and acronym in brackets gone. */
export function cleanSurface(text: string): string {
  let clean = ASCII.test(text) ? text : text.normalize('NFKC').replace(DASHES, '-').replace(APOSTROPHES, "'");
  if (UNTIDY.test(clean)) clean = clean.replace(/\s+/g, ' ').trim();
  const bracket = TRAILING_BRACKET.exec(clean);
  if (bracket !== null && /\p{Lu}/u.test(bracket[1])) clean = clean.slice(0, bracket.index);
  // "automatic speech recognition (ASR) systems" is a mention of those systems, not of another kind.
  clean = clean.replace(INNER_ACRONYM, '');
  // A bracket that the mention opens and does not close belongs to the sentence.
  const open = clean.lastIndexOf(' (');
  if (open > 0 && clean.indexOf(')', open) < 0) clean = clean.slice(0, open);
  clean = trimPunctuation(clean);
  for (let space = clean.indexOf(' '); space > 0; space = clean.indexOf(' ')) {
    if (!DETERMINERS.has(clean.slice(0, space).toLowerCase())) break;
    clean = trimPunctuation(clean.slice(space + 1));
  }
  return clean;
}

/** Capitals only, two at least; digits and a plural s may stand among them. */
export function isAcronym(word: string): boolean {
  return /^(?=.*\p{Lu}.*\p{Lu})[\p{Lu}\p{N}.&+]+s?$/u.test(word);
}

const ASCII = /^[\x20-\x7e]*$/;
const DASHES = /[\u2010-\u2015\u2212]/g;
const APOSTROPHES = /[\u2018\u2019\u02bc\u2032]/g;
const UNTIDY = /^\s|\s$|\s\s|[^\S ]/;
const INNER_ACRONYM = / \((?=[^)]*\p{Lu}[^)]*\p{Lu})[\p{Lu}\p{N}.&+-]{2,10}s?\)(?= )/gu;
const TRAILING_BRACKET = / [([]([^()[\]]{2,12})[)\]]$/;

const DETERMINERS = new Set(
  (
    'a an the this that these those our their its his her my your such some any each every both several many ' +
    'various certain'
  ).split(' '),
);

const PREPOSITIONS = new Set('of for in on with from to by at over under between via using'.split(' '));

/** Strips punctuation from both ends; a bracket or sign that belongs to the name ("C++", "poly(A)") stays. */
function trimPunctuation(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && LEADING.has(text.charCodeAt(start))) start++;
  while (end > start && TRAILING.has(text.charCodeAt(end - 1))) end--;
  if (end > start && text.charAt(end - 1) === ')' && text.lastIndexOf('(', end - 1) < start) end--;
  if (end > start && text.charAt(start) === '(' && !text.slice(start, end).includes(')')) start++;
  if (end - start > 1 && text.charAt(start) === '(' && text.indexOf(')', start) === end - 1) {
    start++;
    end--;
  }
  while (end > start && text.charCodeAt(end - 1) === 0x20) end--;
  while (start < end && text.charCodeAt(start) === 0x20) start++;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

const codes = (marks: string): Set<number> => new Set(Array.from(marks, (mark) => mark.charCodeAt(0)));
const LEADING = codes(' "\'`“”„«»,;:.!?-_/|*~]}');
const TRAILING = codes(' "\'`“”„«»,;:.!?-_/|~[{(');

/** Parts of a clean surface at white space, hyphens and slashes; possessives and inner quotes fall away. */
function wordsOf(clean: string): string[] {
  const words: string[] = [];
  for (const piece of clean.split(/[\s\-/_]+/)) {
    let word = piece;
    if (/["'`“”,;:]/.test(word)) word = word.replace(/'s$|["'`“”,;:]/g, '');
    if (word === '&') word = 'and';
    if (word !== '') words.push(word);
  }
  return words;
}

function wordKeyOf(word: string, head: boolean): string {
  if (isAcronym(word)) return withoutPlural(word).replace(/\./g, '');
  // "mRNAs", "BiLSTMs": the s is a plural, whatever the rest of the name.
  const lower = (/\p{Lu}s$/u.test(word) ? word.slice(0, -1) : word).toLowerCase();
  return american(head ? singular(lower) : lower);
}

// ---------------------------------------------------------------------------------------------
// Plural

const IRREGULAR = new Map(
  (
    'analyses analysis,hypotheses hypothesis,syntheses synthesis,diagnoses diagnosis,theses thesis,' +
    'parentheses parenthesis,crises crisis,emphases emphasis,prognoses prognosis,metastases metastasis,' +
    'axes axis,matrices matrix,indices index,vertices vertex,vortices vortex,appendices appendix,' +
    'corpora corpus,genera genus,criteria criterion,phenomena phenomenon,automata automaton,spectra spectrum,' +
    'schemata schema,lemmata lemma,bacteria bacterium,media medium,strata stratum,quanta quantum,formulae formula,' +
    'algae alga,larvae larva,antennae antenna,nuclei nucleus,stimuli stimulus,foci focus,fungi fungus,loci locus,' +
    'radii radius,thesauri thesaurus,children child,mice mouse,men man,women woman,feet foot,teeth tooth,' +
    'leaves leaf,halves half,wolves wolf,knives knife,shelves shelf,movies movie,cookies cookie,zombies zombie,' +
    'calories calorie,caches cache,niches niche,headaches headache,viruses virus,buses bus,corpuses corpus,' +
    'statuses status,campuses campus,focuses focus,thesauruses thesaurus,biases bias,gases gas,lenses lens,' +
    'aliases alias,atlases atlas,canvases canvas,potatoes potato,tomatoes tomato,heroes hero,echoes echo,' +
    'quizzes quiz'
  )
    .split(',')
    .map((pair): [string, string] => [pair.slice(0, pair.indexOf(' ')), pair.slice(pair.indexOf(' ') + 1)]),
);

const SINGULAR_IN_S = new Set(
  (
    'bias gas lens alias atlas canvas series species means news chaos cosmos ethos pathos pancreas always ' +
    'perhaps whereas thus bayes mars texas paris laplace gauss'
  ).split(' '),
);

/** Things with -ic in the singular, among the sciences that have none. */
const COUNTED_ICS =
  /(?:metr|top|heurist|characterist|statist|crit|clin|com|fabr|log|rel|epidem|pandem|biot|class|mosa|lyr|ceram|plast)ics$/;

function singular(word: string): string {
  const irregular = IRREGULAR.get(word);
  if (irregular !== undefined) return irregular;
  if (word.length <= 3 || !word.endsWith('s') || SINGULAR_IN_S.has(word)) return word;
  // "loss", "corpus", "analysis", "linguistics", but "metrics".
  if (/(?:ss|us|is)$/.test(word) || (word.endsWith('ics') && !COUNTED_ICS.test(word))) return word;
  if (word.endsWith('ies')) return word.length > 4 ? `${word.slice(0, -3)}y` : word.slice(0, -1);
  if (/(?:ss|x|ch|sh|zz)es$/.test(word)) return word.slice(0, -2);
  return word.slice(0, -1);
}

// ---------------------------------------------------------------------------------------------
// British and American spelling

const SPELLINGS = new Map(
  (
    'defence defense,offence offense,licence license,grey gray,aluminium aluminum,programme program,' +
    'artefact artifact,ageing aging,judgement judgment,acknowledgement acknowledgment,focussed focused,' +
    'focussing focusing,mould mold,plough plow,sceptic skeptic,sceptical skeptical,catalogue catalog,analogue analog,' +
    'dialogue dialog,centred centered,cheque check,tyre tire'
  )
    .split(',')
    .map((pair): [string, string] => [pair.slice(0, pair.indexOf(' ')), pair.slice(pair.indexOf(' ') + 1)]),
);

const OUR =
  /^(un|dis|multi|bi|tri)?(behavi|col|neighb|fav|lab|hum|tum|flav|vap|rum|harb|endeav|od|vig|arm|hon|sav)our/;
const DOUBLED =
  /(model|label|travel|signal|cancel|level|channel|tunnel|fuel|marvel|counsel|equal|spiral|funnel)l(ing|ings|ed|er|ers)$/;
const RE = /(cent|fib|met|lit|theat|calib)re$/;
const DIGRAPHS = /haem|aemi|paed|oestr|foet|oedem|aetiol|gynaec|anaesth|diarrhoe|faec|caes|sulph/;
const DIGRAPH_PARTS: [RegExp, string][] = [
  [/haem/g, 'hem'],
  [/aemi/g, 'emi'],
  [/paed/g, 'ped'],
  [/oestr/g, 'estr'],
  [/foet/g, 'fet'],
  [/oedem/g, 'edem'],
  [/aetiol/g, 'etiol'],
  [/gynaec/g, 'gynec'],
  [/anaesth/g, 'anesth'],
  [/diarrhoe/g, 'diarrhe'],
  [/faec/g, 'fec'],
  [/caes/g, 'ces'],
  [/sulph/g, 'sulf'],
];

function american(word: string): string {
  if (word.length < 4) return word;
  const known = SPELLINGS.get(word);
  if (known !== undefined) return known;
  let spelled = word;
  // "noise" becomes "noize" as well: nothing else is called that.
  if (word.length > 5) {
    spelled = spelled
      .replace(/is(e|ed|es|er|ers|ing|able|ation|ations)$/, 'iz$1')
      .replace(/ys(e|ed|er|ers|ing)$/, 'yz$1');
  }
  if (spelled.includes('our')) spelled = spelled.replace(OUR, '$1$2or');
  if (spelled.includes('ll')) spelled = spelled.replace(DOUBLED, '$1$2');
  if (spelled.endsWith('re')) spelled = spelled.replace(RE, '$1er');
  if (DIGRAPHS.test(spelled))
    for (const [part, other] of DIGRAPH_PARTS) spelled = spelled.replace(part, other);
  return spelled;
}
