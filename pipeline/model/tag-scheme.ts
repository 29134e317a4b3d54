/** What a token classifier's labels mean: where an entity begins, goes on and ends, and of which type it is. */

import { UserError } from '../errors.ts';

/** BIOES stands for all schemes that mark ends too: BIOES, BILOU, BMES, BMEWO. */
export type SchemeName = 'BIO' | 'BIOES' | 'IO';

export interface Tag {
  role: 'begin' | 'inside' | 'end' | 'single';
  /** null for a label that says "no entity". */
  type: string | null;
}

export interface TagScheme {
  name: SchemeName;
  /** One per label. */
  tags: readonly Tag[];
  /** In the order in which the labels name them first. */
  types: string[];
}

const outside = 'O';
const opening = /^([BI])-(.+)$/s;
/** Last and Unit are BILOU's names, Middle and Whole those of BMEWO. */
const closing = /^([ELSUWM])-(.+)$/s;
const roles = new Map<string, Tag['role']>([
  ['B', 'begin'],
  ['I', 'inside'],
  ['M', 'inside'],
  ['E', 'end'],
  ['L', 'end'],
  ['S', 'single'],
  ['U', 'single'],
  ['W', 'single'],
]);

/**
 * Tells the scheme from the set of labels. B- and I- are prefixes wherever they stand; another letter is one
 * only where its type has a B- or I- label too, so that a type "E-mail" stays whole. A label without prefix
 * is a type by itself, and neighbours that share it are one entity.
 *
 * @param labels By index.
 * @param where Named in errors: the config's path.
 * @throws UserError when the labels are LABEL_0, LABEL_1, … with none for "no entity".
 *
 * Differs from transformers' TokenClassificationPipeline: that knows B- and I- alone, so that each E- or S-
 * becomes a type of its own; and it cuts a type without prefix at its first hyphen ("cell-line" to "line").
 */
export function readTagScheme(labels: readonly string[], where: string): TagScheme {
  if (!labels.includes(outside) && labels.every((label) => /^LABEL_\d+$/.test(label))) {
    throw new UserError(
      `${where}: expected id2label to name what the model finds, got ${labels.join(', ')}. ` +
        'Write the names into id2label as the model\'s makers give them, such as "0": "O", "1": "B-Method".',
    );
  }
  const opened = new Set(
    labels.map((label) => opening.exec(label)?.[2]).filter((type) => type !== undefined),
  );
  const closers = new Set(
    labels
      .map((label) => closing.exec(label))
      .filter((match) => match !== null && opened.has(match[2]))
      .map((match) => match?.[1]),
  );
  const tags = labels.map((label): Tag => {
    const match = opening.exec(label) ?? closing.exec(label);
    const isPrefixed = match !== null && (match[1] === 'B' || match[1] === 'I' || closers.has(match[1]));
    const type = isPrefixed ? match[2] : label;
    return {
      role: (isPrefixed ? roles.get(match[1]) : undefined) ?? 'inside',
      type: type === outside ? null : type,
    };
  });
  return {
    name: closers.size > 0 ? 'BIOES' : opened.size > 0 ? 'BIO' : 'IO',
    tags,
    types: [...new Set(tags.map((tag) => tag.type))].filter((type) => type !== null),
  };
}
