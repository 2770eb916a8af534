import { option } from '../../core/index.js';
import { privilegeOptionTable } from '../../worker/index.js';

/** What the processes of workers see of the machine, and may take of it. */
export const processOptionTable = {
  env: option.stringMap({
    doc: "Environment variables of the workers, beside the host's that are on the allow-list.",
    default: {},
  }),
  inheritEnv: option.strings({
    doc: "Further names of the host's environment variables that workers may see.",
    default: [],
  }),
  numericThreads: option.optionalInteger({
    doc: 'How many threads numeric libraries (OpenMP, OpenBLAS, MKL, …) may use in one worker, by their environment variables; 0 leaves it to them. Where `env` or `inheritEnv` has one of these variables, none is set.',
    unit: 'threads',
    min: 0,
    max: 1_024,
    defaultDoc: 'the CPUs shared out evenly among the workers, at least 1',
  }),
  privileges: option.group(privilegeOptionTable, { doc: 'What workers may do and take, and whatever they start.' }),
};
