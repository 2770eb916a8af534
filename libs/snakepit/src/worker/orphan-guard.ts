import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';

import type { LogSink } from '../core/index.js';
import { GUARDIAN_SCRIPT } from './guardian-script.js';
import { hostMark } from './host-mark.js';
import { splitLines } from './line-splitter.js';

/** How long a sweep may take before a closing instance stops waiting for it. */
const SWEEP_PATIENCE_MS = 2_000;
/** After so many guardians in a row that lived shorter than this there is no other: whatever ends them would end the next one too. */
const MAX_SHORT_LIVES = 3;
const SHORT_LIFE_MS = 10_000;

/**
 * Sees to it that no worker and nothing that workers started outlives its host, however that ends; there is one for each host process.
 *
 * It owns the guardian (see guardian-script.ts), which is started with the first instance and ends with the last. Without one,
 * as on Windows or where there is no /bin/sh, workers still end by themselves when their connection does.
 */
export class OrphanGuard {
  readonly #instances = new Map<string, LogSink>();
  readonly #groups = new Set<number>();
  readonly #sweeps = new Map<string, () => void>();
  /** Of workers that are gone, whose leavings are to be looked for; those that are being looked for come first. */
  #marks: string[] = [];
  #marksAtWork = 0;
  #guardian: Guardian | undefined;
  readonly #shell: string;
  #shortLives = 0;

  constructor(shell = '/bin/sh') {
    this.#shell = shell;
  }

  /** Processes that carry this token belong to the host from now on. What is done for them is told to `log`. */
  open(instance: string, log: LogSink): void {
    this.#instances.set(instance, log);
    if (this.#guardian === undefined) this.#start();
    else this.#guardian.tell(`open ${instance}`);
  }

  /** This process leads a group that is to end with the host. */
  started(pid: number): void {
    if (this.#instances.size === 0) return;
    this.#groups.add(pid);
    this.#guardian?.tell(`start ${pid}`);
  }

  /**
   * It is gone, and its id may soon be that of another. What carries its mark and has left its group is killed, a moment later and by the
   * guardian: the host looks through no processes.
   */
  ended(pid: number, mark?: string): void {
    if (!this.#groups.delete(pid)) return;
    this.#guardian?.tell(`exit ${pid}`);
    if (mark === undefined) return;
    this.#marks.push(mark);
    this.#sweepMarks();
  }

  /** One look through all processes serves all workers that have ended during the look before it. */
  #sweepMarks(): void {
    if (this.#marksAtWork > 0 || this.#marks.length === 0 || this.#guardian === undefined) return;
    this.#marksAtWork = this.#marks.length;
    this.#guardian.tell(`sweep ${this.#marks.join(' ')}`);
  }

  #onSwept(): void {
    this.#marks = this.#marks.slice(this.#marksAtWork);
    this.#marksAtWork = 0;
    this.#sweepMarks();
  }

  /** Kills what still carries the token; returns when nothing does, and with the last one when the guardian is gone. */
  async close(instance: string): Promise<void> {
    if (!this.#instances.delete(instance)) return;
    const guardian = this.#guardian;
    if (guardian === undefined) return;
    guardian.hold();
    await this.#sweep(guardian, instance);
    if (this.#instances.size === 0) {
      if (this.#guardian === guardian) this.#guardian = undefined;
      // They carried the tokens of instances, which have been looked for.
      this.#marks = [];
      this.#marksAtWork = 0;
      await guardian.end();
    }
    guardian.release();
  }

  #sweep(guardian: Guardian, instance: string): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(patience);
        this.#sweeps.delete(instance);
        resolve();
      };
      const patience = setTimeout(done, SWEEP_PATIENCE_MS);
      this.#sweeps.set(instance, done);
      guardian.tell(`close ${instance}`);
      void guardian.gone.then(done);
    });
  }

