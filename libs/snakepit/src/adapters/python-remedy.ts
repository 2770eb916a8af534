const MISSING_MODULE = /ModuleNotFoundError: No module named '([^']+)'/;

/** What to do about a Python that did not start because it lacks a module; undefined for other causes. */
export function missingModuleRemedy(executable: string, said: string): string | undefined {
  const name = MISSING_MODULE.exec(said)?.[1];
  if (name === undefined) return undefined;
  return (
    `${executable} has no module '${name}'. Where a package brings it, name that package in 'requirements' of python(), and the workers get ` +
    `an environment with it, or install it for the interpreter that 'interpreter' or 'venv' says. Where it is a file of yours, add its folder to 'path'.`
  );
}
