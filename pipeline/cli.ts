#!/usr/bin/env node
/** Reads the arguments, prints, and sets the exit code; the only file that does. */

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Console } from './commands/console.ts';
import { Interrupted, UserError } from './errors.ts';
import { packageRoot } from './model/package-root.ts';

const exitCodes = { done: 0, bug: 1, mendable: 2, interrupted: 130 };

/** One line of stderr that may be replaced: what is drawn on a terminal while work goes on. */
function terminalConsole(): Console {
  const interactive = process.stderr.isTTY === true;
  let drawn = false;
  const clear = (): void => {
    if (drawn) process.stderr.write('\r\x1b[K');
    drawn = false;
  };
  return {
    interactive,
    out(line) {
      clear();
      process.stdout.write(`${line}\n`);
    },
    say(line) {
      clear();
      process.stderr.write(`${line}\n`);
    },
    show(text) {
      if (!interactive) return;
      process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
      drawn = true;
    },
  };
}

const console = terminalConsole();
const abort = new AbortController();
/** False for a command whose log says so itself. */
let announceStop = true;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    // The second signal does not wait for the batch under way; the database stands either way.
    if (abort.signal.aborted) process.exit(exitCodes.interrupted);
    if (announceStop) console.say(`${name}: stopping after the work under way; once more stops at once.`);
    abort.abort();
  });
}

// Whoever reads the output may have had enough of it, as `head` does; that is no fault, and the work goes on: its
// files and its exit code are what the next program waits for.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const collect = (value: string, all: string[]): string[] => [...all, value];
const wholeNumber = (value: string): number => {
  const number = Number(value);
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(number)) {
    throw new InvalidArgumentError('Expected a whole number from 0 up.');
  }
  return number;
};

const countingNumber = (value: string): number => {
  const number = wholeNumber(value);
  if (number === 0) throw new InvalidArgumentError('Expected a whole number from 1 up.');
  return number;
};
const dimensions = (value: string): number => {
  const number = countingNumber(value);
  if (number % 16 !== 0) throw new InvalidArgumentError('Expected a multiple of 16.');
  return number;
};
/** Seeds are 32 bits wide; a larger one would be cut in silence. */
const seed = (value: string): number => {
  const number = wholeNumber(value);
  if (number > 0xffffffff) throw new InvalidArgumentError('Expected a whole number from 0 to 4294967295.');
  return number;
};

