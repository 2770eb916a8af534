/**
 * Seeds of schedules that have found a fault, with what they found. A change to what is drawn, or when, gives a seed another life: what it
 * found is held by a test of its own beside the code too, and stays here for the next one like it.
 */
export const ONCE_FAILED: ReadonlyArray<readonly [seed: number, found: string]> = [
  [16, 'more workers on their way out than maxUnavailable: a reload beside recycling'],
  [192, 'more workers on their way out than maxUnavailable: a reload beside recycling'],
  [186, 'a lighter call was given out before a more urgent one of its command'],
  [347, 'a lighter call was given out before a more urgent one of its command'],
  [212, 'a slow call waited for up to 200 ms beside an idle worker after the last fast call'],
  [231, 'the timer of a recall was left after close()'],
  [335, 'the timer of a recall was left after close()'],
  [
    679,
    'a slow call waited for 100 ms more, because two ways to tell the end of fast traffic were rounded differently',
  ],
  [
    2018,
    'a slow call waited for 100 ms more, because two ways to tell the end of fast traffic were rounded differently',
  ],
  [5085, 'no worker was started for the last one, which had failed beside one that was being replaced'],
  [17_611, 'no worker was started for the last one, which had failed beside one that was being replaced'],
  [2_000_781, 'no worker was started for the last one, which had failed beside one that was being replaced'],
  [100_227_386, 'a call was given out before an older one like it'],
  [200_018_156, 'a call was given out before an older one like it'],
  [200_157_511, 'a call was given out before an older one like it'],
  [200_253_584, 'a call was given out before an older one like it'],
  [100_461_255, 'a timer for waiting calls was left after close()'],
  [100_494_640, 'a timer for waiting calls was left after close()'],
  [240_934_121, 'the time that a call needed, told in whole milliseconds, was held against a time-out that is none'],
];
