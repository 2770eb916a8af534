import { Injectable } from '@nestjs/common';
import { commandArgs, SessionId, SnakepitCommand } from 'nestjs-snakepit';

export interface CounterValue {
  readonly name: string;
  readonly value: number;
}

export interface StoredProgram {
  readonly name: string;
  readonly source: string;
}

export interface ProgramResult extends StoredProgram {
  /** Integers beyond 64 bits come as text. */
  readonly value: number | boolean | string;
}

/** What Python does within a session: it reads and writes the session's data through the host. */
@Injectable()
export class ConversationCommands {
  @SnakepitCommand('counter')
  count(@SessionId() _session: string, name: string, by: number): Promise<CounterValue> {
    return commandArgs({ name, by });
  }

  /** Parses the program before it stores it, and refuses what is none. */
  @SnakepitCommand('store_program')
  storeProgram(@SessionId() _session: string, name: string, source: string): Promise<StoredProgram> {
    return commandArgs({ name, source });
  }

  @SnakepitCommand('run_program')
  runProgram(
    @SessionId() _session: string,
    name: string,
    args: Readonly<Record<string, number>>,
  ): Promise<ProgramResult> {
    return commandArgs({ name, args });
  }
}
