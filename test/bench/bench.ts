/** What every bench is given, and the shape it has: `run.ts` picks benches by name and prints their lines. */

export interface BenchOptions {
  /** Sizes asked for with --n; null leaves each bench its own. */
  sizes: number[] | null;
  /** Numbers per document vector. */
  d: number;
  /** Neighbours per row, the row itself excluded. */
  k: number;
  /** Thread counts to compare; the first is the one that peers are compared at. */
  threads: number[];
  seed: number;
  /** Papers as JSON lines, plain or gzip; absolute. */
  corpora: { acl: string; arxiv: string };
  /** Also read the arXiv file, where a bench would otherwise keep to one corpus. */
  withArxiv: boolean;
  /** One stream of each corpus, where a bench would otherwise take several. */
  quick: boolean;
  /** Layouts to compare. */
  layouts: ('umap' | 'spectral')[];
  /** A finished run's database, absolute; null when none was named. */
  database: string | null;
  /** Whether other packages are measured beside ours. */
  withPeers: boolean;
}

export interface Bench {
  name: string;
  /** One line for --help. */
  about: string;
  run(options: BenchOptions, print: (line: string) => void): Promise<void>;
}
