/** The check itself cannot take place: the command is wrong, or what it starts is no bridge. The message says what to do. */
export class ConformanceFailure extends Error {
  override readonly name = 'ConformanceFailure';
}
