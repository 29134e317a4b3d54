/** The seven stages, in the order in which they run. Nothing else imports a stage. */

import { stage as cluster } from '../stages/cluster/stage.ts';
import { stage as embed } from '../stages/embed/stage.ts';
import { stage as entities } from '../stages/entities/stage.ts';
import { stage as exportStage } from '../stages/export/stage.ts';
import { stage as ingest } from '../stages/ingest/stage.ts';
import { stage as label } from '../stages/label/stage.ts';
import { stage as reduce } from '../stages/reduce/stage.ts';

export const stages = { ingest, entities, embed, reduce, cluster, label, export: exportStage };

export type Stages = typeof stages;

/** Names in running order. */
export const stageOrder = Object.keys(stages) as (keyof Stages)[];

/** Each stage's section of config.yaml. */
export const sectionSchemas = {
  ingest: ingest.section.schema,
  entities: entities.section.schema,
  embed: embed.section.schema,
  reduce: reduce.section.schema,
  cluster: cluster.section.schema,
  label: label.section.schema,
  export: exportStage.section.schema,
};
