import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { HealthCheck, HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { SnakepitHealthIndicator } from 'nestjs-snakepit/health';

@ApiTags('operations')
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly snakepit: SnakepitHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  @ApiOperation({ summary: 'Readiness: 503 when a pool is down, `degraded` when workers are missing' })
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.snakepit.isHealthy('snakepit')]);
  }

  @Get('live')
  @HealthCheck()
  @ApiOperation({ summary: 'Liveness: this process answers, whatever its pools do' })
  live(): Promise<HealthCheckResult> {
    return this.health.check([() => this.snakepit.isAlive('host')]);
  }
}
