// The commands of the demo's Node pool: every exported function is one. Its first parameter is the call's arguments.
import { createHash, randomBytes } from 'node:crypto';

const MAX_RANDOM = 100_000;
const TWO_TO_53 = 2 ** 53;

let callsServed = 0;

export function ping() {
  callsServed += 1;
  return { pong: true, time_ms: Date.now() };
}

export function echo({ value = null }) {
  callsServed += 1;
  return value;
}

/** add, subtract, multiply, divide or raise two numbers, or take the square root of one. */
export function compute({ operation, a, b = 0 }) {
  callsServed += 1;
  for (const [name, number] of Object.entries({ a, b })) {
    if (typeof number !== 'number') throw new TypeError(`${name} must be a number, got ${typeof number}`);
  }
  const result = calculate(operation, a, b);
  if (!Number.isFinite(result)) throw new RangeError(`the result of ${operation} is no finite number`);
  return result;
}

function calculate(operation, a, b) {
  switch (operation) {
    case 'add':
      return a + b;
    case 'subtract':
      return a - b;
    case 'multiply':
      return a * b;
    case 'divide':
      if (b === 0) throw new RangeError('division by zero: b must not be 0');
      return a / b;
    case 'power':
      return a ** b;
    case 'sqrt':
      if (a < 0) throw new RangeError('square root of a negative number: a must not be below 0');
      return Math.sqrt(a);
    default:
      throw new RangeError(
        `operation must be one of add, subtract, multiply, divide, power, sqrt, got ${JSON.stringify(operation)}`,
      );
  }
}

/** Runtime, platform and process; `calls_served` counts this module's commands. */
export function info() {
  callsServed += 1;
  return {
    node: process.versions.node,
    v8: process.versions.v8,
    platform: `${process.platform}-${process.arch}`,
    executable: process.execPath,
    pid: process.pid,
    rss_bytes: process.memoryUsage.rss(),
    uptime_ms: Math.round(process.uptime() * 1000),
    calls_served: callsServed,
  };
}

/** `n` numbers from [0, 1): from the system's generator, or the same ones for the same seed. */
export function random({ n = 1, seed = null }) {
  callsServed += 1;
  if (!Number.isInteger(n) || n < 1 || n > MAX_RANDOM) {
    throw new RangeError(`n must be an integer between 1 and ${MAX_RANDOM}, got ${JSON.stringify(n)}`);
  }
  const draw = seed === null ? systemNumber : seededNumbers(seed);
  return Array.from({ length: n }, draw);
}

/** 53 random bits, as many as a number holds. */
function systemNumber() {
  return Number(randomBytes(8).readBigUInt64BE() >> 11n) / TWO_TO_53;
}

/** SHA-256 in counter mode: slow for a generator, and the same everywhere. */
function seededNumbers(seed) {
  let counter = 0;
  return () => {
    const block = createHash('sha256').update(`${seed}/${counter}`).digest();
    counter += 1;
    return Number(block.readBigUInt64BE() >> 11n) / TWO_TO_53;
  };
}
