import { Body, Controller, Get, Injectable, Module, Param, Post, Query, Sse, type MessageEvent } from '@nestjs/common';
import { commandArgs, PoolService, python, SessionService, SnakepitCommand, SnakepitModule } from 'nestjs-snakepit';
import { map, type Observable } from 'rxjs';

/** An application as users write them; nothing in it knows that it is tested. */
@Injectable()
export class Reports {
  @SnakepitCommand('summarize', { timeoutMs: 5_000 })
  summarize(amounts: number[]): Promise<{ count: number; total: number }> {
    return commandArgs({ amounts });
  }
}

@Controller()
export class ReportController {
  constructor(
    private readonly pool: PoolService,
    private readonly reports: Reports,
    private readonly sessions: SessionService,
  ) {}

  @Get('summary')
  summary(@Query('amounts') amounts: string) {
    return this.reports.summarize(amounts.split(',').map(Number));
  }

  @Post('visits/:visitor')
  async visit(@Param('visitor') visitor: string, @Body('page') page: string) {
    const visits = await this.pool.executeInSession<number>(visitor, 'visit', { page });
    return { visits, data: (await this.sessions.get(visitor)).metadata };
  }

  @Sse('countdown')
  countdown(@Query('start') start: string): Observable<MessageEvent> {
    return this.pool.stream<number>('countdown', { start: Number(start) }).pipe(map((left) => ({ data: { left } })));
  }
}

@Module({
  imports: [
    SnakepitModule.forRootAsync({
      useFactory: () => ({
        // There is no such file: whoever starts this adapter fails.
        adapter: python({ module: './workers/none.py' }),
        size: 3,
        maxQueue: 10,
        queueTimeoutMs: 1_000,
        cancelGraceMs: 50,
      }),
    }),
  ],
  controllers: [ReportController],
  providers: [Reports],
})
export class SampleAppModule {}
