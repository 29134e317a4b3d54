/** Compares the entity types of a tagger with those of the data it is measured on. */

export interface TypeNames {
  /** Types of the data that the model never gives: their entities all count as missed. */
  unknown: string[];
  /** Types of the model that the data never has: what the model finds of them counts as wrong. */
  foreign: string[];
  /** Unknown and foreign types that differ in case, spaces and punctuation only: the same, more often than not. */
  spelledOtherwise: { data: string; model: string }[];
}

/** Types count as equal only where they are the same string; likenesses are told and left to people. */
export function compareTypes(data: readonly string[], model: readonly string[]): TypeNames {
  const unknown = data.filter((type) => !model.includes(type));
  const foreign = model.filter((type) => !data.includes(type));
  return {
    unknown,
    foreign,
    spelledOtherwise: unknown.flatMap((type) =>
      foreign.filter((other) => bare(other) === bare(type)).map((other) => ({ data: type, model: other })),
    ),
  };
}

const bare = (type: string): string => type.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
