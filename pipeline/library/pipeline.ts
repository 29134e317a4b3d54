/** The whole job for programs: its options are looked at as those of the kernels are. */

import { stageOrder } from '../order.ts';
import { type RunOptions, type RunSummary, runPipeline as runJob } from '../run.ts';
import {
  abortSignal,
  checkOptions,
  isObject,
  kindRule,
  type OptionRules,
  oneOf,
  required,
  trueOrFalse,
} from './check-arguments.ts';

const isText = (value: unknown): boolean => typeof value === 'string';

const rules: OptionRules<RunOptions> = {
  config: required(kindRule('the path of a config.yaml', isText)),
  set: kindRule(
    'an array of section.key=value',
    (value) => Array.isArray(value) && value.every((setting) => isText(setting)),
  ),
  from: oneOf(...stageOrder),
  only: {
    ...kindRule(`an array of stages (${stageOrder.join(', ')})`, Array.isArray),
    isInRange: (value: unknown[]) => value.every((name) => stageOrder.some((stage) => stage === name)),
  },
  force: trueOrFalse,
  signal: abortSignal,
  reporter: kindRule('an object of listeners', isObject),
};

/**
 * Runs the pipeline: every stage that is not up to date, as the command line does.
 *
 * @throws TypeError, RangeError for options that are not as said; UserError for what can be mended in the configuration,
 *   the source, the models and the database; Interrupted when `signal` is aborted, after which the same call goes on.
 */
export async function runPipeline(options: RunOptions): Promise<RunSummary> {
  checkOptions('runPipeline', options, rules);
  return runJob(options);
}
