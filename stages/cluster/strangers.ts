/** Whether documents that came later than the layout was made find no topics in it. */

/** By how much the share of outliers among late documents exceeds that among the others: ten in a hundred. */
const MORE_OUTLIERS = 0.1;
/** Fewer late documents say little: of 100 like the others, where 22% are outliers, 33 are outliers once in 135 times. */
const LEAST_LATE = 100;

/**
 * @param topic Int32Array [n]; −1 for outliers.
 * @param late Uint8Array [n]; 0 for documents that the layout was made from.
 */
export function areStrange(topic: Int32Array, late: Uint8Array): boolean {
  let lateDocuments = 0;
  let lateOutliers = 0;
  let outliers = 0;
  for (let i = 0; i < topic.length; i++) {
    if (late[i] !== 0) lateDocuments++;
    if (topic[i] >= 0) continue;
    if (late[i] !== 0) lateOutliers++;
    else outliers++;
  }
  const others = topic.length - lateDocuments;
  if (lateDocuments < LEAST_LATE || others === 0) return false;
  return lateOutliers * others - outliers * lateDocuments >= MORE_OUTLIERS * lateDocuments * others;
}
