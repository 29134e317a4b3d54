/**
 * Reads the files that say how a BERT tokenizes: tokenizer.json or vocab.txt, and beside them
 * tokenizer_config.json, special_tokens_map.json, added_tokens.json and config.json. They come from outside:
 * everything in them is checked here and trusted afterwards.
 *
 * Which file has the last word follows transformers 4.57 and 5.18: for BERT's own tokenizer class the three
 * settings of tokenizer_config.json (or their defaults) count, whatever tokenizer.json says; for any other
 * class, tokenizer.json is taken as it stands.
 */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import type { AddedToken } from './added-tokens.ts';
import { bertSteps, type NormalizerStep } from './bert-normalizer.ts';
import { checkWellFormed, describe, readVocabulary, readVocabularyLines } from './vocabulary.ts';

export interface TokenizerSettings {
  /** Piece to id, without added tokens. */
  vocabulary: ReadonlyMap<string, number>;
  /** What a piece that continues a word starts with. */
  prefix: string;
  /** Longer words, in code points, are unknown. */
  maxCharacters: number;
  steps: readonly NormalizerStep[];
  /** Each content once. */
  added: readonly AddedToken[];
  /** Special tokens typed in a text are text. */
  splitSpecialTokens: boolean;
  /** One more than the largest id. */
  vocabularySize: number;
  unknownId: number;
  clsId: number;
  sepId: number;
  padId: number;
  maskId: number;
  maxTokens: number | null;
}

/** LaBSE's tokenizer.json, the largest of a BERT, has 10 MB. */
const maxFileBytes = 32 * 2 ** 20;
const maxAddedTokens = 10_000;
const maxContentLength = 1_000;
/** Beyond this nothing is a word, and looking for pieces takes time. */
const largestMaxCharacters = 10_000;
/** What files without a limit say is 10^30. */
const largestMaxTokens = 10 ** 9;

/** Classes that make their normalizer from tokenizer_config.json. */
const bertClasses = ['Bert', 'DistilBert', 'Electra', 'MobileBert', 'ConvBert', 'SqueezeBert'].flatMap(
  (name) => [`${name}Tokenizer`, `${name}TokenizerFast`],
);
const bertModelTypes = [
  'bert',
  'distilbert',
  'electra',
  'mobilebert',
  'convbert',
  'squeezebert',
  'megatron-bert',
];
const supported =
  'Supported are WordPiece vocabularies (tokenizer.json or vocab.txt) with BertPreTokenizer and normalizers made of BertNormalizer, NFD, StripAccents and Lowercase';

const roles = {
  unk_token: '[UNK]',
  sep_token: '[SEP]',
  pad_token: '[PAD]',
  cls_token: '[CLS]',
  mask_token: '[MASK]',
} as const;
type Role = keyof typeof roles;
const roleNames = Object.keys(roles) as Role[];

type Fields = Record<string, unknown>;

/** @throws UserError naming the file and what is wrong with it. */
export function readTokenizerFiles(folder: string): TokenizerSettings {
  const configPath = join(folder, 'tokenizer_config.json');
  const config = readObject(configPath) ?? {};
  const isBert = isBertClass(folder, config);
  const model = readModel(folder, config, isBert);
  const tokens = readTokens(folder, config, model);

  const added = numberTokens(tokens.added, model);
  const idOf = new Map([...model.vocabulary, ...added.map(({ content, id }) => [content, id] as const)]);
  const idFor = (role: Role): number => {
    const content = role === 'unk_token' ? model.unknown : tokens.named.get(role)?.content;
    const id = content === undefined ? undefined : idOf.get(content);
    if (id === undefined) {
      throw new UserError(
        `${model.path}: expected a ${role}, found ${content === undefined ? 'none named' : `${describe(content)}, which is not in the vocabulary`}. Name one in ${configPath}.`,
      );
    }
    return id;
  };
  return {
    vocabulary: model.vocabulary,
    prefix: model.prefix,
    maxCharacters: model.maxCharacters,
    steps: model.steps,
    added,
    splitSpecialTokens: booleanOf(config, 'split_special_tokens', configPath) ?? false,
    vocabularySize: largest(idOf.values()) + 1,
    unknownId: idFor('unk_token'),
    clsId: idFor('cls_token'),
    sepId: idFor('sep_token'),
    padId: idFor('pad_token'),
    maskId: idFor('mask_token'),
    maxTokens: readMaxTokens(config, configPath),
  };
}

// Which class ----------------------------------------------------------------------------------

