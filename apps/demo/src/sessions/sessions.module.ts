import { Module } from '@nestjs/common';

import { ConversationCommands } from './conversation.commands.js';
import { ConversationService } from './conversation.service.js';
import { ConversationController, SessionsController } from './sessions.controller.js';

@Module({
  controllers: [SessionsController, ConversationController],
  providers: [ConversationCommands, ConversationService],
})
export class SessionsModule {}
