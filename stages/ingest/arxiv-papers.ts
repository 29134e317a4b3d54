/** What arXiv's two services have in common: their pace, and how a paper that was taken back is told. */

import type { Withdrawal } from '../../pipeline/contract.ts';

/** One request every three seconds is what arXiv asks for. */
export const arxivIntervalMilliseconds = 3000;

const comment =
  /^withdrawn\b|\b(?:paper|article|manuscript|submission|preprint|work|version|it)\s+(?:has been|is|was)\s+withdrawn\b|\bwithdrawn by (?:the )?(?:authors?|arxiv|admin)/i;
const abstract =
  /^(?:this|the) (?:paper|article|manuscript|submission|preprint|work) (?:has been|is|was) withdrawn\b/i;

/** arXiv keeps a withdrawn paper and has its authors say so in words. */
export function arxivWithdrawal(comments: string | undefined, text: string | undefined): Withdrawal | null {
  const said = comment.test(comments ?? '') ? comments : abstract.test(text ?? '') ? text : undefined;
  return said === undefined ? null : { reason: 'withdrawn', detail: `arXiv tells: ${said.slice(0, 200)}` };
}