function isBertClass(folder: string, config: Fields): boolean {
  const modelConfig = readObject(join(folder, 'config.json')) ?? {};
  const name = config.tokenizer_class ?? modelConfig.tokenizer_class ?? null;
  const hasTokenizer = existsSync(join(folder, 'tokenizer.json'));
  if (name === null) {
    const kind = modelConfig.model_type;
    return kind === undefined ? !hasTokenizer : bertModelTypes.some((type) => type === kind);
  }
  const isBert = bertClasses.some((known) => known === name);
  if (!isBert && !hasTokenizer) {
    throw new UserError(
      `${folder}: expected a tokenizer.json, or a vocab.txt of a ${bertClasses[0]}, got tokenizer_class ${describe(name)} without tokenizer.json. ${supported}.`,
    );
  }
  return isBert;
}

// Vocabulary and normalizer --------------------------------------------------------------------

interface Model {
  /** The file that the vocabulary comes from. */
  path: string;
  vocabulary: Map<string, number>;
  unknown: string;
  prefix: string;
  maxCharacters: number;
  steps: NormalizerStep[];
  /** Of tokenizer.json, with their ids. */
  added: DeclaredToken[];
  isBert: boolean;
}

function readModel(folder: string, config: Fields, isBert: boolean): Model {
  const tokenizerPath = join(folder, 'tokenizer.json');
  const file = readObject(tokenizerPath);
  if (file !== null) return readTokenizerJson(file, tokenizerPath, folder, config, isBert);
  const path = join(folder, 'vocab.txt');
  if (!existsSync(path)) {
    const others = existsSync(folder) ? readdirSync(folder).slice(0, 20).join(', ') : 'no such folder';
    throw new UserError(
      `${folder}: expected tokenizer.json or vocab.txt, found ${others === '' ? 'nothing' : others}. ${supported}.`,
    );
  }
  const vocabulary = readVocabularyLines(readBounded(path), path);
  return {
    path,
    vocabulary,
    unknown: tokenContent(readNamed(folder, config).unk_token, path) ?? roles.unk_token,
    prefix: '##',
    maxCharacters: 100,
    steps: configuredSteps(config, join(folder, 'tokenizer_config.json'), true),
    added: [],
    isBert: true,
  };
}

function readTokenizerJson(
  file: Fields,
  path: string,
  folder: string,
  config: Fields,
  isBert: boolean,
): Model {
  const model = objectOf(file.model, `${path}: model`);
  // Files of before 2021 do not name the type; only byte-pair encodings have merges.
  const isUnnamed = model.type === undefined && model.merges === undefined;
  if (model.type !== 'WordPiece' && !(isUnnamed && model.continuing_subword_prefix !== undefined)) {
    throw new UserError(
      `${path}: expected model.type to be "WordPiece", got ${describe(model.type)}. ${supported}.`,
    );
  }
  checkPreTokenizer(file.pre_tokenizer, path);
  const fromFile = readNormalizer(file.normalizer, `${path}: normalizer`);
  const normalizer = file.normalizer as Fields | null | undefined;
  const isConfigured = isBert && normalizer?.type === 'BertNormalizer';
  const unknown = model.unk_token;
  const prefix = model.continuing_subword_prefix;
  const maxCharacters = model.max_input_chars_per_word;
  if (typeof unknown !== 'string' || typeof prefix !== 'string') {
    throw new UserError(
      `${path}: expected model.unk_token and model.continuing_subword_prefix to be text, got ${describe(unknown)} and ${describe(prefix)}.`,
    );
  }
  if (
    typeof maxCharacters !== 'number' ||
    !Number.isInteger(maxCharacters) ||
    maxCharacters < 1 ||
    maxCharacters > largestMaxCharacters
  ) {
    throw new UserError(
      `${path}: expected model.max_input_chars_per_word to be a whole number from 1 to ${largestMaxCharacters}, got ${describe(maxCharacters)}.`,
    );
  }
  return {
    path,
    vocabulary: readVocabulary(model.vocab, `${path}: model.vocab`),
    unknown,
    prefix,
    maxCharacters,
    steps: isConfigured
      ? configuredSteps(
          config,
          join(folder, 'tokenizer_config.json'),
          booleanOf(normalizer ?? {}, 'clean_text', path) ?? true,
        )
      : fromFile,
    added: listOf(file.added_tokens, `${path}: added_tokens`).map((token) => readDeclared(token, path)),
    isBert,
  };
}

/** BertNormalizer as tokenizer_config.json sets it, with transformers' defaults. */
function configuredSteps(config: Fields, path: string, cleanText: boolean): NormalizerStep[] {
  return bertSteps({
    cleanText,
    handleChinese: booleanOf(config, 'tokenize_chinese_chars', path) ?? true,
    stripAccents: booleanOf(config, 'strip_accents', path),
    lowercase: booleanOf(config, 'do_lower_case', path) ?? true,
  });
}

