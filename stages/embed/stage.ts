/** Embed: one vector per document from its title and abstract, by a model that knows this corpus. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DocumentColumns, DocumentStage, Job, Kept, Matrix, ModelPin } from '../../pipeline/contract.ts';
import { UserError } from '../../pipeline/errors.ts';
import { readCard } from '../../pipeline/model/card.ts';
import { openEncoder, readModelType } from '../../pipeline/model/document-encoder.ts';
import { resolveModel } from '../../pipeline/model/reference.ts';
import { adaptEmbedder, minAdaptDocuments } from '../../pipeline/train/adapt.ts';
import { type EmbedConfig, section } from './config.ts';

/** The one model that is adapted. */
const adaptable = 'builtin:static';

export const stage: DocumentStage<EmbedConfig, Matrix> = {
  name: 'embed',
  version: 1,
  section,
  seeded: true,

  async prepare(job, kept) {
    const { config } = job;
    const shipped = resolveModel(config.model, job.baseFolder);
    checkTask(config, shipped);
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

  async open(_config, model) {
    const encoder = await openEncoder(model.folder);
    return async (documents: DocumentColumns): Promise<Matrix> => {
      const n = documents.id.length;
      const texts = documents.title.map((title, i) => ({ title, abstract: documents.abstract[i] }));
      return { n, d: encoder.dimensions, values: await encoder.encode(texts) };
    };
  },
};

/** Only models with adapters know tasks; the static embedder has none. */
function checkTask(config: EmbedConfig, model: ModelPin): void {
  if (config.task === undefined || readModelType(model.folder) !== 'static') return;
  throw new UserError(
    `embed: expected no task for ${config.model}, which has no adapters, got "${config.task}". Remove embed.task.`,
  );
}

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
