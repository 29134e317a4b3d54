/** Documents made up of words of a few subjects: enough for an embedder to tell subjects apart. */

import { createRandom } from '../../pipeline/math/random.ts';

const subjects = [
  ['parser', 'grammar', 'syntax', 'treebank', 'sentence', 'dependency', 'corpus', 'verb', 'noun', 'clause'],
  ['enzyme', 'protein', 'membrane', 'cell', 'receptor', 'binding', 'kinase', 'ligand', 'gene', 'tissue'],
  ['galaxy', 'stellar', 'redshift', 'halo', 'telescope', 'dust', 'spectrum', 'cluster', 'orbit', 'planet'],
  ['lattice', 'phonon', 'crystal', 'magnet', 'spin', 'alloy', 'film', 'oxide', 'lithium', 'anode'],
];
const common = ['we', 'the', 'of', 'a', 'show', 'that', 'method', 'results', 'and', 'in'];

export interface ExampleDocument {
  title: string;
  abstract: string;
  subject: number;
}

export function exampleDocuments(n: number, seed = 1): ExampleDocument[] {
  return Array.from({ length: n }, (_, i) => {
    const random = createRandom(seed, i);
    const subject = i % subjects.length;
    const words = (count: number): string =>
      Array.from({ length: count }, () => {
        const list = random.nextFloat() < 0.5 ? subjects[subject] : common;
        return list[random.nextBelow(list.length)];
      }).join(' ');
    return { title: words(8), abstract: `${words(40)}.`, subject };
  });
}

export const columnsOf = (documents: readonly ExampleDocument[]) => ({
  title: documents.map((document) => document.title),
  abstract: documents.map((document) => document.abstract),
});

/** Share of documents whose nearest other document (by dot product) is of the same subject. */
export function nearestAgreement(
  vectors: Float32Array,
  d: number,
  documents: readonly ExampleDocument[],
): number {
  let agree = 0;
  for (let i = 0; i < documents.length; i++) {
    let best = -1;
    let bestDot = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < documents.length; j++) {
      if (j === i) continue;
      let dot = 0;
      for (let x = 0; x < d; x++) dot += vectors[i * d + x] * vectors[j * d + x];
      if (dot > bestDot) {
        bestDot = dot;
        best = j;
      }
    }
    if (documents[best].subject === documents[i].subject) agree++;
  }
  return agree / documents.length;
}
