export { SnakepitHealthIndicator, type PoolHealth } from './snakepit.health-indicator.js';
export { SnakepitHealthModule } from './snakepit-health.module.js';
