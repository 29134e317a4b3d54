/** Where commands that take no config look for models: references start from the folder one stands in. */

import { resolve } from 'node:path';
import { type ModelPlaces, modelPlaces } from '../provide-model.ts';

/** @param cache Folder for models from the hub, as the user gave it; the standard one when left out. */
export function placesHere(cache?: string): ModelPlaces {
  return modelPlaces(process.cwd(), cache === undefined ? undefined : resolve(cache));
}
