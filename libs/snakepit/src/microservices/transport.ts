/** What `@MessagePattern(pattern, SNAKEPIT_TRANSPORT)` takes to be for workers only, in an application with several transports. */
export const SNAKEPIT_TRANSPORT = Symbol('snakepit');
