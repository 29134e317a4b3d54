/**
 * What Semantic Scholar's and OpenAlex's objects tell of a paper in fields within fields: other ids, names of
 * authors and institutions, the venue.
 */

import type { FactRole } from './config.ts';

export type NestedFacts = Partial<Record<FactRole | 'doi', unknown>>;

/** @param object A paper, as a line of either service's files or a result of its API. */
export function nestedFacts(object: Record<string, unknown>): NestedFacts {
  const facts: NestedFacts = {};
  const ids = object.externalids ?? object.externalIds;
  if (isObject(ids)) {
    // Semantic Scholar's own names.
    facts.doi = ids.DOI ?? undefined;
    facts.arxiv = ids.ArXiv ?? undefined;
    facts.pmid = ids.PubMed ?? undefined;
    if (isObject(object.journal) && !isFilled(object.venue)) facts.venue = object.journal.name;
  }
  if (Array.isArray(object.authorships)) {
    const authorships = object.authorships.filter(isObject);
    facts.authors = authorships.map(({ author, raw_author_name }) =>
      isObject(author) ? author : raw_author_name,
    );
    facts.institutions = authorships.flatMap(({ institutions }) =>
      Array.isArray(institutions) ? institutions : [],
    );
    const location = isObject(object.primary_location) ? object.primary_location.source : undefined;
    if (isObject(location)) facts.venue = location.display_name;
    if (isObject(object.ids)) facts.pmid = object.ids.pmid;
    facts.arxiv = arxivLocation(object.locations);
  }
  for (const key of Object.keys(facts) as (keyof NestedFacts)[])
    if (facts[key] === undefined) delete facts[key];
  return facts;
}

/** OpenAlex tells the arXiv id in no field of its own, but where a copy of the paper lies. */
function arxivLocation(locations: unknown): unknown {
  if (!Array.isArray(locations)) return undefined;
  return locations
    .filter(isObject)
    .map(({ landing_page_url }) => landing_page_url)
    .find((url) => typeof url === 'string' && /^https?:\/\/arxiv\.org\/abs\//.test(url));
}

function isFilled(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
