import { Injectable, NotFoundException } from '@nestjs/common';
import { SessionService } from 'nestjs-snakepit';

import {
  ConversationCommands,
  type CounterValue,
  type ProgramResult,
  type StoredProgram,
} from './conversation.commands.js';

/** A conversation: counters and programs that Python keeps in a session, and the host reads from the same session. */
@Injectable()
export class ConversationService {
  constructor(
    private readonly commands: ConversationCommands,
    private readonly sessions: SessionService,
  ) {}

  count(session: string, name: string, by: number): Promise<CounterValue> {
    return this.commands.count(session, name, by);
  }

  storeProgram(session: string, name: string, source: string): Promise<StoredProgram> {
    return this.commands.storeProgram(session, name, source);
  }

  async program(session: string, name: string): Promise<StoredProgram> {
    const source = await this.sessions.getProgram(session, name);
    if (typeof source === 'string') return { name, source };
    throw new NotFoundException(`There is no program '${name}' in session '${session}'.`);
  }

  async programs(session: string): Promise<{ programs: readonly string[] }> {
    return { programs: (await this.sessions.listPrograms(session)).toSorted() };
  }

  async runProgram(session: string, name: string, args: Readonly<Record<string, number>>): Promise<ProgramResult> {
    await this.program(session, name);
    return this.commands.runProgram(session, name, args);
  }

  async deleteProgram(session: string, name: string): Promise<void> {
    await this.program(session, name);
    await this.sessions.deleteProgram(session, name);
  }
}