  #start(): void {
    if (process.platform === 'win32' || this.#shortLives >= MAX_SHORT_LIVES) return;
    const startedAt = performance.now();
    const guardian = new Guardian(this.#shell, (line) => this.#onLine(line));
    this.#guardian = guardian;
    for (const instance of this.#instances.keys()) guardian.tell(`open ${instance}`);
    for (const pid of this.#groups) guardian.tell(`start ${pid}`);
    this.#marksAtWork = 0;
    this.#sweepMarks();
    void guardian.gone.then((end) => this.#onGone(guardian, end, performance.now() - startedAt));
  }

  #onGone(guardian: Guardian, { how, hasLived }: GuardianEnd, livedMs: number): void {
    if (this.#guardian !== guardian) return;
    this.#guardian = undefined;
    if (!hasLived) this.#shortLives = MAX_SHORT_LIVES;
    else this.#shortLives = livedMs < SHORT_LIFE_MS ? this.#shortLives + 1 : 0;
    const next =
      this.#shortLives >= MAX_SHORT_LIVES
        ? 'there is none now: should this host be killed, workers end by themselves, but not what left their process groups'
        : 'another one is started';
    this.#warn(`the guardian that ends workers with their host is gone (${how}); ${next}`);
    if (this.#instances.size > 0) this.#start();
  }

  #onLine(line: string): void {
    const [word, subject = '', detail = ''] = line.split(' ');
    if (word === 'closed') {
      this.#sweeps.get(subject)?.();
    } else if (word === 'swept') {
      this.#onSwept();
    } else if (word === 'left') {
      this.#warn(`process ${subject} was killed: it belonged to host ${detail}, which is gone`);
    }
  }

  /** What concerns the host is told once, to whoever came first. */
  #warn(message: string): void {
    const [log] = this.#instances.values();
    log?.({ level: 'warn', message });
  }
}

/** Of this process. */
export const orphanGuard = new OrphanGuard();

interface GuardianEnd {
  readonly how: string;
  /** False when there was no process at all. */
  readonly hasLived: boolean;
}

/** The process, and what is written to it; it does not keep the host from exiting unless it is held. */
class Guardian {
  readonly gone: Promise<GuardianEnd>;
  readonly #child: ChildProcess;
  #holders = 0;

  constructor(shell: string, onLine: (line: string) => void) {
    this.#child = spawn(shell, ['-c', GUARDIAN_SCRIPT, 'snakepit-guardian', hostMark() ?? '', tmpdir()], {
      // A session of its own: Ctrl-C is for the host, which decides when its workers end.
      detached: true,
      // It must keep no folder in use, and carry no token: it is no worker, even if its host is one.
      cwd: '/',
      env: { PATH: process.env['PATH'] ?? '', SNAKEPIT_GUARDIAN: '1' },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.gone = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve({ how: error.message, hasLived: false }));
      this.#child.once('exit', (status, signal) => resolve({ how: signal ?? `status ${status}`, hasLived: true }));
    });
    this.#child.stdin?.on('error', () => {});
    // Without descriptors to spare there are no pipes at all.
    if (this.#child.stdout) splitLines(this.#child.stdout, onLine);
    this.#setRef(false);
  }

  tell(line: string): void {
    if (this.#child.stdin?.writable === true) this.#child.stdin.write(`${line}\n`);
  }

  hold(): void {
    this.#holders += 1;
    if (this.#holders === 1) this.#setRef(true);
  }

  release(): void {
    this.#holders -= 1;
    if (this.#holders === 0) this.#setRef(false);
  }

  async end(): Promise<void> {
    this.#child.stdin?.end();
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), SWEEP_PATIENCE_MS);
    await this.gone;
    clearTimeout(patience);
  }

  #setRef(isHeld: boolean): void {
    const word = isHeld ? 'ref' : 'unref';
    this.#child[word]();
    // Pipes of a child process are sockets, which the types do not tell.
    for (const pipe of [this.#child.stdin, this.#child.stdout]) (pipe as unknown as Socket | null)?.[word]();
  }
}