// Each command's module is loaded when it is called: `status` must not wait for a training library.
const program = new Command('scinertopic')
  .description('Turns a corpus of paper abstracts into topics that people can name, count and follow.')
  .version(JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')).version)
  .showHelpAfterError()
  .exitOverride();

program
  .command('pipeline')
  .description('run all seven stages, skipping what is up to date')
  .option('--config <file>', 'configuration', 'config.yaml')
  .option('--from <stage>', 'run this stage and all after it')
  .option('--only <stages>', 'run these stages alone, separated by commas')
  .option('--force', 'run again what is up to date')
  .option('--set <section.key=value>', 'override a setting; repeatable', collect, [])
  .option('--quiet', 'print nothing but errors (and the summary of --json)')
  .option('--json', 'print one JSON summary as the last line of stdout')
  .action(async (options) => {
    const { pipelineCommand } = await import('./commands/pipeline.ts');
    await pipelineCommand(options, console, abort.signal);
  });

program
  .command('status')
  .description('show what is stored, what is stale and why, and the last runs')
  .option('--config <file>', 'configuration', 'config.yaml')
  .option('--set <section.key=value>', 'override a setting; repeatable', collect, [])
  .option('--json', 'print JSON')
  .action(async (options) => {
    const { statusCommand } = await import('./commands/status.ts');
    await statusCommand(options, console);
  });

program
  .command('schedule')
  .description('stay up and run the pipeline at the times of schedule.cron')
  .option('--config <file>', 'configuration', 'config.yaml')
  .option('--set <section.key=value>', 'override a setting; repeatable', collect, [])
  .option('--next <number>', 'only show when the next nights begin', countingNumber)
  .action(async (options) => {
    announceStop = false;
    const { scheduleCommand } = await import('./commands/schedule.ts');
    await scheduleCommand(options, console, abort.signal);
  });

program
  .command('compare')
  .description('show what changed between two runs: topics, events, documents that moved and why')
  .option('--config <file>', 'configuration', 'config.yaml')
  .option('--set <section.key=value>', 'override a setting; repeatable', collect, [])
  .option('--runs <runs...>', 'two of them: run-0012, 12 or latest. Default: the last two')
  .option('--json', 'print JSON')
  .action(async (options) => {
    const { compareCommand } = await import('./commands/compare.ts');
    await compareCommand(options, console);
  });

const precision = (): Option =>
  new Option('--precision <kind>', 'weights of a transformer; auto: int8 where its check passes').choices([
    'auto',
    'int8',
    'fp32',
  ]);
const aggregation = (): Option =>
  new Option('--aggregation <kind>', 'how the pieces of a word agree, in a transformer').choices([
    'simple',
    'first',
    'average',
    'max',
  ]);
const device = (): Option =>
  new Option('--device <name>', 'where a transformer runs').choices(['cpu', 'cuda']).default('cpu');
const threads = (): Option =>
  new Option('--threads <number>', 'threads; results do not depend on it')
    .argParser(countingNumber)
    .default(availableParallelism(), 'the number of cores');
const cache = (): Option =>
  new Option('--cache <folder>', 'folder for models from the hub, as run.model_cache');

const models = program.command('models').description('list, check and use models');
models
  .command('list')
  .description('models on disk')
  .addOption(cache())
  .action(async (options) => {
    const { listModels } = await import('./commands/models.ts');
    listModels(options.cache, console);
  });
models
  .command('pull <reference>')
  .description(
    'fetch a model from the hub and convert it: hf:owner/name[@revision], specter2, scinertopic, jnlpba',
  )
  .addOption(precision())
  .option('--again', 'fetch it anew, and move to what the hub has now')
  .addOption(cache())
  .action(async (reference: string, options) => {
    const { pullModel } = await import('./commands/models.ts');
    await pullModel(reference, options, console, abort.signal);
  });
models
  .command('convert <folder>')
  .description("make a model folder of a checkpoint's: BERT weights, config and tokenizer to ONNX")
  .requiredOption('--out <folder>', 'model folder to make or replace')
  .addOption(precision().default('auto'))
  .option(
    '--adapter <task=folder>',
    'adapter to take in; repeatable. Default: those below the folder',
    collect,
    [],
  )
  .option('--name <name>', 'name on the card')
  .option('--prefix <text>', 'put before every document, as "passage: " for E5')
  .addOption(
    new Option('--join <kind>', 'how title and abstract become one text: by [SEP], or by a space')
      .choices(['separator', 'text'])
      .default('separator'),
  )
  .action(async (folder: string, options) => {
    const { convertModel } = await import('./commands/models.ts');
    await convertModel(folder, options, console, abort.signal);
  });
models
  .command('verify <reference>')
  .description('compare a model with its card, and open it')
  .addOption(precision())
  .addOption(cache())
  .action(async (reference: string, options) => {
    const { verifyModel } = await import('./commands/models.ts');
    await verifyModel(reference, options, console);
  });
models
  .command('encode')
  .description('vectors of titles and abstracts, float32 [n × d] as .npy')
  .requiredOption('--model <reference>', 'model, e.g. builtin:static')
  .requiredOption('--input <file.jsonl>', 'one object a line: title, abstract')
  .requiredOption('--output <file.npy>', 'row i for line i')
  .option(
    '--task <name>',
    'adapter, of a model that has adapters: proximity, classification, regression, adhoc_query',
  )
  .addOption(precision())
  .addOption(device())
  .addOption(threads())
  .addOption(cache())
  .option('--adapt', 'adapt the shipped embedder to this very file first')
  .option('--seed <number>', 'seed of the adaptation', seed, 42)
  .action(async (options) => {
    const { encodeFile } = await import('./commands/use-models.ts');
    await encodeFile(options, console, abort.signal);
  });
models
  .command('tag')
  .description('entities of titles and abstracts, one line out per line in')
  .requiredOption('--model <reference>', 'model, e.g. builtin:science')
  .requiredOption('--input <file.jsonl>', 'one object a line: id, title, abstract')
  .requiredOption('--output <file.jsonl>', 'id, entities: field, start, end, text, type, score')
  .addOption(aggregation())
  .addOption(precision())
  .addOption(device())
  .addOption(threads())
  .addOption(cache())
  .action(async (options) => {
    const { tagFile } = await import('./commands/use-models.ts');
    await tagFile(options, console, abort.signal);
  });

const evaluate = program.command('evaluate').description('measure a model');
evaluate
  .command('ner')
  .description('span precision, recall and F1 of a tagger, and its speed')
  .requiredOption('--model <reference>', 'model, e.g. builtin:science')
  .requiredOption('--data <file.conll>', 'labelled tokens; .gz is read as it is')
  .addOption(aggregation())
  .addOption(precision())
  .addOption(device())
  .addOption(cache())
  .option('--json', 'print JSON')
  .action(async (options) => {
    const { evaluateTagger } = await import('./commands/evaluate.ts');
    await evaluateTagger(options, console, abort.signal);
  });

const train = program.command('train').description('train a model');
train
  .command('ner')
  .description('a tagger from labelled sentences')
  .requiredOption('--data <file or folder>', 'CoNLL, .gz is read as it is; a folder has train and dev parts')
  .requiredOption('--out <folder>', 'model folder to make or replace')
  .option('--words <vectors>', 'file of word vectors, or a tagger whose vectors are taken', 'builtin:science')
  .option('--max-words <number>', 'words kept of them, commonest first', countingNumber)
  .option('--pretrain <file or folder>', 'labelled sentences to train on first')
  .option(
    '--unlabelled <file.jsonl>',
    'texts on which one tagger learns from several; repeatable',
    collect,
    [],
  )
  .option('--unlabelled-sentences <number>', 'sentences taken from them', countingNumber)
  .option('--masked-sentences <number>', 'sentences taken from them to guess hidden words in', wholeNumber)
  .option('--ensemble <number>', 'taggers trained, then distilled into one', countingNumber)
  .option('--epochs <number>', 'passes over the labelled sentences', countingNumber)
  .option('--distil-epochs <number>', 'passes over the unlabelled ones', countingNumber)
  .option('--seed <number>', 'equal seeds give equal bytes', seed)
  .option('--name <name>', 'name on the card')
  .option('--description <text>', 'description on the card')
  .action(async (options) => {
    const { trainTaggerCommand } = await import('./commands/train.ts');
    await trainTaggerCommand(options, console, abort.signal);
  });
train
  .command('embedder')
  .description('word vectors and a document embedder from titles and abstracts')
  .requiredOption(
    '--corpus <file.jsonl>',
    'one object a line: title, abstract; .gz as it is; repeatable',
    collect,
    [],
  )
  .requiredOption('--out <folder>', 'model folder to make or replace')
  .option('--dimensions <number>', 'numbers per document, a multiple of 16', dimensions)
  .option('--vocabulary <number>', 'word pieces', countingNumber)
  .option('--passes <number>', 'passes over the corpus', countingNumber)
  .option('--seed <number>', 'equal seeds give equal bytes', seed)
  .option('--name <name>', 'name on the card')
  .option('--description <text>', 'description on the card')
  .action(async (options) => {
    const { trainEmbedderCommand } = await import('./commands/train.ts');
    await trainEmbedderCommand(options, console, abort.signal);
  });

async function main(): Promise<number> {
  try {
    await program.parseAsync();
    return exitCodes.done;
  } catch (error) {
    // Commander has printed its own message or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.mendable;
    if (error instanceof UserError) {
      console.say(error.message);
      return error.exitCode;
    }
    if (error instanceof Interrupted || abort.signal.aborted) {
      console.say(error instanceof Interrupted ? error.message : 'Interrupted.');
      return exitCodes.interrupted;
    }
    if (isFileError(error)) {
      console.say(`${error.message}. Check the path, its permissions and the space on the disk.`);
      return exitCodes.mendable;
    }
    console.say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    console.say('This is a bug in scinertopic.');
    return exitCodes.bug;
  }
}

/** What the operating system says of a file that a command was told to read or write. */
function isFileError(error: unknown): error is NodeJS.ErrnoException {
  const codes = [
    'EACCES',
    'EPERM',
    'EROFS',
    'ENOSPC',
    'EDQUOT',
    'ENOENT',
    'ENOTDIR',
    'EISDIR',
    'EEXIST',
    'EIO',
  ];
  return (
    error instanceof Error && 'syscall' in error && 'code' in error && codes.includes(String(error.code))
  );
}

process.exitCode = await main();
