import { Module } from '@nestjs/common';
import { SnakepitMetricsModule } from 'nestjs-snakepit/metrics';

/** `GET /metrics`, for Prometheus: the pools, and what their workers measure. */
@Module({
  imports: [
    SnakepitMetricsModule.forRoot({
      endpoint: 'metrics',
      workerPrefix: 'demo_',
      workerBuckets: { csv_file_rows: [100, 1_000, 10_000, 100_000, 1_000_000] },
    }),
  ],
})
export class MetricsModule {}
