import { describe, expect, it } from 'vitest';
import { UserError } from '../../pipeline/errors.ts';
import { checkPrecision, isConverted, readConversion } from '../../pipeline/model/converted-model.ts';
import { openSession, requireDevice } from '../../pipeline/model/session.ts';

const conversion = { precision: 'int8' as const, max_tokens: 512 };

describe('a converted model', () => {
  it('is told by what its conversion added to config.json', () => {
    expect(isConverted({ scinertopic: conversion })).toBe(true);
    for (const other of [{ model_type: 'bert' }, null, 'scinertopic']) expect(isConverted(other)).toBe(false);
    expect(readConversion({ scinertopic: conversion }, 'config.json')).toEqual(conversion);
  });

  it('is refused by the file when what was added cannot be', () => {
    const config = { scinertopic: { ...conversion, max_tokens: 2 } };
    expect(() => readConversion(config, 'm/config.json')).toThrow(UserError);
    expect(() => readConversion(config, 'm/config.json')).toThrow(
      /m\/config\.json.*max_tokens.*Convert the model again/s,
    );
  });

  it('with whole-number weights does not run on a graphics card', () => {
    expect(() => checkPrecision(conversion, 'cuda', 'models/x')).toThrow(
      /float32 weights to run on cuda, got int8 in models\/x/,
    );
    checkPrecision(conversion, 'cpu', 'models/x');
    checkPrecision({ ...conversion, precision: 'fp32' }, 'cuda', 'models/x');
  });
});

describe('a device', () => {
  it('that onnxruntime has no part for is refused before anything is opened', async () => {
    requireDevice('cpu');
    expect(() => requireDevice('cuda')).toThrow(/run\.device.*cuda.*ONNXRUNTIME_NODE_INSTALL/s);
    await expect(openSession(new Uint8Array(3), { device: 'cuda' })).rejects.toThrow(/run\.device/);
  });
});
