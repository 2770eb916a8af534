export { SNAKEPIT_VERSION } from '../runtime/index.js';
