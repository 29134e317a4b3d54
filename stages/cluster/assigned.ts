/** Documents with their topics, and what tonight's tree says of each topic. */

export interface Assigned {
  /** Int32Array [n]: topic id, −1 for an outlier. */
  topic: Int32Array;
  /** Float32Array [n]: 0–1; 0 for an outlier. */
  probability: Float32Array;
  /** By topic id. */
  clusters: Map<number, TopicDensity>;
}

/** Density is 1 / distance. */
export interface TopicDensity {
  /** At which the topic appears, and the greatest within it. */
  birth: number;
  death: number;
  /** Whether the id is given tonight for the first time. */
  isNew: boolean;
}
