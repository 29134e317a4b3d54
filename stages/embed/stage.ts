/** Embed: one vector per document from its title and abstract, by a model that knows this corpus. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type {
  DocumentColumns,
  DocumentStage,
  Embedded,
  Job,
  Kept,
  ModelPin,
} from '../../pipeline/contract.ts';
import { UserError } from '../../pipeline/errors.ts';
import { readCard } from '../../pipeline/model/card.ts';
import { chooseTask, openEncoder } from '../../pipeline/model/document-encoder.ts';
import { adaptEmbedder, minAdaptDocuments } from '../../pipeline/train/adapt.ts';
import { type EmbedConfig, section } from './config.ts';

/** The one model that is adapted. */
const adaptable = 'builtin:static';

export const stage: DocumentStage<EmbedConfig, Embedded> = {
  name: 'embed',
  version: 1,
  section,
  seeded: true,

  async prepare(job, kept) {
    const { config } = job;
    const shipped = job.model(config.model);
    chooseTask(shipped.folder, config.task, config.model);
    if (config.model !== adaptable || !config.adapt) return shipped;
    const model =
      kept.adapted !== null && kept.adapted.hash !== shipped.hash
        ? keptModel(kept.adapted)
        : await adapt(job, kept, shipped);
    // The same words whether it was adapted just now or before: a run that was cut off in between says them too.
    if (model.hash !== shipped.hash) {
      const { documents } = readCard(model.folder);
      job.notice(
        `vectors come from ${shipped.reference} as adapted to ${documents} documents of this corpus; the adapted model is kept beside the database.`,
      );
    }
    return model;
  },

  async open({ task }, model, machine) {
    const encoder = await openEncoder(model.folder, { ...machine, ...(task === undefined ? {} : { task }) });
    return async (documents: DocumentColumns): Promise<Embedded> => {
      const n = documents.id.length;
      const texts = documents.title.map((title, i) => ({ title, abstract: documents.abstract[i] }));
      const truncated = new Uint8Array(n);
      const values = await encoder.encode(texts, {
        onTruncated: (i) => {
          truncated[i] = 1;
        },
      });
      return { n, d: encoder.dimensions, values, truncated };
    };
  },
};

function keptModel(adapted: ModelPin): ModelPin {
  if (!existsSync(join(adapted.folder, 'card.json'))) {
    throw new UserError(
      `embed: the model adapted to this corpus is gone: expected it in ${adapted.folder}. ` +
        'Restore the folder, or run with --force to adapt again (all vectors and topics are then made anew).',
    );
  }
  return adapted;
}

async function adapt(job: Job<EmbedConfig>, kept: Kept, shipped: ModelPin): Promise<ModelPin> {
  const documents = kept.documents();
  const n = documents.id.length;
  if (n < minAdaptDocuments) {
    job.notice(
      `${n} documents are too few to adapt ${shipped.reference} to (at least ${minAdaptDocuments}); it is used as shipped.`,
    );
    return shipped;
  }
  const { folder, hash } = await adaptEmbedder({
    base: shipped.folder,
    documents,
    seed: job.seed,
    out: kept.modelsFolder,
    signal: job.signal,
    onProgress: (done, total) => job.progress(done, total, 'adapting the model'),
  });
  return { reference: shipped.reference, hash, folder };
}
