export function processIds(): number[];
export function isAlive(pid: number): boolean;
export function processesOf(hostPid: number): number[];
export function guardianOf(hostPid: number): number | undefined;
