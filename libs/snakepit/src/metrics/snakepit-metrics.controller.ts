import { Controller, Get, Res, type Type } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';

import { SnakepitMetrics } from './snakepit-metrics.js';

/** A controller of its own for each path, since paths are the classes'. */
export function metricsController(path: string): Type {
  @Controller(path)
  class SnakepitMetricsController {
    constructor(
      private readonly metrics: SnakepitMetrics,
      private readonly host: HttpAdapterHost,
    ) {}

    @Get()
    async read(@Res({ passthrough: true }) response: unknown): Promise<string> {
      const text = await this.metrics.metrics();
      this.host.httpAdapter.setHeader(response, 'Content-Type', this.metrics.contentType);
      return text;
    }
  }
  return SnakepitMetricsController;
}