function readNormalizer(value: unknown, where: string): NormalizerStep[] {
  if (value === null || value === undefined) return [];
  const normalizer = objectOf(value, where);
  switch (normalizer.type) {
    case 'BertNormalizer':
      return bertSteps({
        cleanText: booleanOf(normalizer, 'clean_text', where) ?? true,
        handleChinese: booleanOf(normalizer, 'handle_chinese_chars', where) ?? true,
        stripAccents: booleanOf(normalizer, 'strip_accents', where),
        lowercase: booleanOf(normalizer, 'lowercase', where) ?? true,
      });
    case 'NFD':
      return ['decompose'];
    case 'StripAccents':
      return ['strip-marks'];
    case 'Lowercase':
      return ['lowercase'];
    case 'Sequence': {
      const parts = listOf(normalizer.normalizers, `${where}.normalizers`);
      if (parts.length > 16) throw new UserError(`${where}: expected 16 normalizers at most.`);
      return parts.flatMap((part) => {
        if ((part as Fields | null)?.type === 'Sequence') throw unsupported(where, 'Sequence in a Sequence');
        return readNormalizer(part, where);
      });
    }
    default:
      throw unsupported(where, describe(normalizer.type));
  }
}

function checkPreTokenizer(value: unknown, path: string): void {
  const where = `${path}: pre_tokenizer`;
  const whole = objectOf(value ?? {}, where);
  const parts = whole.type === 'Sequence' ? listOf(whole.pretokenizers, `${where}.pretokenizers`) : [whole];
  const names = parts.map((part) => objectOf(part, where).type);
  const isBert = names.length === 1 && names[0] === 'BertPreTokenizer';
  // What BertPreTokenizer does, in two steps.
  const isSame =
    names.length === 2 &&
    names[0] === 'WhitespaceSplit' &&
    names[1] === 'Punctuation' &&
    ((parts[1] as Fields).behavior ?? 'Isolated') === 'Isolated';
  if (!isBert && !isSame) throw unsupported(where, names.map(describe).join(', '));
}

function unsupported(where: string, found: string): UserError {
  return new UserError(`${where}: ${found} is not implemented. ${supported}.`);
}

// Tokens ---------------------------------------------------------------------------------------

interface DeclaredToken extends Omit<AddedToken, 'id'> {
  /** What the file says; null where it leaves that to the library. */
  id: number | null;
}

interface Tokens {
  added: DeclaredToken[];
  named: Map<Role, DeclaredToken>;
}

/** What the configuration says of special tokens; special_tokens_map.json counts where added_tokens_decoder is absent. */
function readNamed(folder: string, config: Fields): Fields {
  if (config.added_tokens_decoder !== undefined) return config;
  return { ...config, ...readObject(join(folder, 'special_tokens_map.json')) };
}

function readTokens(folder: string, config: Fields, model: Model): Tokens {
  const configPath = join(folder, 'tokenizer_config.json');
  const settings = readNamed(folder, config);
  const named = new Map<Role, DeclaredToken>();
  for (const role of roleNames) {
    const value = settings[role] ?? (model.isBert || model.vocabulary.has(roles[role]) ? roles[role] : null);
    if (value !== null) named.set(role, readSpecial(value, `${configPath}: ${role}`));
  }
  const extraWhere = `${configPath}: additional_special_tokens`;
  const extra = [settings.additional_special_tokens, settings.extra_special_tokens]
    .flatMap((list) => (Array.isArray(list) ? list : Object.values(objectOf(list ?? {}, extraWhere))))
    .map((token) => readSpecial(token, extraWhere));
  const special = [...named.values(), ...extra];
  const isSpecial = (content: string): boolean => special.some((token) => token.content === content);

  // Later lines count for more: what tokenizer_config.json says of a token replaces what others say.
  const tokens = new Map<string, DeclaredToken>();
  const add = (token: DeclaredToken): void => {
    if (token.content !== '') tokens.set(token.content, token);
  };
  if (config.added_tokens_decoder === undefined) {
    for (const token of readAddedTokens(folder, isSpecial)) add(token);
  }
  for (const token of model.added) add(token);
  if (config.added_tokens_decoder !== undefined) {
    const where = `${configPath}: added_tokens_decoder`;
    for (const [id, token] of Object.entries(objectOf(config.added_tokens_decoder, where))) {
      add(readDeclared({ ...objectOf(token, where), id: Number(id) }, where));
    }
  }
  const declared = [...tokens.values()].sort((a, b) => (a.id ?? 0) - (b.id ?? 0));
  const missing = special.filter(({ content }) => content !== '' && !tokens.has(content));
  const added = [...declared, ...new Map(missing.map((token) => [token.content, token])).values()];
  if (added.length > maxAddedTokens) {
    throw new UserError(`${folder}: expected ${maxAddedTokens} added tokens at most, got ${added.length}.`);
  }
  return { added, named };
}

