/**
 * Class-based TF-IDF: how strongly each term marks each class of documents, from a sparse class × term
 * matrix of counts.
 */

/** A sparse class × term matrix, rows one after the other (CSR). */
export interface ClassTermCounts {
  /** [c + 1]; class i owns the entries offsets[i] to offsets[i + 1] − 1. */
  offsets: ArrayLike<number>;
  /** [m]; the term of each entry, 0 to v − 1; no term twice in a row. */
  terms: ArrayLike<number>;
  /** [m]; how often the class uses the term, at least 0. Need not be whole. */
  values: ArrayLike<number>;
}

export interface ClassTfIdfOptions {
  /** Number of classes. */
  c: number;
  /** Number of terms. */
  v: number;
  /** Damps terms of many classes harder, as in BM25; terms commoner than A + 0.5 get negative weights. Default false. */
  bm25Weighting?: boolean;
  /** Takes the square root of the normalised frequencies, so that very frequent terms count for less. Default false. */
  reduceFrequentWords?: boolean;
}

/**
 * Weight of every entry of the matrix: `tf · ln(1 + A / f)`, where tf is the term's share of its class, f
 * the term's sum over all classes and A the mean number of terms in a class, cut to a whole number.
 * With `bm25Weighting` the second factor is `ln(1 + (A − f + 0.5) / (f + 0.5))`.
 *
 * @param counts c × v matrix; all documents of a class joined to one.
 * @returns Float64Array [m], aligned with counts.terms; the matrix's zeros stay zero. A class whose values
 *   sum to 0 has weights of 0.
 * @throws RangeError when offsets does not hold c + 1 ascending entries, a term or value is out of range, or a class
 *   has a term twice.
 *
 * Source: Grootendorst 2022, "BERTopic: Neural topic modeling with a class-based TF-IDF procedure", section
 * 3.3. Agrees with ClassTfidfTransformer of BERTopic 0.16 (same cut of A, same order: normalise, root, weigh).
 * Differs: no seed words.
 */
export function classTfIdf(counts: ClassTermCounts, options: ClassTfIdfOptions): Float64Array {
  const { c, v, bm25Weighting = false, reduceFrequentWords = false } = options;
  checkCounts(counts, c, v);
  checkDistinct(counts, c, v);
  const { offsets, terms, values } = counts;
  const m = terms.length;

  // Sums over classes (f) and over terms (size of a class).
  const termTotals = new Float64Array(v);
  const classTotals = new Float64Array(c);
  let total = 0;
  for (let i = 0; i < c; i++) {
    for (let entry = offsets[i]; entry < offsets[i + 1]; entry++) {
      termTotals[terms[entry]] += values[entry];
      classTotals[i] += values[entry];
    }
    total += classTotals[i];
  }
  const classMean = c === 0 ? 0 : Math.trunc(total / c);

  const inverse = new Float64Array(v);
  for (let term = 0; term < v; term++) {
    const f = termTotals[term];
    if (f === 0) continue;
    inverse[term] = bm25Weighting
      ? Math.log(1 + (classMean - f + 0.5) / (f + 0.5))
      : Math.log(1 + classMean / f);
  }

  const weights = new Float64Array(m);
  for (let i = 0; i < c; i++) {
    if (classTotals[i] === 0) continue;
    for (let entry = offsets[i]; entry < offsets[i + 1]; entry++) {
      const share = values[entry] / classTotals[i];
      weights[entry] = (reduceFrequentWords ? Math.sqrt(share) : share) * inverse[terms[entry]];
    }
  }
  return weights;
}

function checkCounts({ offsets, terms, values }: ClassTermCounts, c: number, v: number): void {
  if (offsets.length !== c + 1) {
    throw new RangeError(`Expected ${c + 1} offsets for ${c} classes, got ${offsets.length}.`);
  }
  if (values.length !== terms.length) {
    throw new RangeError(`Expected as many values as terms, got ${values.length} and ${terms.length}.`);
  }
  if (offsets[0] !== 0 || offsets[c] !== terms.length) {
    throw new RangeError(
      `Expected offsets to run from 0 to ${terms.length}, got ${offsets[0]} to ${offsets[c]}.`,
    );
  }
  for (let i = 0; i < c; i++) {
    if (!(offsets[i] <= offsets[i + 1])) {
      throw new RangeError(
        `Expected offsets to ascend, got ${offsets[i]} before ${offsets[i + 1]} at class ${i}.`,
      );
    }
  }
  for (let entry = 0; entry < terms.length; entry++) {
    const term = terms[entry];
    if (!(Number.isInteger(term) && term >= 0 && term < v)) {
      throw new RangeError(`Expected terms from 0 to ${v - 1}, got ${term} at entry ${entry}.`);
    }
    if (!(values[entry] >= 0 && values[entry] < Number.POSITIVE_INFINITY)) {
      throw new RangeError(`Expected counts of at least 0, got ${values[entry]} at entry ${entry}.`);
    }
  }
}

function checkDistinct({ offsets, terms }: ClassTermCounts, c: number, v: number): void {
  // Class that had each term last.
  const last = new Int32Array(v).fill(-1);
  for (let i = 0; i < c; i++) {
    for (let entry = offsets[i]; entry < offsets[i + 1]; entry++) {
      if (last[terms[entry]] === i) {
        throw new RangeError(`Expected each term once in a class, got ${terms[entry]} twice in class ${i}.`);
      }
      last[terms[entry]] = i;
    }
  }
}
