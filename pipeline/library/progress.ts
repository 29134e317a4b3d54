/** How the library's functions tell how far they are. */

/** Called with the share of the whole work that is done, from 0 to 1 and never less than before, and the part at hand. */
export type ProgressListener<Part extends string> = (done: number, part: Part) => void;

/** A listener for kernels, which count rows or edges of their own part. */
export function partOf<Part extends string>(
  onProgress: ProgressListener<Part> | undefined,
  part: Part,
  from = 0,
  to = 1,
): ((done: number, total: number) => void) | undefined {
  if (onProgress === undefined) return undefined;
  let last = from;
  return (done, total) => {
    const share = total > 0 ? from + ((to - from) * Math.min(done, total)) / total : to;
    last = Math.max(last, share);
    onProgress(last, part);
  };
}

/** An object without the fields that are undefined, which kernels do not take. */
export function given<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };
}
