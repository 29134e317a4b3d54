import { expect, test } from 'vitest';
import { Interrupted } from '../../pipeline/errors.ts';
import { finish, finishWithPauses, type Steps } from '../../pipeline/math/steps.ts';

function* countTo(n: number): Steps<string> {
  for (let i = 1; i <= n; i++) yield i;
  return 'done';
}

test('both ways run every step and give the result', async () => {
  const seen: number[] = [];
  const onStep = (done: number) => seen.push(done);
  expect(finish(countTo(3), { onStep })).toBe('done');
  expect(await finishWithPauses(countTo(3), { onStep })).toBe('done');
  expect(seen).toEqual([1, 2, 3, 1, 2, 3]);
});

test('a signal aborted from within stops the work after the step at hand', () => {
  const controller = new AbortController();
  const seen: number[] = [];
  const onStep = (done: number) => {
    seen.push(done);
    if (done === 2) controller.abort();
  };
  expect(() => finish(countTo(5), { onStep, signal: controller.signal })).toThrow(Interrupted);
  expect(seen).toEqual([1, 2]);
});

test('with pauses, a signal aborted by the event loop stops endless work', async () => {
  const controller = new AbortController();
  setImmediate(() => controller.abort());
  await expect(finishWithPauses(countTo(Infinity), { signal: controller.signal })).rejects.toThrow(
    Interrupted,
  );
});
