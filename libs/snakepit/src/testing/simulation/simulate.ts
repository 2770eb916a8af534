import { Schedule } from './schedule.js';

export interface SimulationInput {
  readonly seed: number;
  readonly schedules: number;
  /** Ends before the next schedule once so many milliseconds are over; none by default. */
  readonly budgetMs?: number;
  /** Told now and then how many schedules are through. */
  readonly progress?: (done: number) => void;
}

export interface SimulationFigures {
  /** How many were run: as many as were asked for, unless time was up. */
  readonly schedules: number;
  readonly violations: number;
  /** Seeds of schedules that failed, each of which `new Schedule(seed)` replays; at most a hundred. */
  readonly failed: readonly { readonly seed: number; readonly reason: string }[];
  readonly meanSteps: number;
  readonly meanCalls: number;
  readonly meanProcesses: number;
  /** Of all calls, those that gave a value. */
  readonly succeededShare: number;
}

const PROGRESS_EVERY = 500;
const MAX_FAILED = 100;

/** Runs schedules of the seeds from `seed` on, one after the other. */
export async function simulate(input: SimulationInput): Promise<SimulationFigures> {
  // Thousands of calls fail on purpose, and nobody reads where.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return await runAll(input);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

async function runAll({
  seed,
  schedules: wanted,
  budgetMs = Infinity,
  progress,
}: SimulationInput): Promise<SimulationFigures> {
  const endAt = performance.now() + budgetMs;
  const failed: { seed: number; reason: string }[] = [];
  let violations = 0;
  let [steps, calls, succeeded, processes] = [0, 0, 0, 0];
  let schedules = 0;
  for (; schedules < wanted && performance.now() < endAt; schedules += 1) {
    try {
      const report = await new Schedule(seed + schedules).run();
      steps += report.steps;
      calls += report.calls;
      succeeded += report.succeeded;
      processes += report.processes;
    } catch (error) {
      violations += 1;
      if (failed.length < MAX_FAILED) failed.push({ seed: seed + schedules, reason: String(error) });
    }
    if ((schedules + 1) % PROGRESS_EVERY === 0) progress?.(schedules + 1);
  }
  const whole = Math.max(1, schedules - violations);
  return {
    schedules,
    violations,
    failed,
    meanSteps: steps / whole,
    meanCalls: calls / whole,
    meanProcesses: processes / whole,
    succeededShare: succeeded / Math.max(1, calls),
  };
}
