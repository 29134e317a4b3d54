/** Mentions that name nothing: "it", "the proposed approach", "several existing methods". */

const words = (list: string): ReadonlySet<string> => new Set(list.trim().split(/\s+/));

/** Words that name nothing alone or behind modifiers; singular, American, lower case, as keys have them. */
const HEADS = words(`
  algorithm analysis application approach architecture area aspect assumption attempt author baseline benefit case
  challenge change class combination comparison component concept condition configuration constraint contribution
  criterion data dataset design development difference difficulty direction domain effect effort element entity
  evaluation evidence example experiment experimentation extension fact factor feature field finding form formalism
  formulation framework function gap goal idea implementation improvement increase information input insight instance
  issue item kind level limitation literature measure measurement mechanism method methodology metric model module
  need number object objective observation operation option output outcome paper parameter part performance
  perspective phase phenomenon pipeline point possibility practice problem procedure process product project property
  prototype purpose quality quantity question range reason record research resource result review role sample scenario
  scheme score set setting setup shortcoming situation software solution source stage statistic step strategy
  structure study subject success survey system target task technique technology term test theory thing time tool topic
  trial type unit use user value variable variant variation version way weakness work`);

const PRONOUNS = words(`
  it its they them their this that these those he she we us our ours i you which who what one itself themselves former
  latter other another each both all some any none such same here there the a an`);

/** Adjectives, participles, numbers and nouns that add nothing to a head. */
const MODIFIERS = words(`
  above actual additional alternative and appropriate available average baseline basic benchmark best better big certain
  common comparable competitive complete complex conventional corresponding current different distinct effective
  efficient empirical entire essential evaluation existing experiment experimental extensive extra final first
  following formal four further general generic given good great important improved individual initial innovative
  integrated interesting key known large last latest limited little main major many more most multiple necessary new
  next novel obtained of optimal original other overall own particular performance popular possible potential powerful
  practical preliminary present presented previous primary principal prior promising proper proposed prototype
  quantitative qualitative real recent related relevant representative research respective result resulting robust
  second several significant similar simple single small sophisticated special specific standard state art
  straightforward strong subsequent successful suitable superior systematic third three top total traditional two
  typical underlying unified unique used useful valid various well whole widely`);

/** Two words, one meaning with a head above. */
const PHRASES = new Set(['data set', 'data source', 'data sample', 'test set', 'training set', 'test data']);

/**
 * @param key As formKey gives it.
 */
export function isGenericForm(key: string): boolean {
  if (PHRASES.has(key)) return true;
  const parts = key.split(' ');
  const head = parts[parts.length - 1];
  // Without a head, only pronouns and articles say nothing: "state of the art" names something.
  if (!HEADS.has(head)) return parts.every((part) => PRONOUNS.has(part) || !/\p{L}/u.test(part));
  return parts
    .slice(0, -1)
    .every((part) => MODIFIERS.has(part) || PRONOUNS.has(part) || !/\p{L}/u.test(part));
}
