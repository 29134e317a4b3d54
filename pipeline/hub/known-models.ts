/** What repositories do not say of themselves: short names, which adapters belong to which base, prefixes. */

/** Short names for references; a folder of the same name comes first. */
export const presets: ReadonlyMap<string, string> = new Map([
  ['specter2', 'hf:allenai/specter2_base'],
  ['scinertopic', 'hf:RJuro/SciNERTopic'],
  ['jnlpba', 'hf:fran-martinez/scibert_scivocab_cased_ner_jnlpba'],
]);

/** A base and its adapters by task; the base stands under its older names too, each with adapters of its age. */
const adapterFamilies: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
  [
    'allenai/specter2_base',
    new Map([
      ['proximity', 'allenai/specter2'],
      ['classification', 'allenai/specter2_classification'],
      ['regression', 'allenai/specter2_regression'],
      ['adhoc_query', 'allenai/specter2_adhoc_query'],
    ]),
  ],
  [
    'allenai/specter2_aug2023refresh_base',
    new Map([
      ['proximity', 'allenai/specter2_aug2023refresh'],
      ['classification', 'allenai/specter2_aug2023refresh_classification'],
      ['regression', 'allenai/specter2_aug2023refresh_regression'],
      ['adhoc_query', 'allenai/specter2_aug2023refresh_adhoc_query'],
    ]),
  ],
  [
    'allenai/specter_plus_plus',
    new Map([
      ['proximity', 'allenai/spp_proximity'],
      ['classification', 'allenai/spp_classification'],
      ['regression', 'allenai/spp_regression'],
      ['adhoc_query', 'allenai/spp_adhoc_query'],
    ]),
  ],
]);

/** Adapters published for a base, repository by task; empty where none are known. */
export function adaptersOf(base: string): ReadonlyMap<string, string> {
  return adapterFamilies.get(base) ?? new Map();
}

/** The base and the task of an adapter's repository; null where it is not known. */
export function familyOf(adapter: string): { base: string; task: string } | null {
  for (const [base, adapters] of adapterFamilies) {
    for (const [task, repository] of adapters) if (repository === adapter) return { base, task };
  }
  // The proximity adapter's first name; the hub still leads from it to the present one.
  return adapter === 'allenai/specter2_proximity'
    ? { base: 'allenai/specter2_base', task: 'proximity' }
    : null;
}

/** What a model wants before every document, where its repository only tells people: E5's "passage: ". */
export function prefixOf(repository: string): string | null {
  return /^intfloat\/e5-/.test(repository) ? 'passage: ' : null;
}
