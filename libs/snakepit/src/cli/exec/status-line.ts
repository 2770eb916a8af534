import { describeProgress } from './describe-progress.js';

interface Terminal {
  readonly columns?: number;
  write(text: string): unknown;
}

const CLEAR = '\r\u001b[K';
/** For terminals that do not know their width. */
const USUAL_COLUMNS = 80;

/** The last line of a terminal: shows how far a call is, and steps aside for what else is written there. */
export class StatusLine {
  #shown = '';

  constructor(
    private readonly terminal: Terminal,
    readonly isShown: boolean,
  ) {}

  progress(value: unknown): void {
    if (!this.isShown) return;
    this.#shown = describeProgress(value, (this.terminal.columns || USUAL_COLUMNS) - 1);
    this.terminal.write(CLEAR + this.#shown);
  }

  /** Writes a line above it. */
  line(text: string): void {
    const shown = this.#shown;
    this.terminal.write(shown === '' ? `${text}\n` : `${CLEAR}${text}\n${shown}`);
  }

  clear(): void {
    if (this.#shown === '') return;
    this.#shown = '';
    this.terminal.write(CLEAR);
  }
}
