/**
 * Loaded into a measured process before its own code (`node --import`): when the process ends, it writes what
 * it used to the file that BENCH_USAGE_FILE names. Worker threads count, child processes do not.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

export interface Usage {
  /** User and system time of all threads, from the start of the process. */
  cpuSeconds: number;
  /** Most memory ever resident at once, in units of 10⁶ bytes. */
  peakMegabytes: number;
}

/**
 * The kernel's own high-water mark of this program. getrusage's maxRSS is no substitute: where a process is
 * started by another, it takes in the peak of the one that started it.
 */
function peakBytes(): number {
  try {
    const mark = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    if (mark !== null) return Number(mark[1]) * 1024;
  } catch {
    // No /proc outside Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}

const file = process.env.BENCH_USAGE_FILE;
// Worker threads inherit --import, and end on their own.
if (file !== undefined && isMainThread) {
  process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    const usage: Usage = { cpuSeconds: (user + system) / 1e6, peakMegabytes: peakBytes() / 1e6 };
    writeFileSync(file, JSON.stringify(usage));
  });
}
