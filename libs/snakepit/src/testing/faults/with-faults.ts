import type { Adapter } from '../../worker/index.js';
import { adapterWithTap } from '../tap/adapter-with-tap.js';
import { FaultDesk } from './fault-desk.js';
import type { Faults } from './faults.js';

/** An adapter whose workers can be made to fail. */
export interface FaultyAdapter extends Adapter {
  readonly faults: Faults;
}

/** Real workers that fail when a test wants them to: `const adapter = withFaults(python({ … })); adapter.faults.killWorker()`. */
export function withFaults(adapter: Adapter): FaultyAdapter {
  const desk = new FaultDesk();
  return { ...adapterWithTap(adapter, desk.openTap), faults: desk };
}