/** added_tokens.json of older versions: content to id. */
function readAddedTokens(folder: string, isSpecial: (content: string) => boolean): DeclaredToken[] {
  const path = join(folder, 'added_tokens.json');
  return [...readVocabulary(readObject(path) ?? {}, path)].map(([content, id]) => {
    const special = isSpecial(content);
    return readDeclared({ content, id, special, normalized: !special }, path);
  });
}

/** A token by its name, or with its flags. */
function readSpecial(value: unknown, where: string): DeclaredToken {
  const fields = typeof value === 'string' ? { content: value } : objectOf(value, where);
  return readDeclared({ normalized: false, ...fields, special: true, id: null }, where);
}

function readDeclared(value: unknown, where: string): DeclaredToken {
  const fields = objectOf(value, where);
  const { content, id } = fields;
  if (typeof content !== 'string' || content.length > maxContentLength) {
    throw new UserError(
      `${where}: expected a token's content to be text of ${maxContentLength} characters at most, got ${describe(content)}.`,
    );
  }
  checkWellFormed(content, where);
  if (id !== null && (typeof id !== 'number' || !Number.isInteger(id) || id < 0)) {
    throw new UserError(
      `${where}: expected the id of ${describe(content)} to be a whole number, got ${describe(id)}.`,
    );
  }
  const special = booleanOf(fields, 'special', where) ?? false;
  return {
    id,
    content,
    singleWord: booleanOf(fields, 'single_word', where) ?? false,
    leftStrip: booleanOf(fields, 'lstrip', where) ?? false,
    rightStrip: booleanOf(fields, 'rstrip', where) ?? false,
    normalized: booleanOf(fields, 'normalized', where) ?? !special,
    special,
  };
}

function tokenContent(value: unknown, where: string): string | null {
  return value === undefined || value === null ? null : readSpecial(value, where).content;
}

/** Ids as the library gives them: a piece of the vocabulary keeps its own, others follow the vocabulary. */
function numberTokens(tokens: readonly DeclaredToken[], { vocabulary, path }: Model): AddedToken[] {
  let next = vocabulary.size;
  return tokens.map((token) => {
    const id = vocabulary.get(token.content) ?? next;
    if (id >= next) next = id + 1;
    if (token.id !== null && token.id !== id) {
      throw new UserError(
        `${path}: expected ${describe(token.content)} to have id ${id}, as the vocabulary gives it, but it is declared as ${token.id}. The tokenizer's files do not belong together; fetch them again.`,
      );
    }
    return { ...token, id };
  });
}

// Fields ---------------------------------------------------------------------------------------

function readMaxTokens(config: Fields, path: string): number | null {
  const value = config.model_max_length ?? null;
  if (value === null) return null;
  if (typeof value !== 'number' || !(value >= 1)) {
    throw new UserError(
      `${path}: expected model_max_length to be a number from 1 up, got ${describe(value)}.`,
    );
  }
  return value > largestMaxTokens ? null : Math.floor(value);
}

function booleanOf(fields: Fields, name: string, where: string): boolean | null {
  const value = fields[name] ?? null;
  if (value !== null && typeof value !== 'boolean') {
    throw new UserError(`${where}: expected ${name} to be true or false, got ${describe(value)}.`);
  }
  return value;
}

function objectOf(value: unknown, where: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UserError(`${where}: expected an object, got ${describe(value)}.`);
  }
  return value as Fields;
}

function listOf(value: unknown, where: string): unknown[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw new UserError(`${where}: expected a list, got ${describe(value)}.`);
  return value;
}

/** The object in a JSON file; null when there is no such file. */
function readObject(path: string): Fields | null {
  if (!existsSync(path)) return null;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(readBounded(path)));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path} is not JSON: ${(error as Error).message}. Fetch the file again.`, {
      cause: error,
    });
  }
  return objectOf(value, path);
}

function readBounded(path: string): Uint8Array {
  const { size } = statSync(path);
  if (size > maxFileBytes) {
    throw new UserError(`${path}: expected ${maxFileBytes} bytes at most, got ${size}.`);
  }
  return readFileSync(path);
}

function largest(numbers: Iterable<number>): number {
  let found = -1;
  for (const number of numbers) found = Math.max(found, number);
  return found;
}
