import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Res, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { SessionService } from 'nestjs-snakepit';

import type { CounterValue, ProgramResult, StoredProgram } from './conversation.commands.js';
import { ConversationService } from './conversation.service.js';
import { ExistingSessionGuard } from './existing-session.guard.js';
import {
  countSchema,
  createSchema,
  nameSchema,
  programSchema,
  runSchema,
  type CountRequest,
  type CreateRequest,
  type ProgramRequest,
  type RunRequest,
} from './sessions.schemas.js';
import { viewOf, type SessionView } from './session-view.js';

@ApiTags('sessions')
@Controller('sessions')
export class SessionsController {
  constructor(private readonly sessions: SessionService) {}

  @Post()
  @ApiOperation({ summary: 'Begin a session' })
  async create(
    @Body({ schema: createSchema }) { metadata, ttlMs }: CreateRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SessionView> {
    const session = await this.sessions.create(undefined, { metadata, ttlMs });
    response.header('Location', `/sessions/${session.id}`);
    return viewOf(session);
  }

  @Get(':id')
  @ApiOperation({ summary: 'All that a session holds, and the worker that served it last' })
  async get(@Param('id') id: string): Promise<SessionView> {
    return viewOf(await this.sessions.get(id));
  }

  @Delete(':id')
  @HttpCode(204)
  @UseGuards(ExistingSessionGuard)
  @ApiOperation({ summary: 'End a session' })
  async delete(@Param('id') id: string): Promise<void> {
    await this.sessions.delete(id);
  }
}

@ApiTags('sessions')
@Controller('sessions/:id')
@UseGuards(ExistingSessionGuard)
export class ConversationController {
  constructor(private readonly conversation: ConversationService) {}

  @Post('counters/:name')
  @HttpCode(200)
  @ApiOperation({ summary: 'Add to a counter of the session' })
  count(
    @Param('id') id: string,
    @Param('name', { schema: nameSchema }) name: string,
    @Body({ schema: countSchema }) { by }: CountRequest,
  ): Promise<CounterValue> {
    return this.conversation.count(id, name, by);
  }

  @Get('programs')
  @ApiOperation({ summary: 'Names of the stored programs' })
  programs(@Param('id') id: string): Promise<{ programs: readonly string[] }> {
    return this.conversation.programs(id);
  }

  @Put('programs/:name')
  @ApiOperation({ summary: 'Store a program: an arithmetic expression with variables' })
  storeProgram(
    @Param('id') id: string,
    @Param('name', { schema: nameSchema }) name: string,
    @Body({ schema: programSchema }) { source }: ProgramRequest,
  ): Promise<StoredProgram> {
    return this.conversation.storeProgram(id, name, source);
  }

  @Get('programs/:name')
  @ApiOperation({ summary: 'Read a stored program' })
  program(@Param('id') id: string, @Param('name', { schema: nameSchema }) name: string): Promise<StoredProgram> {
    return this.conversation.program(id, name);
  }

  @Delete('programs/:name')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a stored program' })
  deleteProgram(@Param('id') id: string, @Param('name', { schema: nameSchema }) name: string): Promise<void> {
    return this.conversation.deleteProgram(id, name);
  }

  @Post('programs/:name/run')
  @HttpCode(200)
  @ApiOperation({ summary: 'Run a stored program in Python' })
  runProgram(
    @Param('id') id: string,
    @Param('name', { schema: nameSchema }) name: string,
    @Body({ schema: runSchema }) { args }: RunRequest,
  ): Promise<ProgramResult> {
    return this.conversation.runProgram(id, name, args);
  }
}
