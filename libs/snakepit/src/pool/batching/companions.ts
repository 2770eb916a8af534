/** A call that waits, as far as its company goes. */
export interface Companion {
  /** Estimated size of its arguments. */
  readonly queuedBytes: number;
  /** A worker died with it in hand: if the call is what kills, it must not take others along again. */
  readonly mayHaveRun: boolean;
}

export interface CompanyLimits {
  readonly maxSize: number;
  readonly maxBytes: number;
}

/** Who goes with the call whose turn it is, the first come first; the list begins with that call. */
export function companyOf<Call extends Companion>(
  head: Call,
  waiting: Iterable<Call>,
  { maxSize, maxBytes }: CompanyLimits,
): Call[] {
  const company = [head];
  if (head.mayHaveRun) return company;
  let bytes = head.queuedBytes;
  for (const call of waiting) {
    if (company.length >= maxSize) break;
    if (call.mayHaveRun || call === head) continue;
    if (bytes + call.queuedBytes > maxBytes) break;
    bytes += call.queuedBytes;
    company.push(call);
  }
  return company;
}
