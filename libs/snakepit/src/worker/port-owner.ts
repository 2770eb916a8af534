import { readdir, readFile, readlink } from 'node:fs/promises';

import { GROUP_FIELD } from './group-memory.js';

const LISTENING = '0A';
/** Columns of /proc/net/tcp, see https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html */
const LOCAL_ADDRESS = 1;
const STATE = 3;
const INODE = 9;

/**
 * Whether nobody listens on a TCP port but processes of this group: gRPC lets several processes of one user share a port, and calls
 * would reach any of them. Undefined where the system does not tell.
 */
export async function isPortOfGroup(port: number, leader: number): Promise<boolean | undefined> {
  const listening = await listenersOn(port);
  if (listening.size === 0) return undefined;
  for (const pid of [leader, ...(await membersOf(leader))]) {
    const sockets = await socketsOf(pid);
    if (sockets === undefined) return undefined;
    for (const inode of sockets) listening.delete(inode);
    if (listening.size === 0) return true;
  }
  return false;
}

/** Inodes of the sockets that listen there. */
async function listenersOn(port: number): Promise<Set<string>> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(textOf));
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = tables.flatMap((table) => table.split('\n').slice(1)).map((line) => line.trim().split(/\s+/));
  const there = rows.filter((row) => row[STATE] === LISTENING && row[LOCAL_ADDRESS]?.endsWith(suffix));
  return new Set(there.map((row) => row[INODE] ?? ''));
}

/** The other processes of the group. */
async function membersOf(leader: number): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0 && pid !== leader);
  const groups = await Promise.all(pids.map(async (pid) => GROUP_FIELD.exec(await textOf(`/proc/${pid}/stat`))?.[1]));
  return pids.filter((_, index) => Number(groups[index]) === leader);
}

/** Inodes of a process's sockets: none for one that is gone, undefined where they may not be read. */
async function socketsOf(pid: number): Promise<string[] | undefined> {
  const folder = `/proc/${pid}/fd`;
  try {
    const links = await Promise.all((await readdir(folder)).map((fd) => readlink(`${folder}/${fd}`).catch(() => '')));
    return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? undefined : [];
  }
}

/** Empty where there is no such file. */
async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}
